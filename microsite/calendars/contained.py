"""The bounded child: does calendar operations one after the other, under hard limits, and dies with its parent.

Started by `bounded` as `python -m microsite.calendars.contained`. Calls come on standard input, with their passwords;
nothing of them is in the arguments or the environment. Standard input closing means that the parent is gone.
"""

import gc
import os
import queue
import sys
import threading
from typing import BinaryIO

import msgspec

from microsite.calendars import calls
from microsite.calendars.local import Local
from microsite.errors import CalendarError


def main() -> None:
    """Answer calls until the parent closes the pipe."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    first = _frame(source)
    if first is None:
        return
    hello = msgspec.msgpack.decode(first, type=calls.Hello)
    local = Local(allowed=hello.allowed)
    _import_all()
    _limit(hello.memory)
    sink.write(calls.frame(True))
    sink.flush()
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(source, waiting), daemon=True).start()
    decoder = msgspec.msgpack.Decoder(calls.Call)
    while True:
        try:
            answer = _answer(local, decoder.decode(waiting.get()))
        except MemoryError:
            os._exit(3)  # nothing in here can be relied upon any more; the parent starts another
        sink.write(answer)
        sink.flush()
        gc.collect()


def _answer(local: Local, call: calls.Call) -> bytes:
    method = getattr(local, str(call.__struct_config__.tag))
    fields = {name: getattr(call, name) for name in call.__struct_fields__}
    try:
        value = msgspec.msgpack.encode(method(**fields))
    except CalendarError as e:
        return calls.frame(calls.Failed.of(e))
    return calls.frame(calls.Done(msgspec.Raw(value)))


def _listen(source: BinaryIO, waiting: "queue.SimpleQueue[bytes]") -> None:
    """Hand calls on; leave at once, even in the middle of one, when the parent is gone."""
    while (body := _frame(source)) is not None:
        waiting.put(body)
    os._exit(0)


def _frame(source: BinaryIO) -> bytes | None:
    head = source.read(calls.HEAD.size)
    if len(head) < calls.HEAD.size:
        return None
    (length,) = calls.HEAD.unpack(head)
    body = source.read(length)
    return body if len(body) == length else None


def _import_all() -> None:
    """Load what the operations load when first used, before memory is counted and before the first call waits."""
    import microsite.calendars.discovery
    import microsite.calendars.expand
    import microsite.calendars.sync  # noqa: F401


def _limit(memory: int) -> None:
    if sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold passwords


if __name__ == "__main__":
    main()
