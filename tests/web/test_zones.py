"""Zones: names, offsets with minutes, legacy names, and one zone throughout a page."""

import re
from zoneinfo import ZoneInfo

import pytest

from microsite.web import zones

from .conftest import NOW
from .conftest import Pages

ZONES = [
    ("Asia/Jakarta", "WIB", "08.00"),
    ("Asia/Makassar", "WITA", "09.00"),
    ("Asia/Jayapura", "WIT", "10.00"),
    ("Asia/Kathmandu", "waktu Kathmandu (UTC+05:45)", "06.45"),
    ("Asia/Calcutta", "waktu Kolkata (UTC+05:30)", "06.30"),
    ("Asia/Ujung_Pandang", "WITA", "09.00"),
    ("Australia/Lord_Howe", "waktu Lord Howe (UTC+11:00)", "12.00"),
    ("Europe/Amsterdam", "waktu Amsterdam (UTC+01:00)", "02.00"),
    ("America/New_York", "waktu New York (UTC−05:00)", "20.00"),
    ("America/St_Johns", "waktu St. John’s (UTC−03:30)", "21.30"),
    ("Pacific/Chatham", "waktu Chatham (UTC+13:45)", "14.45"),
    ("UTC", "UTC", "01.00"),
]


@pytest.mark.parametrize(("asked", "label", "first"), ZONES)
def test_list_fragment_label_and_times_agree(pages: Pages, asked: str, label: str, first: str) -> None:
    text = pages.get(f"/sari/sesi/?tz={asked}").text
    shown = re.search(r'data-tz="([^"]+)"', text)
    chosen = re.search(r'<option value="([^"]+)" selected>', text)
    assert shown is not None
    assert chosen is not None
    assert shown[1] == chosen[1] == zones.RENAMED.get(asked, asked)
    assert f'<span class="zone">{label}</span>' in text
    slot = re.search(r'data-slot="20261125T010000Z"[^>]*>.*?</span>([\d.]+)</a>', text)
    assert slot is not None
    assert slot[1] == first
    form = pages.get(f"/sari/sesi/book?slot=20261125T010000Z&tz={asked}").text
    assert f'<span class="zone">{label}</span>' in form
    assert f'name="tz" value="{shown[1]}"' in form


def test_a_zone_without_wib_shows_the_coachs_clock_beside_it(pages: Pages) -> None:
    text = pages.get("/sari/sesi/book?slot=20261125T010000Z&tz=Asia/Makassar").text
    assert "09.00–10.00" in text
    assert "Di tempat saya: Rabu, 25 November 2026, 08.00–09.00 WIB" in text
    assert "Di tempat saya" not in pages.get("/sari/sesi/book?slot=20261125T010000Z&tz=Asia/Pontianak").text


@pytest.mark.parametrize(
    "asked", ["Asia/Nowhere", "../../etc/passwd", "WIB", "%00", "a" * 3000, "localtime", "Factory"]
)
def test_an_unknown_zone_is_the_coachs_with_a_note(pages: Pages, asked: str) -> None:
    answer = pages.get(f"/sari/sesi/?tz={asked}")
    assert answer.status_code == 200
    assert 'data-tz="Asia/Jakarta"' in answer.text
    assert "Zona waktu itu tidak dikenal" in answer.text


def test_offsets_follow_daylight_saving() -> None:
    summer = 1_785_000_000
    assert zones.offset(ZoneInfo("Australia/Lord_Howe"), summer) == "UTC+10:30"
    assert zones.offset(ZoneInfo("Australia/Lord_Howe"), NOW) == "UTC+11:00"


def test_the_visitors_own_zone_is_in_the_list_once() -> None:
    names = [each.name for each in zones.choices(ZoneInfo("Asia/Kathmandu"), ZoneInfo("Asia/Tokyo"), "id")]
    assert names.count("Asia/Kathmandu") == names.count("Asia/Tokyo") == 1
    assert names[:3] == ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
