"""What is decided without any server: the next question, hrefs and etags, addresses that may be contacted."""

import time
from pathlib import Path

import pytest

from microsite.calendars import addresses
from microsite.calendars import dav
from microsite.calendars import sync
from microsite.calendars.client import Client
from microsite.calendars.providers import Profile
from microsite.calendars.wire import Wire
from microsite.core.mirror import Account
from microsite.core.mirror import Known
from microsite.errors import CalendarBusy
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable
from microsite.errors import CalendarUnsafe

from .events import DAY
from .events import NOW
from .proxy import Exchange
from .proxy import proxy
from .servers import LOOPBACK
from .servers import PASSWORD
from .servers import USER
from .servers import Server

TOKENS, NO_TOKENS = Profile(name="a"), Profile(name="b", tokens=False)
OFTEN = Profile(name="c", full_every=6 * 3600)


@pytest.mark.parametrize(
    ("known", "profile", "step", "words"),
    [
        (Known(), TOKENS, "full", "nothing is known"),
        (Known(state="FULL"), TOKENS, "full", "a first load goes on"),
        (Known(state="IDLE", sync_token="t", last_full_at=NOW), TOKENS, "delta", "the token leads on"),
        (Known(state="IDLE", sync_token="", last_full_at=NOW), TOKENS, "full", "there is no token"),
        (Known(state="IDLE", sync_token="t", last_full_at=NOW - DAY), TOKENS, "full", "a day has passed"),
        (Known(state="IDLE", sync_token="t", last_full_at=NOW - DAY + 1), TOKENS, "delta", "not quite a day"),
        (Known(state="IDLE", sync_token="t", last_full_at=NOW - DAY // 4), OFTEN, "full", "its tokens die silently"),
        (Known(state="LISTING", last_full_at=NOW), TOKENS, "listing", "it had no tokens"),
        (Known(state="LISTING", last_full_at=NOW - DAY), TOKENS, "full", "it may have learnt"),
        (Known(state="LISTING", last_full_at=0), NO_TOKENS, "listing", "it is known to have none"),
        (Known(), NO_TOKENS, "listing", "it is known to have none"),
        (Known(state="BACKOFF", sync_token="t", last_full_at=NOW), TOKENS, "delta", "after an error it goes on"),
        (Known(state="AUTH", sync_token="t", last_full_at=NOW), TOKENS, "delta", "after a new password too"),
    ],
)
def test_the_first_question_follows_from_what_is_known(known: Known, profile: Profile, step: str, words: str) -> None:
    assert sync.next_state(known, profile, NOW) == step, words


def test_only_new_changed_and_unnamed_versions_are_fetched() -> None:
    listed = {"/a": '"1"', "/b": '"2"', "/c": "", "/d": '"new"'}
    assert sync.changed(listed, {"/a": '"1"', "/b": '"other"', "/c": ""}) == ["/b", "/c", "/d"]


def test_a_password_problem_waits_for_the_coach_and_all_else_for_the_clock() -> None:
    assert sync.after(CalendarRefused("")) == "AUTH"
    assert sync.after(CalendarUnreachable("")) == sync.after(CalendarBusy("")) == "BACKOFF"


@pytest.mark.parametrize(
    ("given", "one"),
    [
        ("/c/a%40b.ics", "/c/a@b.ics"),
        ("/c/a@b.ics", "/c/a@b.ics"),
        ("/c/caf%c3%a9.ics", "/c/caf%C3%A9.ics"),
        ("/c/café.ics", "/c/caf%C3%A9.ics"),
        ("/c/with space.ics", "/c/with%20space.ics"),
        ("/c/a%2Fb.ics", "/c/a%2Fb.ics"),
        ("/c/a%252Fb.ics", "/c/a%252Fb.ics"),
        ("https://example.org:8443/c/a.ics", "/c/a.ics"),
    ],
)
def test_a_path_has_one_spelling_however_the_server_wrote_it(given: str, one: str) -> None:
    assert dav.norm(given) == one and dav.norm(one) == one


@pytest.mark.parametrize(
    ("etag", "strong"),
    [
        ('"a"', '"a"'),
        (' "a" ', '"a"'),
        ("http-//unquoted/1", "http-//unquoted/1"),
        ('W/"a"', ""),
        ("", ""),
        ("*", ""),
        ("sha256:abc", ""),
    ],
)
def test_only_a_strong_etag_is_a_condition(etag: str, strong: str) -> None:
    assert dav.strong(etag) == strong


@pytest.mark.parametrize("uid", ["a" * 101, "a/b", "../x", "a@b", "", ".hidden", "ä"])
def test_a_uid_that_is_no_file_name_becomes_one(uid: str) -> None:
    name = dav.href_of("https://example.org/c", uid).removeprefix("/c/").removesuffix(".ics")
    assert len(name) == 64 and name.isalnum()
    assert dav.href_of("https://example.org/c/", "plain-1.2_x") == "/c/plain-1.2_x.ics"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/c/",
        "http://192.0.2.1/c/",
        "ftp://example.org/c/",
        "file:///etc/passwd",
        "https://user:secret@example.org/c/",
        "https://10.1.2.3/c/",
        "https://192.168.1.4/c/",
        "https://169.254.169.254/latest/",
        "https://[::1]/c/",
        "https://[::ffff:127.0.0.1]/c/",
        "https://[fe80::1]/c/",
        "https://[fd00::1]/c/",
        "https://0.0.0.0/c/",
        "https://224.0.0.1/c/",
        "https://127.0.0.1/c/",
        "http://127.0.0.1/c/",
        "http://localhost/c/",
        "http://embedded.invalid/dav/c/",
    ],
)
def test_an_address_that_may_not_be_contacted_is_refused(url: str) -> None:
    with pytest.raises(CalendarUnsafe):
        addresses.check(url, frozenset(), embedded=False)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:5232/c/", {"127.0.0.1"}),
        ("http://localhost:5232/c/", {"localhost"}),
        ("https://10.1.2.3/c/", {"10.0.0.0/8"}),
        ("https://[fd00::1]/c/", {"fd00::/8"}),
        ("https://1.1.1.1/c/", set()),
        ("https://[::ffff:1.1.1.1]/c/", set()),
    ],
)
def test_an_address_that_is_public_or_allowed_may_be_contacted(url: str, allowed: set[str]) -> None:
    addresses.check(url, frozenset(allowed), embedded=False)


