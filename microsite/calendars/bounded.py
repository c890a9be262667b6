"""Speaks to calendar servers through child processes with bounded memory and time: a hostile reply hurts nobody.

Owns the children: starting, timing, killing, ending. What they do is `local`'s; what is said to them is `calls`'.
A child serves one call at a time and is used again; it dies with this process, because its standard input closes.
"""

import logging
import os
import select
import subprocess
import sys
import threading
import time
from typing import Any

import msgspec

from microsite.calendars import calls
from microsite.core.mirror import Account
from microsite.core.mirror import Fetched
from microsite.core.mirror import Found
from microsite.core.mirror import Known
from microsite.core.mirror import OAuthApp
from microsite.core.mirror import Pulled
from microsite.core.mirror import ReadingRules
from microsite.core.mirror import SignIn
from microsite.core.mirror import Tokens
from microsite.core.mirror import Written
from microsite.errors import CalendarUnreachable
from microsite.errors import CalendarUnsafe

MEMORY = 512 * 1024 * 1024
MAX_CHILDREN = 4
GRACE = 1.0
"""Seconds after its deadline that a call may take to end by itself before its child is killed."""

START_SECONDS = 30.0
CALLS_PER_CHILD = 500
_log = logging.getLogger(__name__)


class _Lost(Exception):
    """The child ended (memory) or had to be killed (time) before it answered; `late` tells which."""

    def __init__(self, late: bool) -> None:
        self.late = late
        super().__init__()


