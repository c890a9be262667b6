"""A disk that is full, fails under the running site, or can only be read: each said plainly, nothing lost, then on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Site
from tests.conftest import free_port
from tests.conftest import wait_until
from tests.flow.backstage import states
from tests.flow.visitor import TYPED
from tests.flow.visitor import Page
from tests.flow.visitor import Visitor
from tests.flow.visitor import slots_from
from tests.flow.visitor import wait_like_a_person

from .disk import Disk
from .disk import small_disk
from .operator import told

OFFER = "/sari/sesi/"


class OnDisk:
    """A site whose instance is on a disk of its own; its log is elsewhere."""

    def __init__(self, site: Site, disk: Disk) -> None:
        self.site, self.disk = site, disk
        self._read = 0

    def forms(self) -> dict[str, tuple[Visitor, Page]]:
        """A visitor for each language with a form open, for long enough."""
        slots = slots_from(Visitor(self.site.base), OFFER, 3)
        ready = {}
        for prefix, slot in (("", slots[0]), ("/en", slots[-1])):
            visitor = Visitor(self.site.base)
            ready[prefix] = visitor, visitor.form(f"{prefix}{OFFER}", slot)
        for _, page in ready.values():
            wait_like_a_person(page.seen_at)
        return ready

    def files(self) -> set[str]:
        """What is in the instance, letters and calendar objects left out."""
        names = {path.relative_to(self.site.instance).as_posix() for path in self.site.instance.rglob("*")}
        return {name for name in names if not name.startswith(("dav/", "mail/"))}

    def new_lines(self) -> str:
        """What the log says since it was last read."""
        text = self.site.stderr.read_text()
        new, self._read = text[self._read :], len(text)
        return new

    def health(self) -> dict[str, object]:
        """What the monitor reads."""
        page = Visitor(self.site.base).get("/healthz")
        assert page.status == 200
        return page.json()


@pytest.fixture(name="on_disk")
def _on_disk(tmp_path: Path) -> Iterator[OnDisk]:
    """Running, with one confirmed booking."""
    with small_disk(tmp_path / "disk") as disk:
        site = Site(disk.folder / "instance", free_port())
        site.stderr = tmp_path / "stderr"
        try:
            site.start()
            visitor = Visitor(site.base)
            visitor.book(OFFER, slots_from(visitor, OFFER, 5)[0])
            visitor.wait_for("confirmed")
            yield OnDisk(site, disk)
        finally:
            site.stop()


def refused(visitor: Visitor, form: Page, language: str) -> None:
    """The form comes back in her language, with everything she typed, and says that nothing was booked."""
    page = visitor.send_at_once(form)
    assert (page.status, page.state, page.lang) == (503, "form", language)
    assert {name: page.post_form().fields[name] for name in TYPED} == TYPED
    assert page.headers["Retry-After"]
    said = {"id": "Situs ini perlu menarik napas dulu", "en": "This site has to catch its breath"}
    assert said[language] in page.text


def test_a_full_disk_loses_nothing_typed_says_so_and_the_site_goes_on_by_itself(on_disk: OnDisk) -> None:
    forms, before = on_disk.forms(), on_disk.files()
    on_disk.new_lines()
    on_disk.disk.fill()

    for prefix, (visitor, form) in forms.items():
        refused(visitor, form, "en" if prefix else "id")
        assert visitor.get(f"{prefix}{OFFER}").status == 200, "looking goes on"
    assert "route=visitor.book file=" in on_disk.new_lines()
    wait_until(lambda: on_disk.health()["disk"] == "full", what="the monitor told")
    (line,) = told(on_disk.site, "doctor").wrong
    assert "the disk is full; make room" in line
    assert str(on_disk.site.instance) in line
    assert on_disk.files() <= before, "no half of a file is left"

    on_disk.disk.clear()

    for visitor, form in forms.values():
        visitor.arrive(visitor.send_at_once(form))
        visitor.wait_for("confirmed")
    wait_until(lambda: on_disk.health()["disk"] != "full", what="the monitor told")
    assert states(on_disk.site, "sari") == ["confirmed"] * 3

    on_disk.site.stop()
    on_disk.disk.fill()
    (line,) = told(on_disk.site, "prepare").wrong
    assert "the disk is full; make room" in line
    on_disk.disk.clear()
    on_disk.site.start()
    assert states(on_disk.site, "sari") == ["confirmed"] * 3


def test_a_disk_that_fails_under_the_site_loses_nothing_and_is_named(on_disk: OnDisk) -> None:
    """As the kernel does it: at the first error the disk becomes read-only, whoever has files open."""
    forms = on_disk.forms()
    on_disk.new_lines()
    on_disk.disk.fail()

    for prefix, (visitor, form) in forms.items():
        refused(visitor, form, "en" if prefix else "id")
        assert visitor.get(f"{prefix}{OFFER}").status == 200, "looking goes on"
    log = on_disk.new_lines()
    assert "reason=disk-broken" in log or "reason=read-only" in log
    wait_until(lambda: on_disk.health()["disk"] == "read-only", what="the monitor told")
    (line,) = told(on_disk.site, "doctor").wrong
    assert "the disk is read-only" in line
    assert str(on_disk.site.instance) in line

    on_disk.site.stop()
    on_disk.disk.mend()
    on_disk.site.start()

    for visitor, form in forms.values():
        visitor.arrive(visitor.send_at_once(form))
        visitor.wait_for("confirmed", 120)
    assert states(on_disk.site, "sari") == ["confirmed"] * 3


def test_a_disk_that_can_only_be_read_is_refused_at_start_in_one_sentence(on_disk: OnDisk) -> None:
    on_disk.site.stop()
    on_disk.disk.protect()

    for command in ("prepare", "doctor"):
        (line,) = told(on_disk.site, command).wrong
        assert "it cannot be written, for the disk is read-only" in line
        assert str(on_disk.site.instance) in line
