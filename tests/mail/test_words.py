"""What the letters say, and in which voice."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from letterbox import START
from letterbox import TEMPLATES
from letterbox import Sent
from letterbox import parts

from microsite.core.letters import CLIENT_KINDS
from microsite.core.letters import SUBJECTS
from microsite.core.letters import LetterOrder
from microsite.core.people import Secret
from microsite.mail import times

Order = Callable[..., LetterOrder]
LANGUAGES = ("id", "en")
LINK = "https://book.example/m/T0KEN-t0ken_T0KENt0ken"


def plain(post: Sent, order: LetterOrder) -> str:
    return str(parts(post.letter(order))["text/plain"].get_content()).replace("\r\n", "\n")


def html(post: Sent, order: LetterOrder) -> str:
    return str(parts(post.letter(order))["text/html"].get_content())


class Outline(HTMLParser):
    """Tags, links and visible text of a page of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            if name in {"src", "srcset", "background", "action"} or name.startswith("on") or "url(" in (value or ""):
                self.outside.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SUBJECTS)
def test_the_html_is_well_formed_and_asks_nobody_for_anything(
    post: Sent, order: Order, kind: str, language: str
) -> None:
    outline = Outline()
    outline.feed(html(post, order(kind, language)))
    assert outline.open == []
    assert outline.outside == []
    assert set(outline.links) <= {LINK, "https://book.example/rara/", "https://meet.example/ruang"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SUBJECTS)
def test_text_and_html_say_the_same(post: Sent, order: Order, kind: str, language: str) -> None:
    outline = Outline()
    outline.feed(html(post, order(kind, language)))
    seen = " ".join(outline.text.split())
    for line in plain(post, order(kind, language)).splitlines():
        if not line.startswith("https://"):
            assert line.replace("https://meet.example/ruang", "").strip() in seen
        else:
            assert line in outline.links


@pytest.mark.parametrize("kind", SUBJECTS)
def test_indonesian_says_kamu_and_nothing_official(post: Sent, order: Order, kind: str) -> None:
    text = plain(post, order(kind, "id"))
    assert not re.search(r"\b(anda|segera|harap|mohon maaf atas|buruan|jangan lewatkan|promo|dimohon)\b", text, re.I)
    assert re.search(r"kita|mu\b|kamu", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SUBJECTS)
def test_no_letter_promises_what_a_calendar_may_not_do_or_hurries(
    post: Sent, order: Order, kind: str, language: str
) -> None:
    text = plain(post, order(kind, language)).lower()
    for phrase in ("automatic", "otomatis", "end-to-end", "hurry", "don't miss", "!", "spam"):
        assert phrase not in text


@pytest.mark.parametrize(
    ("language", "kind", "sentence"),
    [
        ("id", "confirmed", "File kalender terlampir"),
        ("en", "confirmed", "A calendar file is attached"),
        ("id", "moved", "Kalau kedua waktu muncul di kalendermu, hapus yang lama."),
        ("en", "moved-by-coach", "If both times show in your calendar, delete the old one."),
        ("id", "cancelled", "Kalau janji temunya masih ada di kalendermu, silakan hapus."),
        ("en", "cancelled-by-coach", "Please delete the entry if it is still in your calendar."),
        ("id", "moved", "Semula: Senin, 30 November 2026, 14.00 WITA\n"),
        ("en", "moved", "Was: Monday, 30 November 2026, 14:00 WITA\nNow: Tuesday, 1 December 2026, 14:00–15:00 WITA\n"),
        ("id", "confirmed", "Waktu: Selasa, 1 Desember 2026, 14.00–15.00 WITA\n"),
        ("id", "confirmed", "Di tempat saya: Selasa, 1 Desember 2026, 13.00–14.00 WIB\n"),
        ("en", "confirmed", "will be deleted on 31 December 2026"),
        ("id", "confirmed", "dihapus pada 31 Desember 2026"),
        ("id", "confirmed", "Kode: K7QD"),
        ("id", "failed", "tidak ada yang terjadwal"),
        ("en", "failed", "nothing was booked"),
        ("en", "failed", "• Tuesday, 1 December 2026, 16:00 WITA\n• Wednesday, 2 December 2026, 14:00 WITA"),
        ("id", "verify-address", "belum dibuat"),
        ("en", "verify-address", "not booked yet"),
        ("id", "request-received", "belum pasti"),
        ("en", "reminder", "the one in this letter counts"),
        ("en", "mail-refused", "SMTP 550"),
        ("en", "brake", "5 bookings vanished"),
        ("id", "new-request", "hapus tanda tanyanya untuk menerima"),
    ],
)
def test_the_letters_say_what_they_must(post: Sent, order: Order, language: str, kind: str, sentence: str) -> None:
    assert sentence in plain(post, order(kind, language))