class Bounded:
    """Every operation of `Calendars`, done by children. Safe to share between threads."""

    def __init__(self, allowed: frozenset[str], memory: int = MEMORY) -> None:
        self._hello = calls.Hello(allowed, memory)
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_CHILDREN)
        self._closed = False

    def pull(self, account: Account, known: Known, rules: ReadingRules, now: int, deadline_seconds: float) -> Pulled:
        """See `Calendars.pull`."""
        pulled: Pulled = self._ask(calls.Pull(account, known, rules, now, deadline_seconds))
        return pulled

    def create(self, account: Account, uid: str, ics: bytes, deadline_seconds: float) -> Written:
        """See `Calendars.create`."""
        written: Written = self._ask(calls.Create(account, uid, ics, deadline_seconds))
        return written

    def read(self, account: Account, href: str, deadline_seconds: float) -> Fetched | None:
        """See `Calendars.read`."""
        fetched: Fetched | None = self._ask(calls.Read(account, href, deadline_seconds))
        return fetched

    def replace(self, account: Account, href: str, ics: bytes, etag: str, deadline_seconds: float) -> Written:
        """See `Calendars.replace`."""
        written: Written = self._ask(calls.Replace(account, href, ics, etag, deadline_seconds))
        return written

    def delete(self, account: Account, href: str, etag: str, deadline_seconds: float) -> bool:
        """See `Calendars.delete`."""
        return bool(self._ask(calls.Delete(account, href, etag, deadline_seconds)))

    def find(self, account: Account, uid: str, deadline_seconds: float) -> Fetched | None:
        """See `Calendars.find`."""
        fetched: Fetched | None = self._ask(calls.Find(account, uid, deadline_seconds))
        return fetched

    def check(self, account: Account, deadline_seconds: float) -> int | None:
        """See `Calendars.check`."""
        date: int | None = self._ask(calls.Check(account, deadline_seconds))
        return date

    def discover(
        self, start: str, username: str, password: str, deadline_seconds: float, bearer: str = ""
    ) -> list[Found]:
        """See `Calendars.discover`."""
        found: list[Found] = self._ask(calls.Discover(start, username, password, deadline_seconds, bearer))
        return found

    def exchange(self, app: OAuthApp, asked: SignIn, pasted: str, deadline_seconds: float) -> Tokens:
        """See `oauth.exchange`."""
        tokens: Tokens = self._ask(calls.Exchange(app, asked, pasted, deadline_seconds))
        return tokens

    def refresh(self, app: OAuthApp, token: str, deadline_seconds: float) -> Tokens:
        """See `oauth.refresh`."""
        tokens: Tokens = self._ask(calls.Refresh(app, token, deadline_seconds))
        return tokens

    def close(self) -> None:
        """End the children that wait; those at work end with their call."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _ask(self, call: calls.Call) -> Any:
        ends_at = time.monotonic() + call.deadline_seconds
        if not self._places.acquire(timeout=call.deadline_seconds):
            raise CalendarUnreachable("too many slow calendar servers are being waited for")
        call = msgspec.structs.replace(call, deadline_seconds=max(0.0, ends_at - time.monotonic()))
        try:
            answer = self._answer(call)
        except _Lost as e:
            _log.warning("a calendar child was lost", extra={"reason": "late" if e.late else "ended"})
            if e.late or isinstance(call, calls.WRITES):
                raise CalendarUnreachable("the calendar server was too slow and was cut off") from e
            raise CalendarUnsafe("the server's reply went beyond the limits and was dropped") from e
        finally:
            self._places.release()
        if isinstance(answer, calls.Failed):
            raise answer.error()
        return msgspec.msgpack.decode(answer.value, type=calls.RESULTS[type(call)])

    def _answer(self, call: calls.Call) -> calls.Done | calls.Failed:
        child = self._take()
        used = child.served > 1
        try:
            body = child.ask(calls.frame(call), call.deadline_seconds + GRACE)
        except _Lost as e:
            child.end()
            if e.late or not used or isinstance(call, calls.WRITES):
                raise
            return self._answer(call)  # it may have died while it waited; a new one tells
        self._give_back(child)
        return msgspec.msgpack.decode(body, type=calls.Done | calls.Failed)

    def _take(self) -> "_Child":
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.is_alive():
                    return child
                child.end()
        return _Child(self._hello)

    def _give_back(self, child: "_Child") -> None:
        """Keep one child waiting; a second one was for a rush."""
        with self._lock:
            if not self._closed and not self._idle and child.served < CALLS_PER_CHILD:
                self._idle.append(child)
                return
        child.end()


class _Child:
    """One child process and the two pipes to it."""

    def __init__(self, hello: calls.Hello) -> None:
        self.served = 0
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-m", "microsite.calendars.contained"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # None of this process's environment: it may hold secrets. One arena: address space is what is bounded.
            env={"PYTHONPATH": path, "MALLOC_ARENA_MAX": "1"},
            cwd="/",
        )
        try:
            self.ask(calls.frame(hello), START_SECONDS)
        except _Lost:
            self.end()
            raise

    def is_alive(self) -> bool:
        """Has it not ended while it waited?"""
        return self._process.poll() is None

    def ask(self, message: bytes, seconds: float) -> bytes:
        """Send one frame and wait for one, at most so many seconds."""
        ends_at = time.monotonic() + seconds
        self.served += 1
        assert self._process.stdin is not None  # noqa: S101 for the type checker: both are pipes
        try:
            self._process.stdin.write(message)
            self._process.stdin.flush()
        except OSError as e:
            raise _Lost(late=False) from e
        (length,) = calls.HEAD.unpack(self._receive(calls.HEAD.size, ends_at))
        if length > calls.MAX_FRAME:
            raise _Lost(late=False)
        return self._receive(length, ends_at)

    def _receive(self, size: int, ends_at: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101
        pipe = self._process.stdout.fileno()
        parts = bytearray()
        while len(parts) < size:
            left = ends_at - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise _Lost(late=True)
            part = os.read(pipe, min(size - len(parts), 1 << 16))
            if not part:
                raise _Lost(late=False)
            parts += part
        return bytes(parts)

    def end(self) -> None:
        """Kill it and leave nothing behind."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # what was still in the pipe has no reader any more
        self._process.wait()
