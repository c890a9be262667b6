"""The long story: random visitors, a busy coach, bad weather, a jumping clock and restarts, against real servers.

`LIFE=long` tells many and longer stories; else a few short ones.
"""

import os
import random
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import initialize
from hypothesis.stateful import invariant
from hypothesis.stateful import precondition
from hypothesis.stateful import rule
from hypothesis.stateful import run_state_machine_as_test

from microsite.errors import NotPossibleNow
from microsite.errors import SlotTaken
from microsite.errors import TimesUnknown
from microsite.errors import TooLate
from microsite.errors import TooOften
from microsite.work import answer
from microsite.work import cancel
from microsite.work import erase
from microsite.work import move
from microsite.work import wishes
from tests.calendars.proxy import proxy
from tests.calendars.servers import Server

from .house import COACH
from .house import Pattern
from .relay import BUSY
from .relay import DOWN
from .relay import Inbox
from .relay import relay
from .world import Client
from .world import World
from .world import asked_to_wait
from .world import five_hundred
from .world import hang_up
from .world import lose_answer

LONG = os.environ.get("LIFE") == "long"
REFUSALS = (NotPossibleNow, SlotTaken, TimesUnknown, TooLate, TooOften)
"""What the site may say to a person instead of doing it."""
PICK = st.integers(0, 10_000)


