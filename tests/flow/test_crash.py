"""The site is killed, or its calendar server falls silent, at the worst moments: nothing is lost, doubled or untrue."""

from collections.abc import Iterator

import pytest

from microsite.core.letters import SUBJECTS
from tests.conftest import wait_until
from tests.flow.backstage import states
from tests.flow.backstage import wait_until_all_is_told
from tests.flow.practice import COACH
from tests.flow.practice import EMAIL
from tests.flow.practice import OFFER
from tests.flow.practice import Practice
from tests.flow.practice import practice
from tests.flow.practice import until_offered
from tests.flow.visitor import TYPED
from tests.flow.visitor import reference

HOUR = 3600


@pytest.fixture(name="rara", scope="module")
def _rara(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One practice for this file; each test leaves it running and well."""
    with practice(tmp_path_factory.mktemp("practice")) as running:
        until_offered(running.site)
        yield running


@pytest.fixture(name="well", autouse=True)
def _well(rara: Practice) -> Iterator[None]:
    """However a test ends, the next one finds the calendar server answering."""
    yield
    rara.proxy.let_go()
    rara.proxy.cut = False


@pytest.mark.parametrize(("held", "after"), [("PUT", ""), ("REPORT", "PUT")])
def test_killed_between_the_calendar_write_and_confirmed_it_confirms_once_after_a_restart(
    rara: Practice, held: str, after: str
) -> None:
    visitor, form = rara.booking_visitor()
    email = f"kill-{held.lower()}@example.com"
    rara.proxy.hold(held, after)
    page = visitor.arrive(visitor.send(form, email=email))
    assert rara.proxy.held.wait(60), "the calendar was never written"
    assert page.state == "confirming"
    before = len(rara.app.titled("Sesi"))
    rara.site.kill()
    rara.proxy.let_go()
    assert not rara.relay.letters(email)

    rara.site.start()

    ref = reference(visitor.wait_for("confirmed", 90))
    assert len(rara.app.titled(ref)) == 1
    assert len(rara.app.titled("Sesi")) == before == states(rara.site, COACH).count("confirmed")
    wait_until_all_is_told(rara.site)
    assert [each.subject for each in rara.relay.letters(email)] == [SUBJECTS["confirmed"][0]]
    assert len([each for each in rara.relay.letters(EMAIL) if ref in each.text]) == 1


def test_a_booking_while_the_calendar_is_silent_is_kept_a_while_then_failed_never_confirmed(rara: Practice) -> None:
    visitor, form = rara.booking_visitor()
    events = len(rara.app.titled("Sesi"))
    rara.proxy.cut = True

    page = visitor.arrive(visitor.send(form, email="silent@example.com"))
    assert page.state == "confirming"
    wait_until(rara.failing, 90, "the silence noticed")
    tries = rara.proxy.refused
    wait_until(lambda: rara.proxy.refused > tries, 90, "another try")
    assert visitor.get(visitor.own_page).state == "confirming"

    rara.end_holds()

    visitor.wait_for("failed", 90)
    wait_until_all_is_told(rara.site)
    assert [each.subject for each in rara.relay.letters("silent@example.com")] == [SUBJECTS["failed"][0]]
    assert len(rara.app.titled("Sesi")) == events


def test_after_a_long_silence_no_times_are_shown_and_the_coach_is_told_once(rara: Practice) -> None:
    visitor, form = rara.booking_visitor()
    _, other = rara.booking_visitor()
    rara.proxy.cut = True
    visitor.arrive(visitor.send(form, email="patient@example.com"))
    wait_until(rara.failing, 90, "the silence noticed")
    assert visitor.get(OFFER).status == 200, "a hiccup hides nothing"

    rara.age_failures(2 * HOUR)

    for prefix, language in (("", "id"), ("/en", "en")):
        page = visitor.get(f"{prefix}{OFFER}")
        assert (page.status, page.state, page.lang, page.slots) == (503, "times-unknown", language, [])
        assert page.headers["Retry-After"]
    refused = visitor.send(other)
    assert refused.status == 503
    assert {name: refused.post_form().fields[name] for name in TYPED} == TYPED
    for _ in range(2):
        rara.look_after_coaches()

    subject = SUBJECTS["calendar-unreachable"][0]

    def told() -> list[str]:
        return [each.subject for each in rara.relay.letters(EMAIL) if each.subject == subject]

    wait_until(told, 90, "the coach told")
    wait_until_all_is_told(rara.site)
    assert len(told()) == 1

    rara.proxy.cut = False

    visitor.wait_for("confirmed", 180)  # the longer it was silent, the longer is the pause before the next try
    assert visitor.get(OFFER).slots
    wait_until_all_is_told(rara.site)
    assert len(told()) == 1
