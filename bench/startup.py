"""Starting and being there: CPU time to start, memory, what is loaded, and what an idle site costs."""

import json
import subprocess
import sys
import threading
import time
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

from .expected import PATH
from .figures import Outcome
from .figures import Size
from .figures import WrongAnswer
from .figures import of_rounds
from .figures import single
from .machine import ROOT
from .processes import cpu_seconds
from .processes import family_memory_mb
from .rounds import Round
from .rounds import interleaved
from .site import Server
from .site import instance
from .site import serving

FORBIDDEN = ("caldav", "niquests", "radicale", "lxml", "psycopg", "procrastinate", "icalendar", "recurring_ical_events")
"""What a web process without the embedded calendar has no use for."""
LOOKS = 50
WEB = """
import sys, time, json, resource
from pathlib import Path
from microsite import create_app
from microsite.config import Calendars, Config, File
config = Config(Path(sys.argv[1]), File(calendars=Calendars(embedded=False)), {}, 8000, True)
app = create_app(config)
started = time.process_time()
client = app.test_client()
statuses = [client.get(path).status_code for path in ("/sari/", sys.argv[2], sys.argv[2], "/healthz")]
from bench.processes import resident_mb
import os
loaded = sorted(name for name in sys.modules if name in sys.argv[3].split(","))
print(json.dumps({"cpu": started, "mb": resident_mb(os.getpid()), "statuses": statuses, "loaded": loaded}))
"""


def measure(size: Size) -> Outcome:
    """The part."""
    with instance() as demo_coach:
        first = web_process(demo_coach.folder)
        if first["statuses"] != [200] * len(first["statuses"]):
            raise WrongAnswer(f"a web process answered {first['statuses']}")
        memory: list[float] = []
        cases = {"web": partial(_cpu, demo_coach.folder, memory)}
        rounds: list[Round] = interleaved(cases, size.rounds)
        with serving(demo_coach.folder) as server:
            _look_about(server)
            in_use = family_memory_mb(server.pid)
            idle = _idle(server, size.of(2, 10, 60))
    return Outcome(
        [
            of_rounds("startup.web_cpu_seconds", [each["web"] for each in rounds], "s", "cpu"),
            of_rounds("startup.web_memory_mb", memory, "MB", "memory"),
            single("startup.web_forbidden_modules", len(first["loaded"]), "", "count"),
            single("startup.whole_site_memory_mb", in_use, "MB", "memory"),
            single("startup.idle_cpu_percent", idle, "%", "cpu"),
        ],
        [f"loaded though not needed: {', '.join(first['loaded'])}"] if first["loaded"] else [],
    )


def web_process(instance_folder: Path) -> dict[str, Any]:
    """Start a web process on an instance, have it show some pages, and say what that took."""
    words = [sys.executable, "-c", WEB, str(instance_folder), PATH, ",".join(FORBIDDEN)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _cpu(folder: Path, memory: list[float]) -> float:
    found = web_process(folder)
    memory.append(found["mb"])
    return float(found["cpu"])


def _look_about(server: Server) -> None:
    """Use every thread and every page once or more, so that what is loaded late is there."""
    for number in range(LOOKS):
        with urllib.request.urlopen(f"{server.base}{PATH if number % 2 else '/sari/'}", timeout=30) as answer:
            answer.read()


def _idle(server: Server, seconds: float) -> float:
    """CPU time of the whole site in percent of one core while nobody asks for anything."""
    threading.Event().wait(min(3, seconds))
    began, at = cpu_seconds(server.pid), time.perf_counter()
    threading.Event().wait(seconds)
    return 100 * (cpu_seconds(server.pid) - began) / (time.perf_counter() - at)
