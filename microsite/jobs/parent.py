"""A worker process must not outlive the command that started it: a second site would be left on the port."""

import os
import signal
import threading

LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 10.0


def follow_parent() -> None:
    """End this process (SIGTERM, then at once) when its parent is gone."""
    parent = os.getppid()
    pause = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            pause.wait(LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        pause.wait(PATIENCE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
