"""Pictures that a coach uploads, developed in a child process with bounded memory and time: hostile files hurt nobody.

The child (`developing`) is started for one picture and ends with it: this process never loads an image library. What
comes back are pixels encoded anew; nothing else of the file is kept.
"""

import logging
import subprocess
import sys

import msgspec

from microsite.core.portraits import MOST_BYTES
from microsite.core.portraits import Portrait
from microsite.errors import PictureRefused

MEMORY = 768 * 1024 * 1024
SECONDS = 30.0
log = logging.getLogger(__name__)


class Pictures:
    """The darkroom. `memory` is what a child may use, in bytes; `seconds` how long it may take."""

    def __init__(self, memory: int = MEMORY, seconds: float = SECONDS) -> None:
        self._memory, self._seconds = memory, seconds

    def portrait(self, upload: bytes) -> Portrait:
        """A portrait made of an uploaded file; raises PictureRefused, whose `reason` says why."""
        if len(upload) > MOST_BYTES:
            raise PictureRefused("large")
        command = [sys.executable, "-m", "microsite.pictures.developing", str(self._memory)]
        try:
            ran = subprocess.run(  # noqa: S603 - our own module, and no word of the file is in the arguments
                command, input=upload, capture_output=True, timeout=self._seconds, check=False
            )
        except subprocess.TimeoutExpired:
            log.warning("an uploaded picture took too long and was dropped")
            raise PictureRefused("unreadable") from None
        if ran.returncode:
            log.warning("an uploaded picture broke its limits and was dropped")
            raise PictureRefused("unreadable")
        answer = msgspec.msgpack.decode(ran.stdout, type=Portrait | str)
        if isinstance(answer, str):
            raise PictureRefused(answer)
        return answer
