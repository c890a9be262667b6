"""Threads that come and go leave no heaps of their own behind: what one gave back, any other takes again."""

import itertools
import re
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.processes import family
from tests.conftest import ROOT
from tests.conftest import Site

HEAP = 64 * 1024 * 1024
"""glibc reserves so many bytes for a thread's heap, at a multiple of as many, and opens as many of them as are used."""
REGION = re.compile(r"(?m)^([0-9a-f]+)-([0-9a-f]+) (....) 0+ 00:00 0\s*$")
ALLOCATES = """
import threading
from microsite.process import share_heap
{first}
at_once = threading.Barrier(4)
def work():
    kept = [bytearray(2000) for _ in range(500)]
    at_once.wait(90)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(open("/proc/self/maps").read())
"""


def heaps_of_threads(maps: str) -> int:
    """How many there are in a process, by its map of memory."""
    regions = [(int(start, 16), int(end, 16), mode) for start, end, mode in REGION.findall(maps)]
    return sum(
        mode == "rw-p" and closed == "---p" and start % HEAP == 0 and end == begins and ends == start + HEAP
        for (start, end, mode), (begins, ends, closed) in itertools.pairwise(regions)
    )


def allocated(first: str) -> int:
    """How many such heaps four threads at work leave."""
    words = [sys.executable, "-c", ALLOCATES.format(first=first)]
    return heaps_of_threads(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def test_threads_share_one_heap() -> None:
    assert allocated("share_heap()") == 0


def test_without_asking_each_has_its_own() -> None:
    """If this fails, the C library has learned better, and `share_heap` may go."""
    assert allocated("") >= 2


def test_a_site_that_is_looked_at_by_many_has_one_heap(site: Site) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: urllib.request.urlopen(f"{site.base}/").status, range(40)))
    assert answers == [200] * 40
    assert site.process is not None
    found = {pid: heaps_of_threads(Path(f"/proc/{pid}/maps").read_text()) for pid in family(site.process.pid)}
    assert len(found) >= 2 and set(found.values()) == {0}
