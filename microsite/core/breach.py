"""What somebody can read who has the database, a backup, the server's disk, or the running server. Pure.

A category is told with its count; nobody is named anywhere.
"""

from types import MappingProxyType
from typing import NamedTuple

from .settings import Words

DATABASE, BACKUP, SERVER, LIVE = "database", "backup", "server", "live"
CASES = (DATABASE, BACKUP, SERVER, LIVE)
YES, NO, ABSENT = "yes", "no ", "-  "


class Counts(NamedTuple):
    """How much is held: bookings, sealed records, client copies, addresses the server can open, stored passwords."""

    bookings: int
    records: int
    copies: int
    envelopes: int
    passwords: int


class Line(NamedTuple):
    """A category of data: whether it could be read, what it is, and how much of it there is."""

    readable: str
    what: str
    number: int


SCENARIOS = MappingProxyType(
    {
        DATABASE: Words(
            en="Somebody has a copy of the database, without the keys of the server.",
            id="Seseorang punya salinan basis data, tanpa kunci server.",
        ),
        BACKUP: Words(
            en="Somebody has a backup file and the backup key: database, settings and server key, but no day keys.",
            id=(
                "Seseorang punya berkas cadangan dan kuncinya: basis data, pengaturan, dan kunci server, "
                "tanpa kunci harian."
            ),
        ),
        SERVER: Words(
            en="Somebody has a copy of the whole server: database, settings, server key and day keys.",
            id="Seseorang punya salinan seluruh server: basis data, pengaturan, kunci server, dan kunci harian.",
        ),
        LIVE: Words(
            en="Somebody had control of the running server.",
            id="Seseorang menguasai server yang sedang berjalan.",
        ),
    }
)
TOLD = MappingProxyType(
    {
        "breach-sealed": Words(
            en=(
                "Somebody may have times of sessions, and your name, address and note only in sealed form. "
                "They cannot be read."
            ),
            id=(
                "Seseorang mungkin punya waktu sesi, serta nama, alamat, dan catatanmu hanya dalam keadaan "
                "tersegel. Isinya tidak bisa dibaca."
            ),
        ),
        "breach-addresses": Words(
            en=(
                "Somebody may read your e-mail address, language, time zone and the time of your session. "
                "Your name and note are sealed and cannot be read."
            ),
            id=(
                "Seseorang mungkin bisa membaca alamat e-mailmu, bahasa, zona waktu, dan waktu sesimu. Nama "
                "dan catatanmu tersegel dan tidak bisa dibaca."
            ),
        ),
        "breach-open": Words(
            en=(
                "Somebody may have read your e-mail address, the time of your session, and what was typed "
                "into the page while they were there."
            ),
            id=(
                "Seseorang mungkin sudah membaca alamat e-mailmu, waktu sesimu, dan apa yang ditulis di "
                "halaman itu selama mereka ada di sana."
            ),
        ),
    }
)
LETTERS = MappingProxyType(
    {DATABASE: "breach-sealed", BACKUP: "breach-sealed", SERVER: "breach-addresses", LIVE: "breach-open"}
)
"""The kind of letter that tells the people concerned."""
CONSEQUENCES = MappingProxyType(
    {
        "breach-sealed": Words(
            en=(
                "Times of sessions are known, not whose they are. Sealed data stays unreadable without keys "
                "held elsewhere."
            ),
            id=(
                "Waktu sesi diketahui, bukan milik siapa. Data tersegel tidak terbaca tanpa kunci yang "
                "disimpan di tempat lain."
            ),
        ),
        "breach-addresses": Words(
            en=(
                "It may become known that a person has booked a session; unwanted or deceiving mail to these addresses."
            ),
            id=(
                "Bisa diketahui bahwa seseorang memesan sesi; email yang tidak diinginkan atau menipu ke "
                "alamat tersebut."
            ),
        ),
        "breach-open": Words(
            en=(
                "As before, and what people wrote in that time may be known; the coach's keys if she opened "
                "her desk then."
            ),
            id=(
                "Seperti di atas, dan yang ditulis dalam masa itu bisa diketahui; juga kunci coach bila ia "
                "membuka mejanya saat itu."
            ),
        ),
    }
)
WHAT = (
    ("times of sessions, kind of session, random references", "waktu sesi, jenis sesi, kode acak"),
    ("names, e-mail addresses and notes in the coach's records", "nama, alamat e-mail, dan catatan di catatan coach"),
    ("the same in copies for the clients' own links", "sama, di salinan untuk link klien sendiri"),
    ("e-mail addresses for letters, language, time zone", "alamat e-mail untuk surat, bahasa, zona waktu"),
    ("passwords of the coach's calendars", "kata sandi kalender coach"),
    ("what is typed without JavaScript while it lasted", "yang ditulis tanpa JavaScript selama itu"),
)
READABLE = MappingProxyType(
    {
        DATABASE: (YES, NO, NO, NO, NO, ABSENT),
        BACKUP: (YES, NO, NO, NO, YES, ABSENT),
        SERVER: (YES, NO, NO, YES, YES, ABSENT),
        LIVE: (YES, NO, NO, YES, YES, YES),
    }
)
MORE = MappingProxyType(
    {
        DATABASE: (
            "Wrapped keys of coaches: open to guessing of their passphrases (six words, scrypt). Links: hashes.",
        ),
        BACKUP: (
            "The same as in the database, and the relay's password and the built-in calendars.",
            "Without the backup key nothing of it can be read, and nobody need be told.",
        ),
        SERVER: (
            "Wrapped keys of coaches: open to guessing of their passphrases (six words, scrypt). Links: hashes.",
            "The relay's password, and the built-in calendars.",
            "Envelopes whose day key was destroyed before stay closed, also together with old backups.",
        ),
        LIVE: (
            "Everything of the case «server».",
            "The page could have been changed: a coach who opened records in that time must make new keys, and every",
            "record that she could open then counts as read. Records that were never opened stay sealed.",
            "Client copies that were shown in that time count as read.",
        ),
    }
)


def lines(case: str, counts: Counts, language: str) -> list[Line]:
    """What could be read in that case, and how much of it there is."""
    numbers = (counts.bookings, counts.records, counts.copies, counts.envelopes, counts.passwords, counts.bookings)
    words = [what[1] if language == "id" else what[0] for what in WHAT]
    return [Line(*line) for line in zip(READABLE[case], words, numbers, strict=True)]
