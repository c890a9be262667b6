"""Another site beside ours: asked only on this machine, timed only where its answer is right."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest

from bench.figures import TINY
from bench.figures import WrongAnswer
from bench.peers.__main__ import beside
from bench.peers.__main__ import main

FREE = "free at 10:00"


class Peer(BaseHTTPRequestHandler):
    """The smallest of booking sites: it has one free time, for whoever brings a key."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say what is free."""
        body = FREE.encode() if self.headers["X-Key"] == "open" else b"closed"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(name="peer")
def _peer() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Peer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_peer_is_timed_in_turn_with_ours_for_each_number_of_connections(peer: str) -> None:
    outcome = beside("least", peer, {"X-Key": "open"}, FREE, [1, 2], TINY)
    found = {figure.name: figure for figure in outcome.figures}
    assert {"peers.ours_to_least_1", "peers.ours_to_least_2", "peers.least_1_p99_ms", "peers.ours_2_p50_ms"} <= set(
        found
    )
    assert found["peers.ours_to_least_1"].rounds >= 1


def test_a_peer_whose_answer_is_not_the_right_one_is_not_timed(peer: str) -> None:
    with pytest.raises(WrongAnswer, match="without «free at 10:00»"):
        beside("least", peer, {}, FREE, [1], TINY)


def test_only_this_machine_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["far", "http://192.0.2.1/"]) == 2
    assert "the network would be measured" in capsys.readouterr().out
