"""What the conformance run asks: one calendar of one account, by several threads, and with replies tampered with."""

import threading
from collections.abc import Callable
from typing import Any

from microsite.calendars.client import Client
from microsite.calendars.wire import Reply
from microsite.calendars.wire import Wire
from microsite.core.mirror import Account
from microsite.errors import CalendarError

WRITERS = 8
Tamper = Callable[[Reply], Reply]


class Target:
    """One calendar of one account, and the means to speak to it from several threads."""

    def __init__(self, account: Account, allowed: frozenset[str]) -> None:
        self.account, self.allowed = account, allowed
        self.client = self.new_client()

    def new_client(self) -> Client:
        """A connection of its own, for a thread of its own."""
        client = Client(Wire(self.account, allowed=self.allowed))
        client.wire.start(60)
        return client

    def race(self, write: Callable[[Client, int], bool]) -> int:
        """How many of eight simultaneous writers were told that they had won."""
        ready, won = threading.Barrier(WRITERS), list[int]()

        def run(number: int) -> None:
            with self.new_client() as client:
                ready.wait()
                try:
                    if write(client, number):
                        won.append(number)
                except CalendarError:
                    pass  # a loser

        threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(won)


class Tampered(Wire):
    """A connection whose replies are changed on the way: what some servers do, any server can be asked with."""

    def __init__(self, target: Target, tamper: Tamper) -> None:
        super().__init__(target.account, allowed=target.allowed)
        self._tamper = tamper
        self.start(60)

    def send(self, *args: Any, **more: Any) -> Reply:
        """One exchange, and its reply as tampered with."""
        return self._tamper(super().send(*args, **more))


def etag_as(reply: Reply, before: str | None) -> Reply:
    """The reply with its ETag after `before`, or without one."""
    kept = {name: value for name, value in reply.headers.items() if name.lower() != "etag"}
    etag = reply.headers.get("ETag")
    return reply._replace(headers=kept if before is None or not etag else {**kept, "ETag": before + etag})