def test_allowing_one_private_host_allows_no_other_and_no_plain_http() -> None:
    with pytest.raises(CalendarUnsafe):
        addresses.check("https://10.1.2.4/c/", frozenset({"10.1.2.3"}), embedded=False)
    with pytest.raises(CalendarUnsafe):
        addresses.check("http://10.1.2.3/c/", frozenset({"10.1.2.3"}), embedded=False)


def test_a_name_that_leads_elsewhere_after_it_was_checked_is_refused_before_anything_is_sent(
    radicale_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the check sees a public address, the connection goes to loopback."""
    account = Account(calendar="x", url=f"http://localhost:{radicale_server.port}/coach/", username="a", password="b")
    monkeypatch.setattr(addresses, "_resolve", lambda host, port: ["1.1.1.1"])
    with Client(Wire(account)) as client:
        with pytest.raises(CalendarUnsafe, match="private network"):
            client.check()


def test_a_netrc_of_the_machine_signs_nobody_in(
    radicale_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD.replace(' ', '-')}\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[Exchange] = []
    with proxy(radicale_server.port) as between:
        between.before.append(seen.append)
        nobody = Account(calendar="x", url=f"http://127.0.0.1:{between.port}/{USER}/")
        with Client(Wire(nobody, allowed=LOOPBACK)) as client, pytest.raises(CalendarRefused):
            client.check()
    assert seen and not any(name.lower() == "authorization" for name in seen[0].headers)


def test_a_bearer_token_goes_before_a_password() -> None:
    both = Account(calendar="x", url="https://example.org/", username="a", password="b", bearer="t")
    assert addresses.authorization(both) == {"Authorization": "Bearer t"}
    assert addresses.authorization(Account(calendar="x", url="https://example.org/")) == {}


def test_a_call_gets_what_is_left_of_its_deadline_and_no_more() -> None:
    wire = Wire(Account(calendar="x", url="https://example.org/"))
    wire.start(-1)
    with pytest.raises(CalendarUnreachable):
        wire.send("GET", "https://1.1.1.1/")
    assert wire.requests == 0
    before = time.monotonic()
    wire.start(5)
    assert before + 5 <= wire.ends_at <= time.monotonic() + 5
    assert wire.left() <= 5
    wire.close()