@pytest.mark.parametrize("kind", ["verify-address", "request-received", "failed", "declined", "expired", "cancelled"])
def test_the_place_is_told_only_to_those_whose_time_is_certain(post: Sent, order: Order, kind: str) -> None:
    assert "meet.example" not in plain(post, order(kind))
    assert "meet.example" in plain(post, order("confirmed"))
    assert "meet.example" in plain(post, order("reminder"))
    assert "meet.example" not in plain(post, order("link-again", event=None))


def test_a_moved_request_is_not_called_certain(post: Sent, order: Order) -> None:
    text = plain(post, order("moved-by-coach", "en", event=None))
    assert "not certain yet" in text
    assert "attached" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(CLIENT_KINDS))
def test_a_letter_with_few_facts_has_no_holes(post: Sent, order: Order, kind: str, language: str) -> None:
    bare = order(
        kind,
        language,
        old_start=0,
        hold_until=0,
        purge_on="",
        place="",
        contact="",
        booking_page="",
        link=Secret(""),
        alternatives=(),
    )
    text = plain(post, bare)
    assert not re.search(r": *$|\n\n\n|None|  ", text, re.MULTILINE)


def test_an_unknown_language_is_written_in_indonesian(post: Sent, order: Order) -> None:
    message = post.letter(order("confirmed", language="ban"))
    assert message["Content-Language"] == "id"
    assert message["Subject"] == "Janji temu sudah terjadwal"


def test_each_kind_has_a_template_in_each_language_and_there_are_no_others() -> None:
    for language in LANGUAGES:
        names = {path.stem for path in (TEMPLATES / language).glob("*.txt") if not path.stem.startswith("_")}
        assert names == set(SUBJECTS)
        shared = {path.name for path in (TEMPLATES / language).glob("_*.txt")}
        everything = "".join(path.read_text() for path in (TEMPLATES / language).iterdir())
        used = set(re.findall(rf"{language}/(_\w+\.txt)", everything))
        assert shared == used


HOUR = 3600


@pytest.mark.parametrize(
    ("start", "end", "zone", "language", "expected"),
    [
        (START, START + HOUR, "Asia/Jakarta", "id", "Selasa, 1 Desember 2026, 13.00–14.00 WIB"),
        (START, START + HOUR, "Asia/Pontianak", "en", "Tuesday, 1 December 2026, 13:00–14:00 WIB"),
        (START, START + HOUR, "Asia/Jayapura", "en", "Tuesday, 1 December 2026, 15:00–16:00 WIT"),
        (START, START + HOUR, "Europe/Berlin", "en", "Tuesday, 1 December 2026, 07:00–08:00 (Berlin, UTC+01:00)"),
        (START, START + HOUR, "Asia/Kathmandu", "id", "Selasa, 1 Desember 2026, 11.45–12.45 (Kathmandu, UTC+05:45)"),
        (
            START,
            START + HOUR,
            "America/Argentina/Buenos_Aires",
            "en",
            "Tuesday, 1 December 2026, 03:00–04:00 (Buenos Aires, UTC-03:00)",
        ),
        (START, START + HOUR, "UTC", "id", "Selasa, 1 Desember 2026, 06.00–07.00 UTC"),
        (START, START + HOUR, "Etc/GMT+5", "en", "Tuesday, 1 December 2026, 01:00–02:00 UTC-05:00"),
        (
            START + 10 * HOUR + 1800,
            START + 11 * HOUR + 1800,
            "Asia/Jakarta",
            "id",
            "Selasa, 1 Desember 2026, 23.30 – Rabu, 2 Desember 2026, 00.30 WIB",
        ),
        (
            1792888200,  # 2026-10-25 00:30 UTC: Berlin's clocks go back in the middle of the session
            1792891800,
            "Europe/Berlin",
            "en",
            "Sunday, 25 October 2026, 02:30 (Berlin, UTC+02:00) – Sunday, 25 October 2026, 02:30 (Berlin, UTC+01:00)",
        ),
        (
            START,
            START + HOUR,
            "Pacific/Kiritimati",
            "en",
            "Tuesday, 1 December 2026, 20:00–21:00 (Kiritimati, UTC+14:00)",
        ),
    ],
)
def test_times_read_as_people_write_them(start: int, end: int, zone: str, language: str, expected: str) -> None:
    assert times.span(start, end, zone, language) == expected


def test_the_coachs_clock_is_shown_only_where_it_differs(post: Sent, order: Order) -> None:
    assert "Di tempat saya" not in plain(post, order("confirmed", zone="Asia/Bangkok"))
    assert "Di tempat saya" not in plain(post, order("confirmed", zone="Asia/Jakarta"))
    assert "Di tempat saya" in plain(post, order("confirmed", zone="Asia/Tokyo"))
