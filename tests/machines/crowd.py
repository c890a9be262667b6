"""Visitors of several web processes, through the tiniest of load balancers, and what each of them was answered."""

import http.client
import itertools
import random
import re
import threading
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from tests.flow.visitor import Page
from tests.flow.visitor import Visitor

BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)
PATIENCE = 120.0


class InFlight(Exception):
    """The process was killed while it had a POST: nobody knows whether it was done, and nobody sends it again."""


class Balanced(Visitor):
    """A browser behind a balancer: the next process for each request, and another one where that does not answer.

    A GET that broke off is asked again elsewhere. A POST is sent to another process only where it never arrived.
    """

    def __init__(self, bases: list[str], trouble: list[str]) -> None:
        super().__init__(bases[0])
        self._bases, self._trouble = itertools.cycle(bases), trouble
        for _ in range(random.randrange(len(bases))):
            next(self._bases)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Page:
        """One exchange."""
        path = re.sub(r"^https?://[^/]+", "", path)
        deadline = time.monotonic() + PATIENCE
        while True:
            self.base = next(self._bases)
            try:
                page = super().ask(method, path, body, headers)
            except BROKEN as error:
                refused = isinstance(getattr(error, "reason", error), ConnectionRefusedError)
                if method != "GET" and not refused:
                    raise InFlight from error
                assert time.monotonic() < deadline, f"no process answers: {error!r}"
                threading.Event().wait(0.05)
                continue
            if page.status >= 500:
                self._trouble.append(f"{method} {path.partition('?')[0]} {page.status}")
            return page


@dataclass
class Client:
    """What one visitor did, as far as she was told. `link` opens her page, for ever; empty where none was given."""

    email: str
    coach: str
    link: str = ""
    slot: str = ""
    moved: int = 0
    cancelled: bool = False
    unsure: list[str] = field(default_factory=list)
    """The deeds whose answer never came: book, move, cancel."""


class Crowd:
    """So many visitors who come again and again until the time is up."""

    def __init__(self, bases: list[str], coaches: tuple[str, ...], seed: int) -> None:
        self._bases, self._coaches, self._seed = bases, coaches, seed
        self.clients: list[Client] = []
        self.trouble: list[str] = []
        self.errors: list[Exception] = []
        self.looks = 0
        self._numbers = itertools.count(1)
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def come(self, number: int) -> None:
        """They come."""
        for at in range(number):
            thread = threading.Thread(target=self._again_and_again, args=(random.Random(self._seed + at),))
            self._threads.append(thread)
            thread.start()

    def leave(self) -> None:
        """No new visit; whoever is here ends hers."""
        self._over.set()
        for thread in self._threads:
            thread.join(180)
            assert not thread.is_alive(), "a visitor never came to an end"
        if self.errors:
            raise self.errors[0]

    def _again_and_again(self, chance: random.Random) -> None:
        try:
            while not self._over.is_set():
                self._visit(chance)
        except Exception as error:  # noqa: BLE001 - raised again where the threads are joined
            self.errors.append(error)

    def _visit(self, chance: random.Random) -> None:
        visitor = Balanced(self._bases, self.trouble)
        number = next(self._numbers)
        client = Client(f"tamu-{number}@client.example", chance.choice(self._coaches))
        offer = f"/{client.coach}/sesi/"
        slots = self._look(visitor, offer, chance)
        if not slots:
            return
        client.slot = chance.choice(slots[:6])  # many want the same
        form = visitor.get(f"{offer}book", slot=client.slot)
        if form.status == 409:
            return
        self.clients.append(client)
        try:
            answer = visitor.send(form, name=f"Tamu {number}", email=client.email, note="halo")
        except InFlight:
            client.unsure.append("book")
            return
        if answer.status == 409:
            self.clients.remove(client)
            return
        assert answer.status == 303, f"{answer.status} {answer.state} {answer.text[:2000]}"
        client.link = answer.location
        page = visitor.arrive(answer)
        deed: Callable[[Visitor, Client, random.Random], None] = chance.choice(
            [self._nothing, self._nothing, self._move, self._move, self._cancel]
        )
        if page.state == "confirming" and not self._confirmed(visitor):
            return  # a worker was killed with it: the end will show
        deed(visitor, client, chance)

    def _look(self, visitor: Visitor, offer: str, chance: random.Random) -> list[str]:
        slots: list[str] = []
        for _ in range(chance.randint(1, 4)):
            day = datetime.now(UTC) + timedelta(days=chance.randint(2, 20))
            slots = visitor.get(offer, day=f"{day:%Y-%m-%d}").slots
            self.looks += 1
        return slots

    def _confirmed(self, visitor: Visitor) -> bool:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            if visitor.get(visitor.own_page).state == "confirmed":
                return True
            threading.Event().wait(0.2)
        return False

    def _nothing(self, visitor: Visitor, client: Client, chance: random.Random) -> None:
        visitor.get(visitor.own_page)

    def _move(self, visitor: Visitor, client: Client, chance: random.Random) -> None:
        day = datetime.now(UTC) + timedelta(days=chance.randint(2, 20))
        slots = visitor.get("/manage/move", day=f"{day:%Y-%m-%d}").slots
        if not slots:
            return
        slot = chance.choice(slots[:6])
        question = visitor.get("/manage/move", slot=slot)
        if question.status != 200 or question.state == "confirmed":
            return
        self._press(visitor, client, question, "move", lambda: setattr(client, "moved", client.moved + 1))

    def _cancel(self, visitor: Visitor, client: Client, chance: random.Random) -> None:
        page = visitor.get(visitor.own_page)
        self._press(visitor, client, page, "cancel", lambda: setattr(client, "cancelled", True))

    def _press(self, visitor: Visitor, client: Client, page: Page, what: str, done: Callable[[], None]) -> None:
        form = page.post_form(f"/manage/{what}")
        try:
            answer = visitor.post(form.action, form.fields)
        except InFlight:
            client.unsure.append(what)
            return
        if answer.status == 303:
            done()
        else:
            assert answer.status == 409, f"{what}: {answer.status} {answer.state}"
