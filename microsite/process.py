"""What every process of the site does first: what it makes is for nobody else, and no crash writes its memory down.

And what those do that stay: their threads share one heap, and the interpreter in short turns; they seldom go through
all they hold; they hear at once that they are to end.
"""

import ctypes
import gc
import os
import resource
import signal
import sys
import threading

TURN = 0.0005
"""Seconds that a thread may work while another wants to; Python's own choice is ten times that."""
YOUNG, MIDDLING, OLD = 700, 10, 50
"""Python's own thresholds for its collector, but for the last, which is ten there (gc.set_threshold)."""
ARENA_MAX = -8
"""M_ARENA_MAX of glibc's mallopt(3)."""
WAKE = signal.SIGUSR2
"""Only wakes the main thread."""


def close_down() -> None:
    """New files are for their owner only; no core file is written, for it would hold forms and keys."""
    os.umask(os.umask(0o077) | 0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def share_turns() -> None:
    """Let no thread wait long for the interpreter: the one that holds the writers' line asks for it at each statement.

    Else whoever only draws a page keeps a booking, and all bookings behind it, waiting for five milliseconds each time.
    """
    sys.setswitchinterval(TURN)


def spare_what_stays() -> None:
    """All that has been made until now stays: never go through it again to find what nobody holds any more.

    Else one booking of thirty waits while the interpreter looks at every object there is: 20 to 60 ms, for all threads.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLING, OLD)


def share_heap() -> None:
    """Let all threads allocate from one heap. Before the first other thread is there: the first one settles it.

    glibc gives threads heaps of their own, up to eight a core. Whatever a thread needs for a moment (a page's
    compression, a statement's pages) leaves holes in that thread's heap alone, which no other may fill: in ten minutes
    of load 9 MB of holes became 40, over the same 30 MB in use. Only one thread runs Python at a time, so a heap for
    each saves no waiting. Another C library has no such heaps, or no name for them: there, nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(ARENA_MAX, 1)


def hear_signals() -> None:
    """Have signals handled at once, whichever thread the system hands them to. From the main thread.

    Python handles them in the main thread, and that one, asleep in a lock, does not notice what another was handed. A
    server under load then went on until it was killed, in the midst of its answers. So every signal rings a bell, and
    whoever listens to it wakes the main thread. A bell that a forked child rings as well does no harm.
    """
    heard, rung = os.pipe()
    os.set_blocking(rung, False)
    signal.signal(WAKE, lambda _number, _frame: None)
    signal.set_wakeup_fd(rung, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(heard, threading.get_ident()), name="bell", daemon=True).start()


def _listen(heard: int, main: int) -> None:
    while number := os.read(heard, 1):
        if number[0] != WAKE:
            signal.pthread_kill(main, WAKE)
