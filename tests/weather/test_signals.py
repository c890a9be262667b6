"""A process that is told to end hears it, whichever of its threads the system hands the signal to."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.waiting import wait_until

ENDS = """
import signal, sys, threading
from microsite.process import hear_signals
done, other = threading.Event(), threading.Event()
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell began the tests in the background
{hears}
signal.signal(signal.SIGTERM, lambda *_: done.set())
threading.Thread(target=other.wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # so another thread is handed it
print("ready", flush=True)
done.wait()
"""


def asleep(pid: int) -> bool:
    """Whether each of its threads waits for something."""
    stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return {text.rpartition(")")[2].split()[0] for text in stats} == {"S"}


def ends(hears: str, seconds: float) -> bool:
    """Whether such a process ends within that time after it was told to."""
    words = [sys.executable, "-c", ENDS.format(hears=hears)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        wait_until(lambda: asleep(process.pid) and asleep(process.pid), what="a process that sleeps")
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return False
        return process.returncode == 0


def test_a_signal_that_another_thread_was_handed_ends_the_process() -> None:
    assert ends("hear_signals()", 60)


def test_python_alone_would_sleep_on() -> None:
    """If this fails, Python has learned to wake its main thread, and `hear_signals` may go."""
    assert not ends("", 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_wakes_does_nothing_else(number: signal.Signals) -> None:
    waking = "hear_signals()\nfrom microsite.process import WAKE\nsignal.raise_signal(WAKE)"
    with subprocess.Popen(
        [sys.executable, "-c", ENDS.format(hears=waking)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(60) == (0 if number == signal.SIGTERM else -signal.SIGINT)
