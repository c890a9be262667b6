"""What every process of the site does first: what it makes is for nobody else, and no crash writes its memory down."""

import os
import resource
import sys

TURN = 0.0005
"""Seconds that a thread may work while another wants to; Python's own choice is ten times that."""


def close_down() -> None:
    """New files are for their owner only; no core file is written, for it would hold forms and keys."""
    os.umask(os.umask(0o077) | 0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def share_turns() -> None:
    """Let no thread wait long for the interpreter: the one that holds the writers' line asks for it at each statement.

    Else whoever only draws a page keeps a booking, and all bookings behind it, waiting for five milliseconds each time.
    """
    sys.setswitchinterval(TURN)
