"""The breach report: true counts for each case, letters in two languages, nobody named; and each person told once."""

import re
import stat
from pathlib import Path

import pytest

from microsite.core.letters import SUBJECTS
from microsite.work import breach
from microsite.work.erase import erase
from microsite.work.record import record
from tests.cli.conftest import Shell
from tests.conftest import House

NOTICED = 1_795_400_000
WORDS = ("Budi", "budi@", "ani@", "halo", "Makassar")


@pytest.fixture(name="held")
def _held(house: House) -> House:
    """Two clients, one of them twice, and one whose day key is destroyed."""
    starts = house.starts()
    for start, email in zip(starts[0:60:15], ("budi@a.example", "Budi@a.example", "ani@a.example"), strict=False):
        house.book(start, email=email)
        house.drain()
    gone = house.book(starts[-1], email="dewi@a.example")
    house.drain()
    house.services.sealer.destroy_day(house.booking(gone.booking.id).delivery_day)
    return house


@pytest.mark.parametrize("case", ["database", "backup", "server", "live"])
def test_the_texts_name_nobody_and_hold_the_deadline(held: House, case: str) -> None:
    texts = breach.texts(held.services, case, "2026-11-01", NOTICED)
    assert sorted(texts) == ["authority.en.txt", "authority.id.txt", "people.en.txt", "people.id.txt", "report.txt"]
    for text in texts.values():
        assert not any(word in text for word in WORDS)
        assert "{{" not in text and "None" not in text
    assert "within 3 x 24 hours: 2026-11-26 02:13 UTC" in texts["report.txt"]


def test_the_counts_are_those_of_what_is_held(held: House) -> None:
    found = breach.assess(held.services, "2026-11-01").coaches[0]
    assert (found.bookings, found.records, found.copies, found.envelopes, found.mute) == (4, 4, 4, 3, 1)
    assert breach.assess(held.services, "2026-11-01").days == [("2026-11-23", 4)]
    assert breach.assess(held.services, "2026-11-24").days == []


READABLE = {
    "database": {"addresses": "no", "passwords": "no", "typed": "-"},
    "backup": {"addresses": "no", "passwords": "yes", "typed": "-"},
    "server": {"addresses": "yes", "passwords": "yes", "typed": "-"},
    "live": {"addresses": "yes", "passwords": "yes", "typed": "yes"},
}
LINES = {
    "addresses": "e-mail addresses for letters",
    "passwords": "passwords of the coach's calendars",
    "typed": "what is typed without JavaScript",
}


@pytest.mark.parametrize("case", READABLE)
def test_each_case_tells_what_can_be_read_and_records_never_can(held: House, case: str) -> None:
    text = breach.texts(held.services, case, "", NOTICED)["report.txt"]
    for name, verdict in READABLE[case].items():
        assert re.search(rf"(?m)^  {verdict} +{LINES[name]}", text), name
    assert re.search(r"(?m)^  no +names, e-mail addresses and notes in the coach's records +4$", text)


def test_everybody_who_can_be_reached_is_told_once_and_under_a_subject_that_says_nothing(held: House) -> None:
    assert breach.reachable(held.services, "server", NOTICED) == 2
    assert breach.send(held.services, "server", NOTICED) == 2
    assert breach.send(held.services, "server", NOTICED) == 0
    held.drain()
    letters = [path.read_text() for path in (held.instance / "mail" / "new").iterdir()]
    told = [text for text in letters if "Pemberitahuan penting" in text]
    assert sorted(re.findall(r"(?m)^to: (.*)$", "\n".join(told).lower())) == ["ani@a.example", "budi@a.example"]
    assert SUBJECTS["breach-addresses"][0] == "Pemberitahuan penting"


def test_another_breach_is_told_again(held: House) -> None:
    breach.send(held.services, "server", NOTICED)
    assert breach.reachable(held.services, "server", NOTICED + 86400) == 2


def test_who_erased_is_written_to_no_more(held: House) -> None:
    with held.services.store.read() as tx:
        bookings = tx.bookings.all()
    for booking in bookings:
        erase(held.services, booking.id, booking.ref)
    assert breach.send(held.services, "server", NOTICED) == 0


def test_the_command_writes_closed_files_and_mails_only_after_the_words_are_typed(tmp_path: Path) -> None:
    house = House(tmp_path / "instance")
    house.book()
    house.drain()
    house.close()
    shell, folder = Shell(tmp_path / "instance"), tmp_path / "breach"
    words = ("breach-report", "--what", "server", "--to", str(folder))
    assert "--noticed" in shell.run(*words, "--send", code=1)
    noticed = ("--noticed", "2026-11-25T09:30", "--send")
    assert "Nothing was sent" in shell.run(*words, *noticed, answers="yes\n")
    assert "1 letter(s) were queued" in shell.run(*words, *noticed, answers="send 1\n")
    assert "Nobody is left" in shell.run(*words, *noticed)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_record_of_processing_follows_the_settings_and_names_nobody(held: House, language: str) -> None:
    text = record(held.services, "sari", language)
    assert "4 " in text and "sari@example.org" in text
    assert "booked" in text
    assert not any(word in text for word in WORDS)
