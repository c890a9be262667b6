"""Whatever is typed into any form: no page breaks, nothing comes back unescaped, nothing typed is lost or logged.

`make fuzz` runs this for minutes (FUZZ=long), and a walk over the running site besides.
"""

import html
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from microsite.config import File
from microsite.config import Limits
from microsite.core import signs
from tests.canary.test_logs import captured
from tests.desk.hands import Coach

from .conftest import NO_CALENDARS
from .conftest import Pages

LONG = os.environ.get("FUZZ") == "long"
fuzz = runs(
    max_examples=1500 if LONG else 60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
WORDS = st.text(st.characters(codec="utf-8"), max_size=40)
TRAPS = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "\x85\u2028",
        "\u202egnp.exe",
        "\r\nSet-Cookie: x=1",
        "\r\n\r\n<script>",
        "𝒜👩‍👩‍👧\U0010ffff",
        "\ufffe\ufeff",
        "{{7*7}}{% x %}${7}",
        "%s%n%(x)s",
        "../../etc/passwd",
        "' OR 1=1 --",
        "<img src=x onerror=alert(1)>",
        '"><svg/onload=alert(1)>',
        "javascript:alert(1)",
        "=cmd|' /C calc'!A0",
        "9" * 400,
        "-1",
        "1e999",
        "NaN",
        "٣",
        "x" * 5000,
        "é" * 3000,
        "2026-02-30",
        "24:00-25:00",
        "0001-01-01",
        "9999-12-31 00:00-24:00",
    ]
)
TYPED = st.one_of(TRAPS, WORDS, st.builds(lambda one, two: one + two, TRAPS, WORDS))
RAW = st.binary(max_size=30).map(lambda raw: "".join(f"%{byte:02X}" for byte in raw))
"""Bytes that are no UTF-8, as they stand in a body."""

WAYS = ("kept", "kept", "typed", "typed", "typed", "marked", "missing", "doubled")


class Sent:
    """What one example sent, with a word of its own in every field it changed."""

    def __init__(self, data: st.DataObject, given: dict[str, str], free: frozenset[str]) -> None:
        self.mark = f"<q{secrets.token_hex(5)}\"'>"
        self.fields: dict[str, list[str]] = {name: [value] for name, value in given.items()}
        raw: list[str] = []
        names = sorted(given.keys() | free)
        spoilt = data.draw(st.sampled_from([*names, *[""] * 2 * len(names)]), label="in another encoding")
        for name in names:
            way = data.draw(st.sampled_from(WAYS), label=name)
            if name == spoilt:
                self.fields.pop(name, None)
                raw.append(f"{name}={data.draw(RAW)}")
            elif way == "typed":
                self.fields[name] = [data.draw(TYPED)]
            elif way == "marked":
                self.fields[name] = [data.draw(WORDS) + self.mark]
            elif way == "missing":
                self.fields.pop(name, None)
            elif way == "doubled":
                self.fields[name] = [data.draw(TYPED), *self.fields.get(name, ["x"])]
        pairs = [f"{quote_plus(name)}={quote_plus(value)}" for name, values in self.fields.items() for value in values]
        self.body, self.raw = "&".join(pairs + raw).encode(), bool(raw)
        self.values = [value for values in self.fields.values() for value in values]

    @property
    def sealed(self) -> bool:
        """Whether it comes from a browser that seals: what was typed is there only, and the browser shows it again."""
        return any(self.first(name) for name in ("sealed", "wrong_name", "wrong_note", "wrong_consent"))

    def first(self, name: str) -> str:
        """What the site reads of a field."""
        return self.fields.get(name, [""])[0]


