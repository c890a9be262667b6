"""Installs what the tests need of the machine: a browser, libical, age, PostgreSQL and Redis.

By the system's package manager when it may; run before pytest by `make test`. What cannot be installed is said here
once; the tests that need it then fail, they are never skipped.
"""

import os
import shutil
import subprocess
import sys
from ctypes.util import find_library
from glob import glob

PACKAGES = {
    "chromium": lambda: bool(shutil.which("chromium") or shutil.which("chromium-browser") or _playwright_browser()),
    "libical3": lambda: bool(find_library("ical") or glob("/usr/lib/*/libical.so.3")),
    "age": lambda: bool(shutil.which("age")),
    "redis-server": lambda: bool(shutil.which("redis-server") or shutil.which("valkey-server")),
    "postgresql": lambda: bool(glob("/usr/lib/postgresql/*/bin/initdb") or shutil.which("initdb")),
}


def _playwright_browser() -> str:
    found = sorted(glob(os.path.expanduser("~/.cache/ms-playwright/chromium*/chrome-linux*/*chrome*")))
    return found[-1] if found else ""


def main() -> None:
    """Install what is missing."""
    missing = [name for name, there in PACKAGES.items() if not there()]
    if not missing:
        return
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([apt, "update", "-qq"], env=quiet, check=False, stdout=subprocess.DEVNULL)
        subprocess.run([apt, "install", "-y", "-qq", *missing], env=quiet, check=False, stdout=subprocess.DEVNULL)
    if not PACKAGES["chromium"]():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    for name, there in PACKAGES.items():
        if not there():
            print(f"The tests need «{name}»: install it with your package manager; until then some will fail.")


if __name__ == "__main__":
    main()
