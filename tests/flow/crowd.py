"""A crowd: many visitors in several processes, who all press the button at the same moment."""

import multiprocessing
import threading
from typing import Any
from typing import NamedTuple

from tests.flow.visitor import Visitor
from tests.flow.visitor import wait_like_a_person

PROCESSES, THREADS = 4, 8
PATIENCE = 120.0


class Outcome(NamedTuple):
    """What one visitor got: the status, the page, what it still held of her text, and other times to choose from."""

    number: int
    status: int
    state: str
    kept: dict[str, str]
    fresh: list[str]
    cookies: dict[str, str]
    own_page: str


def crowd(base: str, numbers: range, wishes: list[tuple[str, str]], gate: Any, outcomes: Any) -> None:
    """One process full of visitors: each opens her form, waits at the gate, and sends it with all the others."""
    threads = [
        threading.Thread(target=_visit, args=(base, n, wishes[n % len(wishes)], gate, outcomes)) for n in numbers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)


def _visit(base: str, number: int, wish: tuple[str, str], gate: Any, outcomes: Any) -> None:
    visitor = Visitor(base)
    form = visitor.form(*wish)
    wait_like_a_person(form.seen_at)
    gate.wait(PATIENCE)
    page = visitor.send_at_once(form, **typed(number))
    kept = page.post_form().fields if page.status == 409 else {}
    fresh = [choice["data-slot"] for choice in page.post_form().choices] if page.status == 409 else []
    if page.status == 303:
        visitor.own_page = visitor.follow(page).url
    outcomes.put(Outcome(number, page.status, page.state, kept, fresh, visitor.cookies, visitor.own_page))


def typed(number: int) -> dict[str, str]:
    """What the visitor of that number writes."""
    return {"name": f"Tamu {number}", "email": f"tamu-{number}@example.com", "note": f"catatan {number}"}


def all_at_once(base: str, wishes: list[tuple[str, str]]) -> list[Outcome]:
    """Let everybody wish for one of these (offer, slot) at the same moment; what each got."""
    context = multiprocessing.get_context("spawn")
    gate, outcomes = context.Barrier(PROCESSES * THREADS), context.Queue()
    groups = [range(first, PROCESSES * THREADS, PROCESSES) for first in range(PROCESSES)]
    running = [context.Process(target=crowd, args=(base, each, wishes, gate, outcomes)) for each in groups]
    for process in running:
        process.start()
    found = [outcomes.get(timeout=PATIENCE) for _ in range(PROCESSES * THREADS)]
    for process in running:
        process.join(PATIENCE)
        assert process.exitcode == 0
    outcomes.close()
    outcomes.join_thread()
    return found
