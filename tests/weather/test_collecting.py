"""What a process began with is not gone through again to find what nobody holds; what comes later is."""

import os
import subprocess
import sys

from tests.conftest import ROOT
from tests.conftest import House
from tests.postgres import database_of

BEGUN = """
import gc
import weakref
from microsite import serving
from microsite.process import spare_what_stays

class Knot:
    def __init__(self):
        self.itself = self

def knot():
    return weakref.ref(Knot())

early = knot()
{begin}
late = knot()
gc.collect()
print(early() is None, late() is None, gc.get_freeze_count() > 10_000)
"""


def began(begin: str) -> list[str]:
    """Whether a knot from before was untied, whether one from after is, and whether what stays is spared."""
    command = [sys.executable, "-c", BEGUN.format(begin=begin)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_what_a_process_began_with_is_spared_and_what_nobody_holds_is_not() -> None:
    assert began("spare_what_stays()") == ["True", "True", "True"]


def test_without_that_all_of_it_is_gone_through() -> None:
    """If this fails, the interpreter has learned better, and `spare_what_stays` may go."""
    assert began("") == ["True", "True", "False"]


def test_a_site_that_is_up_spares_what_it_began_with(house: House) -> None:
    up = "import gc; from microsite import serving; serving.app(); print(gc.get_freeze_count() > 10_000)"
    instance = house.services.config.instance
    environ = {**os.environ, "MICROSITE_INSTANCE": str(instance), **database_of(instance)}
    command = [sys.executable, "-c", up]
    said = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True, timeout=120)
    assert said.stdout.split()[-1] == "True"
