"""What processes use, read from /proc: memory, CPU time, open files, of one process or of it and all its children."""

import os
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all that came from it, those that ended left out."""
    found, asked = [], [pid]
    while asked:
        one = asked.pop()
        if _alive(one):
            found.append(one)
            asked += _children(one)
    return found


def memory_mb(pid: int) -> float:
    """Its proportional share of memory (PSS) in MB: what is shared counts once over all who share it."""
    return _megabytes(pid, "smaps_rollup", "Pss:")


def resident_mb(pid: int) -> float:
    """Its resident memory (RSS) in MB, what it shares with others included."""
    return _megabytes(pid, "status", "VmRSS:")


def family_memory_mb(pid: int) -> float:
    """The memory (PSS) of a process and its children."""
    return sum(memory_mb(one) for one in family(pid))


def family_own_memory_mb(pid: int) -> float:
    """What a process and its children hold for themselves: all but pages of programs, libraries and other files.

    How much of those counts for one changes with whoever else runs the same ones, by 8 MB beside another site.
    """
    return sum(_megabytes(one, "smaps_rollup", "Pss_Anon:", "Pss_Shmem:") for one in family(pid))


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its children so far, those that ended and were waited for included."""
    return sum(_ticks(one) for one in family(pid)) / TICKS


def open_files(pid: int) -> int:
    """How many file handles a process and its children hold."""
    return sum(len(_names(PROC / str(one) / "fd")) for one in family(pid))


def _alive(pid: int) -> bool:
    return "State:" in (said := _read(PROC / str(pid) / "status")) and "State:\tZ" not in said


def _children(pid: int) -> list[int]:
    task = PROC / str(pid) / "task"
    return [int(child) for thread in _names(task) for child in _read(task / thread / "children").split()]


def _ticks(pid: int) -> int:
    # The name of the program, in brackets, may hold anything; what follows the last bracket may not.
    fields = _read(PROC / str(pid) / "stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def _megabytes(pid: int, file: str, *names: str) -> float:
    lines = _read(PROC / str(pid) / file).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(names)) / 1024


def _read(path: Path) -> str:
    """A file of /proc; nothing where the process or thread has ended meanwhile."""
    try:
        return path.read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _names(path: Path) -> list[str]:
    try:
        return os.listdir(path)
    except (FileNotFoundError, ProcessLookupError):
        return []
