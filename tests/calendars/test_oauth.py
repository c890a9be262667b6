"""Calendars behind a sign-in: a real OAuth 2 server (Authlib's) in front of a real Radicale that wants the bearer."""

import logging
from collections.abc import Iterator

import msgspec
import pytest

from microsite.calendars import Calendars
from microsite.calendars.bearers import Bearers
from microsite.core.mirror import Account
from microsite.core.mirror import Known
from microsite.core.mirror import Tokens
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable

from .events import NOW
from .events import RULES
from .events import event
from .oauth_server import REDIRECT
from .oauth_server import Provider
from .oauth_server import provider
from .oauth_server import question
from .proxy import Proxy
from .proxy import proxy
from .servers import LOOPBACK
from .servers import Server


@pytest.fixture(name="google")
def _google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with provider(monkeypatch) as running:
        yield running


@pytest.fixture(name="guarded")
def _guarded(radicale_server: Server, google: Provider) -> Iterator[Proxy]:
    with proxy(radicale_server.port) as between:
        between.before.append(google.between)
        yield between


@pytest.fixture(name="calendars", params=[False, True], ids=["here", "contained"])
def _calendars(request: pytest.FixtureRequest, google: Provider) -> Iterator[Calendars]:
    made = Calendars(None, LOOPBACK, contained=request.param, app=google.app)
    yield made
    made.close()


@pytest.fixture(name="plain")
def _plain(google: Provider) -> Iterator[Calendars]:
    made = Calendars(None, LOOPBACK, contained=False, app=google.app)
    yield made
    made.close()


def connected(calendars: Calendars, google: Provider) -> str:
    """What `calendar connect` does: the lasting permission."""
    asked = calendars.sign_in()
    return calendars.exchange(asked, google.allow(asked.url), 60).reveal()


def account_of(server: Server, between: Proxy, permission: str) -> Account:
    """A fresh calendar as the store would hold it."""
    direct = server.account(server.new_calendar(), between.port)
    return msgspec.structs.replace(direct, username="", password="", refresh=permission, profile="google")


def test_from_signing_in_to_an_event_in_the_calendar(
    calendars: Calendars, google: Provider, guarded: Proxy, radicale_server: Server
) -> None:
    permission = connected(calendars, google)
    account = account_of(radicale_server, guarded, permission)
    start = f"http://127.0.0.1:{guarded.port}/coach/"
    assert account.url in [found.url for found in calendars.discover(start, "coach", "", 60, refresh=permission)]
    written = calendars.create(account, "one", event("one"), 60)
    pulled = calendars.pull(account, Known(), RULES, NOW, 60)
    assert [reading.href for reading in pulled.readings] == [written.href]
    assert google.asked == ["authorization_code", "refresh_token"]


def test_the_question_holds_what_the_provider_needs_and_no_secret(plain: Calendars, google: Provider) -> None:
    asked = plain.sign_in()
    sent = question(asked.url)
    assert (sent["code_challenge_method"], sent["access_type"], sent["prompt"]) == ("S256", "offline", "consent")
    assert sent["redirect_uri"] == REDIRECT and sent["state"] == asked.state
    assert asked.verifier not in asked.url and google.app.client_secret not in asked.url


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "nothing"),
        (REDIRECT, "no answer in it"),
        (f"{REDIRECT}?error=access_denied&state=STATE", "she did not allow it"),
        (f"{REDIRECT}?code=guessed&state=STATE", "a code that was never given"),
        (f"{REDIRECT}?code=CODE&state=other", "another sign-in's answer"),
        (f"{REDIRECT}#access_token=x&state=STATE", "another way of answering"),
    ],
)
def test_an_answer_that_does_not_belong_is_refused(plain: Calendars, google: Provider, pasted: str, words: str) -> None:
    asked = plain.sign_in()
    code = question(google.allow(asked.url))["code"]
    with pytest.raises(CalendarRefused):
        plain.exchange(asked, pasted.replace("STATE", asked.state).replace("CODE", code), 60)


