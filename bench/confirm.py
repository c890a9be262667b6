"""From the visitor's POST to the page that says «confirmed», beside one bare PUT to the same calendar server.

The site is a real `microsite serve` with its embedded calendar. In each turn a calendar app puts one event there, and a
visitor books; both over HTTP, both from outside.
"""

import threading
import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from microsite.services import Services
from microsite.work import demo
from microsite.work import look

from . import expected
from .figures import Outcome
from .figures import Size
from .figures import WrongAnswer
from .figures import percentile
from .figures import single
from .site import Instance
from .site import Server
from .site import instance
from .site import serving
from .visitors import Form
from .visitors import Visitor
from .visitors import state_of

HUMAN = 3.2
"""Seconds after which the site believes that a person filled in a form."""
PATIENCE = 60.0
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20200101T000000Z\r\n"
    "DTSTART:20200101T0{hour}0000Z\r\nDTEND:20200101T0{hour}3000Z\r\nSUMMARY:old\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
"""An event of long ago: it is stored and read as any other, and takes nobody's time."""


def measure(size: Size) -> Outcome:
    """The part."""
    count = size.of(4, 24, 80)
    with instance() as demo_coach, serving(demo_coach.folder) as server:
        forms = open_forms(demo_coach, server, count + 2)
        threading.Event().wait(HUMAN)
        puts, bookings = [], []
        for number, (visitor, form) in enumerate(forms):
            took = _put(demo_coach, server, number), _book(visitor, form)
            if number >= 2:  # the first ones load what later ones find loaded
                puts.append(took[0])
                bookings.append(took[1])
        held = _confirmed(demo_coach)
    if held != count + 2:
        raise WrongAnswer(f"{count + 2} bookings were confirmed to visitors, {held} are in the database")
    put, booking = percentile(puts, 0.5), percentile(bookings, 0.95)
    return Outcome(
        [
            single("confirm.put_p50", put * 1e3, "ms", "wall"),
            single("confirm.confirmed_p50", percentile(bookings, 0.5) * 1e3, "ms", "wall"),
            single("confirm.confirmed_p95", booking * 1e3, "ms", "wall"),
            single("confirm.confirmed_p95_to_put", booking / put, "x", "wall"),
        ],
        [f"{count} bookings and as many PUTs, in turn, by one visitor at a time"],
    )


def open_forms(demo_coach: Instance, server: Server, count: int) -> list[tuple[Visitor, Form]]:
    """So many visitors with a form before them, each for a time that stays free whatever the others do."""
    found: list[tuple[Visitor, Form]] = []
    with demo_coach.opened() as services:
        slots = apart(services, count)
    for slot in slots:
        visitor = Visitor(server.port)
        found.append((visitor, visitor.form(expected.PATH, slot)))
    return found


def apart(services: Services, count: int) -> list[str]:
    """Free starts that lie at least three hours from one another."""
    coach = look.coach(services, demo.SLUG)
    offer = coach.settings.offer(expected.OFFER)
    if offer is None:
        raise WrongAnswer("the demo coach has no such offer")
    found: list[int] = []
    for at in expected.starts(look.times(services, coach, offer)):
        if not found or at - found[-1] >= timedelta(hours=3).total_seconds():
            found.append(at)
    if len(found) < count:
        raise WrongAnswer(f"{count} bookings were wanted, there are {len(found)} times for them")
    return [expected.slot_text(at) for at in found[-count:]]


def _put(demo_coach: Instance, server: Server, number: int) -> float:
    app = Visitor(server.port)
    event = EVENT.format(uid=f"bench-{number}@example", hour=number % 10).encode()
    path = f"/dav/{demo_coach.user}/bookings/bench-{number}.ics"
    app.put(path, event, demo_coach.user, demo_coach.password.reveal())
    again = f"/dav/{demo_coach.user}/bookings/bench-{number}-2.ics"
    event = EVENT.format(uid=f"bench-{number}-2@example", hour=number % 10).encode()
    began = time.perf_counter()
    answer = app.put(again, event, demo_coach.user, demo_coach.password.reveal())
    took = time.perf_counter() - began
    app.close()
    if answer.status != 201:
        raise WrongAnswer(f"the calendar server answered a PUT with {answer.status}")
    return took


def _book(visitor: Visitor, form: Form) -> float:
    began = time.perf_counter()
    page = visitor.send(form)
    while state_of(page) == "confirming":
        if time.perf_counter() - began > PATIENCE:
            break
        page = visitor.get("/manage")
    took = time.perf_counter() - began
    visitor.close()
    if state_of(page) != "confirmed":
        raise WrongAnswer(f"a booking ended in «{state_of(page)}» ({page.status}), not in «confirmed»")
    return took


def _confirmed(demo_coach: Instance) -> int:
    with demo_coach.opened() as services, services.store.read() as tx:
        now = int(datetime.now(UTC).timestamp())
        return sum(each.state == "confirmed" for each in tx.bookings.live(demo.SLUG, now))