class Hand:
    """Sends a form and looks at what came of it."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.coach = pages, Coach(pages)
        self.networks = 0

    def send(self, path: str, sent: Sent) -> TestResponse:
        """POST it; whatever the answer is, it must not be one of these."""
        self.networks += 1
        address = f"10.{self.networks >> 16 & 255}.{self.networks >> 8 & 255}.{self.networks & 255}"
        with captured() as log:
            answer = self.pages.client.post(
                path,
                data=sent.body,
                content_type="application/x-www-form-urlencoded",
                base_url=self.pages.base,
                environ_overrides={"REMOTE_ADDR": address},
            )
        assert answer.status_code < 500, (path, sent.fields, log.getvalue())
        text = answer.get_data(as_text=True)
        assert sent.mark not in text, f"{path} gives back what was typed as it is"
        for _, value in answer.headers.to_wsgi_list():
            assert sent.mark not in value
            assert "\n" not in value and "\r" not in value
        written = log.getvalue()
        assert not [value for value in sent.values if len(value) > 8 and value in written], (path, written)
        return answer


@pytest.fixture(name="hand")
def _hand(tmp_path: Path) -> Iterator[Hand]:
    """In a house where one network may book as often as the long form does."""
    pages = Pages(tmp_path / "instance", File(calendars=NO_CALENDARS, limits=Limits(bookings="100000 per hour")))
    yield Hand(pages)
    pages.close()


def shown(answer: TestResponse, name: str) -> str:
    """What a field of the page says."""
    text = answer.get_data(as_text=True)
    area = re.search(rf'<textarea[^>]*name="{re.escape(name)}"[^>]*>\n?(.*?)</textarea>', text, re.S)
    if area:
        return html.unescape(area[1])
    tag = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', text)
    value = re.search(r'value="([^"]*)"', tag[0]) if tag else None
    return html.unescape(value[1]) if value else ""


def kept(typed: str, lines: bool = False) -> str:
    """What must still be there of what somebody typed: all but invisible characters."""
    text = typed.replace("\r\n", "\n").replace("\r", "\n")
    return signs.cleaned(text, lines).strip()


def letters(text: str) -> str:
    """A text without white space, in one normal form: a field may break lines in its own way."""
    return "".join(unicodedata.normalize("NFC", text).split())


OPEN = frozenset("name email note website slot tz invite form_token once terms consent".split())
CHOOSING = frozenset({"choice", "choose"})
SEALING = frozenset("sealed sealed_for wrong_name wrong_note wrong_consent".split())


@fuzz
@given(data=st.data())
def test_the_booking_form_breaks_on_nothing_and_loses_nothing(hand: Hand, data: st.DataObject) -> None:
    given_fields = {**hand.pages.form(), "name": "Budi", "email": "budi@example.com", "note": "halo"}
    free = data.draw(st.sampled_from([OPEN, OPEN, OPEN | CHOOSING, OPEN | SEALING]))
    sent = Sent(data, {name: given_fields.get(name, "") for name in free}, free)
    answer = hand.send(data.draw(st.sampled_from(["/sari/sesi/book", "/en/sari/diam/book"])), sent)
    page = answer.get_data(as_text=True)
    if answer.status_code in {409, 422, 429, 503} and 'name="note"' in page and not sent.sealed and not sent.raw:
        for name in ("name", "email", "note"):
            assert letters(kept(sent.first(name), lines=True)) == letters(shown(answer, name)), name


CLIENT = {
    "/manage/cancel": "",
    "/manage/move": "slot tz",
    "/manage/confirm": "",
    "/manage/again": "",
    "/manage/title": "neutral",
    "/manage/reminders": "wanted",
    "/manage/feed": "",
    "/manage/export": "",
    "/manage/yours": "name email note website sealed wrong_name wrong_note",
    "/manage/written": "name email note website sealed sealed_for wrong_name wrong_note take-out",
    "/manage/last.ics": "file file_token",
    "/manage/erase": "",
}


@fuzz
@given(data=st.data(), path=st.sampled_from(sorted(CLIENT)))
def test_the_forms_of_a_clients_page_break_on_nothing(hand: Hand, data: st.DataObject, path: str) -> None:
    with hand.pages.services.store.write() as tx:
        for booking in tx.bookings.live("sari"):
            tx.bookings.remove(booking.id)
    hand.pages.get(hand.pages.book())
    hand.pages.put_in_state("confirmed")
    there = hand.pages.fields(hand.pages.get("/manage"))
    names = frozenset(CLIENT[path].split()) | {"ref", "form_token"}
    sent = Sent(data, {name: there.get(name, "") for name in names}, names)
    answer = hand.send(path, sent)
    if path == "/manage/yours" and answer.status_code == 422 and not sent.sealed and not sent.raw:
        for name in ("name", "email", "note"):
            assert letters(kept(sent.first(name), lines=True)) == letters(shown(answer, name)), name


DESK = {
    "/desk/invitations": "offer uses days label",
    "/desk/calendars/password": "calendar password",
    "/desk/calendars/app": "",
    "/desk/cancel": "ref",
    "/desk/ask-to-move": "ref",
    "/desk/approve": "ref",
    "/desk/decline": "ref",
    "/desk/erase": "ref",
    "/desk/release": "",
    "/desk/keys": "everyday recovery successor wrapped",
    "/desk/records": "ref digest sealed",
    "/desk/passkeys": "answer",
    "/desk/passkeys/wrap": "id wrapped",
    "/desk/passkeys/remove": "id",
    "/desk/keys/retire": "",
}
DOOR = {"/desk/key": "coach", "/desk/key/answer": "answer", "/desk/passkey": "answer", "/desk/passkey/question": ""}


@fuzz
@given(data=st.data(), path=st.sampled_from(sorted(DESK)))
def test_the_forms_of_the_desk_break_on_nothing(hand: Hand, data: st.DataObject, path: str) -> None:
    if not hand.coach.seated:
        hand.coach.enter()
    hand.send(path, Sent(data, {"form_token": hand.coach.token()}, frozenset(DESK[path].split())))


@fuzz
@given(data=st.data(), path=st.sampled_from(sorted(DOOR)))
def test_the_door_breaks_on_nothing(hand: Hand, data: st.DataObject, path: str) -> None:
    hand.coach.leave()
    hand.send(path, Sent(data, {"form_token": hand.coach.door_token()}, frozenset(DOOR[path].split())))


def settings_form(hand: Hand, path: str) -> dict[str, str]:
    """The fields of a settings page as a browser would send them."""
    body = re.findall(r'<form class="details".*?</form>', hand.pages.get(path).text, re.S)[0]
    names = re.findall(r'<(?:input|textarea|select)[^>]*name="([^"]+)"', body)
    page: Any = TestResponseOf(body)
    return {name: shown(page, name) for name in names}


class TestResponseOf:
    """A part of a page, to be read like a page."""

    __test__ = False

    def __init__(self, text: str) -> None:
        self._text = text

    def get_data(self, as_text: bool = True) -> str:
        """The part."""
        return self._text


@fuzz
@given(data=st.data(), path=st.sampled_from(["/desk/settings", "/desk/offers/sesi", "/desk/offers/new"]))
def test_a_coachs_settings_break_on_nothing_and_lose_nothing(hand: Hand, data: st.DataObject, path: str) -> None:
    if not hand.coach.seated:
        hand.coach.enter()
    if path == "/desk/offers/sesi" and hand.pages.get(path).status_code == 404:
        path = "/desk/offers/new"
    fields = settings_form(hand, path)
    sent = Sent(data, fields, frozenset({"slug"}) if path.endswith("new") else frozenset())
    answer = hand.send(path, sent)
    if answer.status_code == 422 and not sent.sealed and not sent.raw:
        text = answer.get_data(as_text=True)
        for name in fields.keys() - {"form_token"}:
            tag = re.search(rf'<(?:input|textarea)[^>]*name="{re.escape(name)}"[^>]*>', text)
            if tag and 'type="checkbox"' not in tag[0]:
                assert letters(kept(sent.first(name), True)) in letters(kept(shown(answer, name), True)), name
    for other in ("/sari/", "/en/sari/", "/desk/settings"):
        assert hand.pages.get(other).status_code == 200, "settings that were taken must be usable"


LOOKS = ("/sari/sesi/", "/sari/sesi/book", "/manage", "/manage/move", "/desk", "/desk/offers/{}", "/m/{}", "/status/{}")


@fuzz
@given(data=st.data(), path=st.sampled_from(LOOKS))
def test_an_address_breaks_on_nothing(hand: Hand, data: st.DataObject, path: str) -> None:
    if "manage" in path:
        hand.pages.now += 1
        if not hand.pages.client.get_cookie("manage"):
            hand.pages.get(hand.pages.book())
    mark = f"<q{secrets.token_hex(5)}\"'>"
    names = ("day", "tz", "slot", "invite", "lang", "saved", "q")
    query = "&".join(
        f"{name}={quote_plus(data.draw(TYPED))}{quote_plus(mark)}" for name in names if data.draw(st.booleans())
    )
    query += f"&tz={data.draw(RAW)}" if data.draw(st.booleans()) else ""
    at = path.format(quote_plus(data.draw(TYPED) + mark)) if "{}" in path else path
    headers = {"HX-Request": "true", "HX-Source": mark} if data.draw(st.booleans()) else {}
    hand.networks += 1
    with captured() as log:
        answer = hand.pages.client.get(
            f"{at}?{query}",
            headers=headers,
            environ_overrides={"REMOTE_ADDR": f"10.9.{hand.networks >> 8 & 255}.{hand.networks & 255}"},
        )
    assert answer.status_code < 500, (at, query, log.getvalue())
    assert mark not in answer.get_data(as_text=True)
    assert mark not in log.getvalue()
