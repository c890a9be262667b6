"""Signing in: what a passkey must say, what a sealed challenge asks, how long anything lasts, and how it all ends."""

import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
from pyrage import x25519

from microsite.work import signin

from .conftest import Pages
from .hands import Coach
from .hands import two_keys
from .passkeys import PRESENT
from .passkeys import SoftPasskey
from .passkeys import b64


@pytest.fixture(name="coach")
def _coach(pages: Pages) -> Coach:
    """Sari with a house of her own."""
    return Coach(pages)


def keyed(coach: Coach) -> tuple[x25519.Identity, x25519.Identity]:
    """Let her have an everyday and a recovery key."""
    coach.enter()
    everyday, recovery = two_keys()
    given = {"everyday": str(everyday.to_public()), "recovery": str(recovery.to_public())}
    assert coach.post("/desk/keys", **given).status_code == 303
    coach.leave()
    return everyday, recovery


def opened(challenge: bytes, identity: x25519.Identity, tmp_path: Path) -> list[str]:
    """What the plain age tool reads in a challenge."""
    (tmp_path / "key.txt").write_text(f"{identity}\n")
    command = ["age", "-d", "-i", str(tmp_path / "key.txt")]
    return subprocess.run(command, input=challenge, capture_output=True, check=True).stdout.decode().splitlines()


def test_a_passkey_made_by_the_one_time_link_signs_in(coach: Coach) -> None:
    passkey = SoftPasskey()
    coach.enter()
    assert coach.enrol(passkey).status_code == 303
    coach.leave()
    assert not coach.seated
    answer = coach.with_passkey(passkey)
    assert answer.status_code == 303
    assert "SameSite=Strict" in answer.headers["Set-Cookie"]
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert coach.seated


def test_an_answer_counts_once(coach: Coach) -> None:
    passkey = SoftPasskey()
    coach.enter()
    coach.enrol(passkey)
    coach.leave()
    token = coach.door_token()
    question = coach.client.post("/desk/passkey/question", data={"form_token": token}).get_json()
    answer = {"form_token": token, "answer": passkey.answer(question)}
    assert coach.client.post("/desk/passkey", data=answer).status_code == 303
    coach.leave()
    assert coach.client.post("/desk/passkey", data=answer).status_code == 403
    assert not coach.seated


def test_an_answer_after_two_minutes_is_too_late(coach: Coach) -> None:
    passkey = SoftPasskey()
    coach.enter()
    coach.enrol(passkey)
    coach.leave()
    token = coach.door_token()
    question = coach.client.post("/desk/passkey/question", data={"form_token": token}).get_json()
    coach.pages.now += 120
    late = coach.client.post("/desk/passkey", data={"form_token": token, "answer": passkey.answer(question)})
    assert late.status_code == 403


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("origin", "https://evil.example"),
        ("host", "evil.example"),
        ("flags", PRESENT),
        ("key", SoftPasskey().key),
        ("id", b"0123456789abcdef"),
        ("count", -1),
    ],
)
def test_an_answer_that_does_not_hold_signs_nobody_in(coach: Coach, what: str, value: object) -> None:
    passkey = SoftPasskey()
    coach.enter()
    coach.enrol(passkey)
    coach.leave()
    coach.with_passkey(passkey)
    coach.leave()
    setattr(passkey, what, value)
    assert coach.with_passkey(passkey).status_code == 403
    assert not coach.seated