class Story(RuleBasedStateMachine):
    """One run of life at the house."""

    make: Callable[[], World]

    @initialize(seed=PICK)
    def begin(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = type(self).make()
        self.home, self.app = self.world.home, self.world.app
        for slug in self.chance.sample(["sesi", "kenal", "tanya", "sesi", "sesi"], self.chance.randint(0, 4)):
            self.book(slug, self.chance.randint(0, 60))
        if self.chance.random() < 0.7:
            self.jobs_run()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.world.settle()
                self.world.check_no_overlap()
                self.world.check_letters()
                self.world.check_agreement()
                self.world.check_privacy()
            finally:
                self.world.close()

    def one(self, *states: str) -> Client | None:
        """Some client (whose booking is in one of these states)."""
        there = self.world.live(*states)
        return self.chance.choice(there) if there else None

    # What visitors do.

    @rule(slug=st.sampled_from(["sesi", "sesi", "kenal", "tanya"]), pick=PICK)
    def book(self, slug: str, pick: int) -> None:
        number = len(self.world.clients)
        with suppress(*REFUSALS):
            starts = self.home.starts(slug)[:60]
            email, name, note = f"zq{number}klien@client.example", f"Zainab{number}Xyq", f"rahasia {number} kuwq"
            placed = self.home.book(starts[pick % len(starts)], slug, email, name=name, note=note)
            self.world.clients.append(Client(email, name, note, placed.booking))
        self.world.look()

    @rule()
    def confirm_address(self) -> None:
        if client := self.one("awaiting-email"):
            with suppress(*REFUSALS):
                answer.confirm_address(self.home.services, client.booking.id, client.booking.ref)
            self.world.look()

    @rule(pick=PICK)
    def move(self, pick: int) -> None:
        if client := self.one():
            with suppress(*REFUSALS):
                starts = self.home.starts(client.booking.offer, client.booking.id)[:60]
                move.move(self.home.services, client.booking.id, client.booking.ref, starts[pick % len(starts)])
            self.world.look()

    @rule()
    def cancel(self) -> None:
        if client := self.one():
            with suppress(*REFUSALS):
                cancel.cancel(self.home.services, client.booking.id, client.booking.ref)
            self.world.look()

    @rule()
    def erase(self) -> None:
        if self.chance.random() < 0.5 and (client := self.one()):
            erase.erase(self.home.services, client.booking.id, client.booking.ref)
            client.erased = True

    @rule()
    def ask_again(self) -> None:
        if client := self.one("confirmed"):
            with suppress(*REFUSALS):
                wishes.send_again(self.home.services, client.booking.id, client.booking.ref)

    # What the coach does in her app, and at her desk.

    @rule(pick=PICK)
    def drag(self, pick: int) -> None:
        if client := self.one("confirmed", "awaiting-coach", "confirming", "frozen"):
            with suppress(*REFUSALS):
                starts = self.home.starts()[:60]
                client.dragged |= self.app.drag(client.booking.coach_uid, starts[pick % len(starts)])

    @rule()
    def drag_back(self) -> None:
        if client := self.one("confirmed", "awaiting-coach", "frozen"):
            client.dragged |= self.app.drag(client.booking.coach_uid, client.booking.start)

    @rule()
    def drag_onto_another(self) -> None:
        client, other = self.one("confirmed"), self.one("confirmed")
        if client and other and client is not other:
            client.dragged |= self.app.drag(client.booking.coach_uid, other.booking.start)

    @rule()
    def delete(self) -> None:
        client = self.one("confirmed", "awaiting-coach", "confirming", "frozen")
        if client and (text := self.app.delete(client.booking.coach_uid)):
            self.world.trash.append((client.booking.coach_uid, text))

    @rule()
    @precondition(lambda self: self.world.trash)
    def restore(self) -> None:
        uid, text = self.world.trash.pop()
        client = next(one for one in self.world.clients if one.booking.coach_uid == uid)
        if client in self.world.live() and self.app.entry(uid) is None:
            self.app.put(text)
            client.dragged = True
            self.world.restored.add(uid)

    @rule()
    def cancel_by_status(self) -> None:
        if client := self.one("confirmed", "awaiting-coach"):
            self.app.edit(client.booking.coach_uid, status="CANCELLED")

    @rule()
    def retitle(self) -> None:
        if client := self.one("confirmed"):
            self.app.edit(client.booking.coach_uid, summary="Kopi dengan teman", description="bawa buku")

    @rule()
    def approve_in_the_app(self) -> None:
        if client := self.one("awaiting-coach"):
            self.app.edit(client.booking.coach_uid, summary=f"Session · {client.booking.ref}")

    @rule(yes=st.booleans())
    def answer_at_the_desk(self, yes: bool) -> None:
        if client := self.one("awaiting-coach"):
            act = answer.approve if yes else answer.decline
            with suppress(*REFUSALS):
                act(self.home.services, COACH, client.booking.id)
            self.world.look()

    @rule(pick=PICK)
    def be_busy(self, pick: int) -> None:
        with suppress(*REFUSALS):
            starts = self.home.starts()[:60]
            self.world.own += 1
            self.app.add(f"own{self.world.own}@app", starts[pick % len(starts)], 30)

    @rule()
    def add_alarm(self) -> None:
        if client := self.one("confirmed", "awaiting-coach"):
            self.app.ring(client.booking.coach_uid)

    # Weather, clocks and restarts.

    @rule(fault=st.sampled_from([hang_up, five_hundred, asked_to_wait]))
    def calendar_has_a_bad_day(self, fault: Callable[[object], None]) -> None:
        self.world.proxy.before = [fault]

    @rule()
    def answers_of_the_calendar_get_lost(self) -> None:
        self.world.proxy.after = [lose_answer(self.chance)]

    @rule(weather=st.sampled_from([DOWN, BUSY]), lost=st.booleans())
    def relay_has_a_bad_day(self, weather: str, lost: bool) -> None:
        if lost:
            self.world.inbox.lost = True
        else:
            self.world.inbox.weather = weather

    @rule()
    def an_address_is_refused(self) -> None:
        if client := self.one():
            client.bounced = True
            self.world.inbox.refused.add(client.email)

    @rule()
    def all_is_well_again(self) -> None:
        self.world.heal()

    @rule(seconds=st.sampled_from([1, 30, 130, 400, 1900, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.home.now += seconds

    @rule(seconds=st.sampled_from([30, 400, 4000]))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.home.now -= seconds
        self.home.hands.set_clock_back(seconds)

    @rule(clean=st.booleans())
    def restart(self, clean: bool) -> None:
        self.home.restart(clean)

    @rule(most=st.integers(1, 12))
    def some_jobs_run(self, most: int) -> None:
        self.home.some(self.chance, most)

    @rule(seconds=st.sampled_from([1, 60, 131, 400]))
    def quiet_minutes(self, seconds: int) -> None:
        self.home.now += seconds
        self.jobs_run()

    @rule()
    def jobs_run(self) -> None:
        with self.home.services.store.write() as tx:
            self.home.services.jobs.enqueue(tx, "sync", self.home.calendar)
            self.home.services.jobs.enqueue(tx, "stalled", "")
        self.home.drain()

    @invariant()
    def nothing_overlaps(self) -> None:
        if hasattr(self, "world"):
            self.world.look()
            self.world.check_no_overlap()

    @invariant()
    def letters_are_true_and_in_order(self) -> None:
        if hasattr(self, "world"):
            self.world.check_letters()


@pytest.fixture(name="make")
def _make(radicale_server: Server, pattern: Pattern) -> Iterator[Callable[[], World]]:
    with ExitStack() as kept:

        def make() -> World:
            kept.close()
            inbox = Inbox()
            folder = Path(kept.enter_context(tempfile.TemporaryDirectory()))
            between = kept.enter_context(proxy(radicale_server.port))
            return World(
                radicale_server, between, pattern, folder / "instance", inbox, kept.enter_context(relay(inbox))
            )

        yield make


def test_whatever_happens_calendar_database_and_letters_agree_in_the_end(make: Callable[[], World]) -> None:
    length = profile(
        max_examples=300 if LONG else 15,
        stateful_step_count=60 if LONG else 25,
        deadline=None,
        derandomize=not LONG,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(type("StoryHere", (Story,), {"make": staticmethod(make)}), settings=length)
