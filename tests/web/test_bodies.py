"""Whoever sends slowly, or not at all, keeps nobody else from being served."""

import os
import socket
import threading
import urllib.request
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from microsite.cli.serve import BLOCKING_THREADS
from microsite.web import bodies
from microsite.web.bodies import Bodies
from tests.conftest import Site
from tests.flow.visitor import Visitor
from tests.waiting import wait_until

HEAD = (
    b"POST /sari/sesi/book HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 1000\r\n\r\nname="
)


def echo(environ: Any, start_response: Callable[..., object]) -> list[bytes]:
    """Says what it was sent."""
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def ask(app: Bodies, source: Any, **environ: str) -> tuple[str, bytes]:
    """One request."""
    said: list[str] = []
    body = app({"wsgi.input": source, **environ}, lambda status, headers, *_: said.append(status))  # type: ignore[arg-type]
    return said[0], b"".join(body)


def test_a_body_is_handed_on_whole() -> None:
    app = Bodies(echo)
    assert ask(app, BytesIO(b"abcdef"), CONTENT_LENGTH="6") == ("200 OK", b"abcdef")
    assert ask(app, BytesIO(b"abcdef"), HTTP_TRANSFER_ENCODING="chunked") == ("200 OK", b"abcdef")


@pytest.mark.parametrize("length", [str(bodies.LARGEST + 1), "9" * 5000, "-1", "x", ""])
def test_a_body_of_an_impossible_length_is_left_to_the_rooms_behind(length: str) -> None:
    class Untouched(BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("read too early")

    def refuse(environ: Any, start_response: Callable[..., object]) -> list[bytes]:
        start_response("413 Content Too Large", [])
        return []

    assert ask(Bodies(refuse), Untouched(), CONTENT_LENGTH=length)[0].startswith("413")


def test_only_so_many_bodies_are_waited_for_and_those_who_only_look_are_served() -> None:
    app = Bodies(echo, working=1, waiting=2)
    pipes = [os.pipe() for _ in range(2)]
    answers: list[tuple[str, bytes]] = []

    def send_late(end: int) -> None:
        with os.fdopen(end, "rb") as source:
            answers.append(ask(app, source, CONTENT_LENGTH="3"))

    waiting = [threading.Thread(target=send_late, args=(end,)) for end, _ in pipes]
    for each in waiting:
        each.start()
    wait_until(lambda: app._places._value == 0, what="two that wait")
    assert ask(app, BytesIO(b"abc"), CONTENT_LENGTH="3")[0].startswith("503")
    assert ask(app, BytesIO()) == ("200 OK", b"")
    for _, end in pipes:
        os.write(end, b"abc")
        os.close(end)
    for each in waiting:
        each.join(60)
    assert answers == [("200 OK", b"abc")] * 2
    assert ask(app, BytesIO(b"abc"), CONTENT_LENGTH="3") == ("200 OK", b"abc")


def test_the_server_has_a_thread_for_everybody_who_may_wait_and_for_everybody_who_may_work() -> None:
    assert BLOCKING_THREADS == bodies.WORKING + bodies.WAITING


def test_a_dozen_senders_that_say_nothing_stop_neither_a_look_nor_a_booking(fresh_site: Site) -> None:
    """Four of them once were enough to stop the whole site, for as long as they liked."""
    silent = [socket.create_connection(("127.0.0.1", fresh_site.port)) for _ in range(bodies.WAITING - 1)]
    for each in silent:
        each.sendall(HEAD)
    for _ in range(3):
        with urllib.request.urlopen(f"{fresh_site.base}/sari/", timeout=60) as answer:
            assert answer.status == 200
    visitor = Visitor(fresh_site.base)
    answer = visitor.post("/sari/sesi/book", {"slot": "20200106T030000Z", "name": "Budi"})
    assert answer.status == 409
    more = [socket.create_connection(("127.0.0.1", fresh_site.port)) for _ in range(8)]
    for each in more:
        each.sendall(HEAD)
    assert visitor.get("/sari/").status == 200
    for each in silent + more:
        each.close()
    wait_until(lambda: visitor.post("/sari/sesi/book", {"slot": "x"}).status == 404, what="places that are free again")
