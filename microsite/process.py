"""What every process of the site does first: what it makes is for nobody else, and no crash writes its memory down."""

import os
import resource


def close_down() -> None:
    """New files are for their owner only; no core file is written, for it would hold forms and keys."""
    os.umask(os.umask(0o077) | 0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
