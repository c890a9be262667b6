"""The demo: a coach on the embedded calendar, so that a stranger's machine shows the whole main job at once.

Her private key lies open in a file that says it is for trying out; no other coach may use it.
"""

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from microsite.core.hours import local_day
from microsite.core.hours import week_of
from microsite.core.people import Secret
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Place
from microsite.core.settings import Words
from microsite.services import Services

from .desk import WELCOME_SECONDS
from .desk import new_link
from .setup import add_coach
from .setup import add_embedded_calendars
from .sync import account_of
from .sync import sync_calendar

SLUG = "sari"
ZONE = "Asia/Jakarta"
CALENDARS = {
    "open": ("Jam buka", {"open"}),
    "bookings": ("Sesi", {"bookings", "busy"}),
    "private": ("Pribadi", {"busy"}),
}
IDENTITY_NOTE = (
    "# This key opens the records of the DEMO coach. It is for trying out only:\n"
    "# it lies on the server, so it protects nothing, and it is refused for any other coach.\n"
)


class Welcome(NamedTuple):
    """What `WELCOME.txt` tells."""

    desk_token: Secret
    user: str
    password: Secret
    identity: Secret


def settings() -> CoachSettings:
    """The demo coach in both languages."""
    return CoachSettings(
        name="Sari",
        zone=ZONE,
        sentence=Words(
            id="Ruang untuk bicara pelan-pelan. Apa yang kamu ceritakan tetap di antara kita.",
            en="A room to talk without hurry. What you tell me stays between us.",
        ),
        contact="sari@example.org",
        email="sari@example.org",
        offers=[
            Offer(
                slug="percakapan-pertama",
                title=Words(id="Percakapan pertama", en="First conversation"),
                minutes=30,
                description=Words(
                    id="Kita berkenalan dulu. Kamu bisa bertanya apa saja, lalu memutuskan tanpa terburu-buru.",
                    en="We get to know each other. Ask anything you like, then decide in your own time.",
                ),
                price=Words(id="Gratis", en="Free"),
                place=Place(kind="video", text=Words(id="Panggilan video", en="Video call")),
                step=30,
                after=15,
            ),
            Offer(
                slug="sesi",
                title=Words(id="Sesi coaching", en="Coaching session"),
                minutes=60,
                description=Words(
                    id="Satu jam penuh untuk hal yang sedang kamu hadapi.",
                    en="A full hour for what is on your mind.",
                ),
                price=Words(id="Rp 450.000", en="IDR 450,000"),
                place=Place(kind="video", text=Words(id="Panggilan video", en="Video call")),
                step=30,
                before=10,
                after=15,
            ),
        ],
    )


def create(services: Services, identity: Secret, recipient: str) -> Welcome:
    """The demo coach, her calendars with open hours and a private life, and a link to her desk."""
    add_coach(services, SLUG, settings(), recipient, demo=True)
    password = fill_calendars(services, SLUG)
    return Welcome(new_link(services, SLUG, WELCOME_SECONDS), SLUG, password, identity)


def fill_calendars(services: Services, slug: str) -> Secret:
    """The calendars of the demo for a coach, read; answers her new CalDAV password."""
    password = add_embedded_calendars(services, slug, CALENDARS)
    with services.store.read() as tx:
        rows = {row.url.rstrip("/").rsplit("/", 1)[-1]: row for row in tx.mirror.calendars(slug)}
    monday = week_of(local_day(services.clock(), settings().zoneinfo))
    for name, events in (("open", _open_hours(monday)), ("private", _private_life(monday))):
        for number, event in enumerate(events):
            services.calendars.create(account_of(services, rows[name]), f"{name}-{number}@demo", event)
    for row in rows.values():
        sync_calendar(services, row.id, 20.0)
    return password


def _open_hours(monday: date) -> list[bytes]:
    weekdays = "MO,TU,WE,TH,FR"
    return [
        _weekly("open-0", "Buka", monday, "0900", "1200", weekdays),
        _weekly("open-1", "Buka", monday, "1330", "1700", weekdays),
        _weekly("open-2", "Buka", monday + timedelta(days=1), "1900", "2100", "TU,TH"),
        _weekly("open-3", "Buka", monday + timedelta(days=5), "0900", "1200", "SA"),
    ]


def _private_life(monday: date) -> list[bytes]:
    return [
        _weekly("private-0", "Yoga", monday + timedelta(days=2), "0900", "1030", "WE"),
        _weekly("private-1", "Jemput anak", monday, "1500", "1545", "MO,TH"),
        _once("private-2", "Dokter gigi", monday + timedelta(days=8), "1000", "1130"),
    ]


def _weekly(uid: str, title: str, first: date, start: str, end: str, days: str) -> bytes:
    return _event(uid, title, first, start, end, f"RRULE:FREQ=WEEKLY;BYDAY={days}\r\n")


def _once(uid: str, title: str, day: date, start: str, end: str) -> bytes:
    return _event(uid, title, day, start, end, "")


def _event(uid: str, title: str, day: date, start: str, end: str, rule: str) -> bytes:
    stamp = datetime.combine(day, datetime.min.time(), UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//microsite//demo//EN",
        "BEGIN:VTIMEZONE",
        f"TZID:{ZONE}",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0700",
        "TZOFFSETTO:+0700",
        "TZNAME:WIB",
        "END:STANDARD",
        "END:VTIMEZONE",
        "BEGIN:VEVENT",
        f"UID:{uid}@demo",
        f"DTSTAMP:{stamp}",
        f"DTSTART;TZID={ZONE}:{day:%Y%m%d}T{start}00",
        f"DTEND;TZID={ZONE}:{day:%Y%m%d}T{end}00",
        *rule.split(),
        f"SUMMARY:{title}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def welcome_text(address: str, welcome: Welcome, mail_folder: Path) -> str:
    """The lines of `WELCOME.txt`; outside programs read them, so their names never change."""
    return (
        f"booking-page: {address}/{SLUG}/\n"
        f"desk: {address}/desk/{welcome.desk_token.reveal()}\n"
        f"caldav-url: {address}/dav/\n"
        f"caldav-user: {welcome.user}\n"
        f"caldav-password: {welcome.password.reveal()}\n"
        f"mail-folder: {mail_folder}\n"
    )