def test_a_code_without_its_verifier_opens_nothing(plain: Calendars, google: Provider) -> None:
    asked = plain.sign_in()
    pasted = google.allow(asked.url)
    stolen = msgspec.structs.replace(asked, verifier="x" * 64)
    with pytest.raises(CalendarRefused):
        plain.exchange(stolen, pasted, 60)


def test_access_that_ended_early_is_renewed_within_the_call(
    plain: Calendars, google: Provider, guarded: Proxy, radicale_server: Server
) -> None:
    account = account_of(radicale_server, guarded, connected(plain, google))
    plain.check(account, 60)
    google.end_access()
    plain.create(account, "one", event("one"), 60)
    assert google.asked.count("refresh_token") == 2


def test_access_is_asked_for_again_a_minute_before_it_ends(
    plain: Calendars, google: Provider, guarded: Proxy, radicale_server: Server
) -> None:
    google.lasts = 59
    account = account_of(radicale_server, guarded, connected(plain, google))
    plain.check(account, 60)
    plain.check(account, 60)
    assert google.asked.count("refresh_token") == 2


def test_a_permission_that_was_withdrawn_is_told_in_plain_words(
    calendars: Calendars, google: Provider, guarded: Proxy, radicale_server: Server
) -> None:
    account = account_of(radicale_server, guarded, connected(calendars, google))
    calendars.check(account, 60)
    google.withdraw()
    with pytest.raises(CalendarRefused, match=r"withdrawn.*connect it again"):
        calendars.pull(account, Known(), RULES, NOW, 60)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_provider_that_is_down_is_no_withdrawal(google: Provider, radicale_server: Server, status: int) -> None:
    with proxy(google.port) as between:
        app = msgspec.structs.replace(google.app, token_url=f"http://127.0.0.1:{between.port}/token")
        calendars = Calendars(None, LOOPBACK, contained=False, app=app)
        permission = connected(calendars, google)
        account = account_of(radicale_server, between, permission)
        between.before.append(lambda exchange: exchange.answer(status, b"<html>busy</html>"))
        with pytest.raises(CalendarUnreachable):
            calendars.check(account, 60)
        between.heal()
        between.before.append(lambda exchange: exchange.answer(200, b"<html>hello</html>"))
        with pytest.raises(CalendarUnreachable):
            calendars.check(account, 60)
        calendars.close()


def test_the_secret_goes_to_no_unsafe_address(google: Provider) -> None:
    app = msgspec.structs.replace(google.app, token_url="http://192.0.2.1/token")
    calendars = Calendars(None, LOOPBACK, contained=False, app=app)
    with pytest.raises(CalendarError, match="https"):
        calendars.discover("https://cal.example/", "coach", "", 5, refresh="a permission")
    calendars.close()


def test_without_a_registered_app_the_operator_is_told_where_to_set_it() -> None:
    calendars = Calendars(None, LOOPBACK, contained=False)
    with pytest.raises(CalendarMissing, match=r"\[google\]"):
        calendars.sign_in()


def test_nothing_that_lets_in_can_be_printed(plain: Calendars, google: Provider) -> None:
    asked = plain.sign_in()
    tokens = Tokens(access="secret-a", refresh="secret-b", seconds=1)
    account = Account(calendar="c", url="https://cal.example/", refresh="secret-c", bearer="secret-d")
    said = f"{asked!r} {asked} {tokens!r} {tokens} {google.app!r} {account!r} {account}"
    assert asked.verifier not in said and "secret" not in said


def test_many_calls_at_once_ask_for_one_bearer() -> None:
    asked: list[str] = []

    def ask(refresh: str, _: float) -> Tokens:
        asked.append(refresh)
        return Tokens(access=f"{refresh}-{len(asked)}", refresh="", seconds=120)

    at = [0.0]
    bearers = Bearers(ask, lambda: at[0])
    assert [bearers.get("r", 1), bearers.get("r", 1), bearers.get("s", 1)] == ["r-1", "r-1", "s-2"]
    at[0] = 59.9
    assert bearers.get("r", 1) == "r-1"
    at[0] = 60.0
    assert bearers.get("r", 1) == "r-3"
    bearers.drop("r", "an older one")
    assert bearers.get("r", 1) == "r-3"
    bearers.drop("r", "r-3")
    assert bearers.get("r", 1) == "r-4"