def test_a_new_passkey_without_user_verification_or_for_another_site_is_refused(coach: Coach) -> None:
    coach.enter()
    unverified, foreign = SoftPasskey(), SoftPasskey(origin="https://evil.example")
    unverified.flags = PRESENT
    for passkey in (unverified, foreign):
        assert coach.enrol(passkey).status_code == 403
    assert "Belum ada" in coach.pages.get("/desk/keys").text


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", '{"id":1}', '{"response":{}}', "[" * 5000, "é", "{" * 9])
def test_nonsense_in_place_of_an_answer_is_refused_kindly(coach: Coach, answer: str) -> None:
    given = {"form_token": coach.door_token(), "answer": answer}
    assert coach.client.post("/desk/passkey", data=given).status_code == 403
    coach.enter()
    assert coach.post("/desk/passkeys", answer=answer).status_code == 403


def test_a_removed_passkey_opens_nothing(coach: Coach) -> None:
    passkey = SoftPasskey()
    coach.enter()
    coach.enrol(passkey)
    assert coach.post("/desk/passkeys/remove", id=b64(passkey.id)).status_code == 303
    coach.leave()
    assert coach.with_passkey(passkey).status_code == 403


def test_the_plain_age_tool_opens_the_challenge_with_either_key(coach: Coach, tmp_path: Path) -> None:
    for identity in keyed(coach):
        lines = opened(coach.challenge(), identity, tmp_path)
        assert lines[:2] == ["microsite desk sign-in/1", "http://localhost:8000"]
        answer = coach.answer(lines[2])
        assert answer.status_code == 303
        assert coach.seated
        coach.leave()
        assert coach.answer(lines[2]).status_code == 403


def test_a_sealed_challenge_lives_a_quarter_of_an_hour_because_words_from_paper_take_their_time(
    coach: Coach, tmp_path: Path
) -> None:
    everyday, _ = keyed(coach)
    lines = opened(coach.challenge(), everyday, tmp_path)
    coach.pages.now += 15 * 60 - 1
    assert coach.answer(lines[2]).status_code == 303
    coach.leave()
    lines = opened(coach.challenge(), everyday, tmp_path)
    coach.pages.now += 15 * 60
    assert coach.answer(lines[2]).status_code == 403


def test_who_does_not_exist_gets_a_challenge_that_looks_the_same(coach: Coach) -> None:
    keyed(coach)
    coach.enter()
    coach.post("/desk/keys/retire")
    coach.leave()
    doors = [
        b64decode(b"".join(coach.challenge(coach=name).splitlines()[1:-1])).count(b"-> X25519 ")
        for name in ("sari", "nobody")
    ]
    assert doors == [2, 2]
    assert coach.answer("x" * 43).status_code == 403


def test_a_session_ends_after_twelve_hours(coach: Coach) -> None:
    coach.enter()
    coach.pages.now += 12 * 3600 - 1
    assert coach.seated
    coach.pages.now += 1
    assert not coach.seated


def test_signing_out_clears_the_browser_and_the_session(coach: Coach) -> None:
    coach.enter()
    cookie = coach.client.get_cookie("desk")
    assert cookie is not None
    answer = coach.post("/desk/out")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    coach.client.set_cookie("desk", cookie.value)
    assert not coach.seated


def test_signing_out_everywhere_ends_other_sessions_too(coach: Coach) -> None:
    coach.enter()
    other = coach.client.get_cookie("desk")
    assert other is not None
    coach.leave()
    coach.enter()
    coach.post("/desk/out", everywhere="1")
    coach.client.set_cookie("desk", other.value)
    assert not coach.seated


def test_breaking_the_glass_ends_sessions_links_and_passkeys(coach: Coach) -> None:
    passkey = SoftPasskey()
    coach.enter()
    coach.enrol(passkey)
    link = coach.pages.desk_link()
    form = coach.pages.fields(coach.pages.get(link))
    signin.revoke(coach.pages.services, "sari")
    assert not coach.seated
    assert coach.client.post(link, data=form).status_code == 404
    assert coach.with_passkey(passkey).status_code == 403
    coach.enter()
    assert coach.seated


def test_keys_and_passkeys_want_a_fresh_sign_in(coach: Coach) -> None:
    coach.enter()
    coach.pages.now += 30 * 60
    everyday, recovery = two_keys()
    assert coach.pages.get("/desk/keys/new").status_code == 403
    assert coach.post("/desk/passkeys/question").status_code == 403
    given = {"everyday": str(everyday.to_public()), "recovery": str(recovery.to_public())}
    assert coach.post("/desk/keys", **given).status_code == 403


def test_a_form_of_another_session_does_nothing(coach: Coach) -> None:
    coach.enter()
    old = coach.token()
    coach.leave()
    coach.enter()
    answer = coach.post("/desk/keys/retire", token=old)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")
    assert coach.post("/desk/settings", token=old, name="Mallory").status_code == 422
    assert "Mallory" not in coach.pages.get("/desk/settings").text


def test_every_page_of_the_desk_leads_to_the_door_without_a_session(coach: Coach) -> None:
    paths = "invitations settings offers/sesi offers/new calendars kept keys keys/new records records/K7QD.age".split()
    for path in paths:
        answer = coach.pages.get(f"/desk/{path}")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk"), path
    posted = "cancel approve decline erase ask-to-move release out keys keys/retire records passkeys".split()
    for path in posted:
        answer = coach.client.post(f"/desk/{path}", data={"form_token": "x"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/desk"), path


def test_where_a_coach_writes_at_length_her_words_wait_at_the_door(coach: Coach) -> None:
    for path in ("settings", "offers/sesi", "offers/new"):
        answer = coach.client.post(f"/desk/{path}", data={"form_token": "x", "name": "Sari"})
        assert (answer.status_code, answer.headers.get("Location")) == (403, None), path
        assert 'name="name" value="Sari"' in answer.text and 'href="/desk"' in answer.text
