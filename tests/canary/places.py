"""Where a visitor's words and the site's secrets are meant to be: each place by name, with its reason. Nowhere else.

A place that no run ever meets is no place: `test_canary` fails for it, so the list cannot grow stale.
"""

import re
from typing import NamedTuple

from .sinks import Found

TYPED = frozenset({"name", "e-mail", "note", "zone"})


class Place(NamedTuple):
    """A sink, the part of it (a pattern for the whole of `where`), which kinds may be there, and why."""

    sink: str
    where: str
    kinds: frozenset[str]
    reason: str

    def has(self, found: Found) -> bool:
        """Whether that is here."""
        return (
            found.sink == self.sink and found.kind in self.kinds and re.fullmatch(self.where, found.where) is not None
        )


def _place(sink: str, where: str, kinds: str, reason: str) -> Place:
    return Place(sink, where, frozenset(kinds.split(", ")), reason)


PLACES = (
    Place("page", "client POST /sari/sesi/book (422|409)", TYPED, "the form is shown again to the one who typed it"),
    _place("page", "unlucky POST .* 503", "name, e-mail, note", "shown to the one who typed it, to send again"),
    _place("page", "client GET /sari/sesi/(book)? 200", "zone", "the zone she chose, kept by the links of the page"),
    _place("page", "client GET /sari/sesi/book 409", "zone", "the picker in the zone she chose"),
    _place("page", "client GET /(manage|manage/cancel|status/<token>) 200", "zone", "times are told in her zone"),
    _place("address asked", "client GET /sari/sesi/(book)?", "zone", "the page must know which times to show"),
    _place("address asked", "client GET /(m/<token>|manage|status/<token>)", "zone", "the same, after the booking"),
    _place("address asked", "client POST /manage/(cancel|export|feed)", "zone", "the same, for the page that follows"),
    _place(
        "address asked", "client GET /m/<token>", "manage link", "the link itself: answered with an address without"
    ),
    _place("address asked", "client GET /status/<token>", "status link", "the address in calendar files"),
    _place("address given", "client POST /sari/sesi/book 303 Location", "manage link, zone", "the way to her page"),
    _place("address given", "client (GET /m/<token>|POST /manage/cancel) 303 Location", "zone", "without the token"),
    _place(
        "cookie",
        "client (GET|POST) (/m/<token>|/manage(/yours|/feed)?) (200|303) manage",
        "manage link",
        "HttpOnly, a quarter of an hour",
    ),
    _place(
        "page", "client GET /manage/yours 200", "name, e-mail, note", "what she wrote, to the link it was written with"
    ),
    Place("page", "client POST /manage/export 200", TYPED, "all that is kept, in a file for her"),
    _place("page", "client POST /manage/feed 200", "manage link, zone", "the address for her calendar app, shown once"),
    _place("address asked", "client GET /m/<token>/feed.ics", "manage link", "her calendar app follows that address"),
    _place(
        "page",
        "client GET (/manage|/manage/session.ics|/m/<token>/feed.ics) 200",
        "status link",
        "when and whether, nothing that has power",
    ),
    _place("letter header", "to the client: To", "e-mail", "a letter has an address (demo Maildir only)"),
    _place("letter part", "to the client: text/(plain|html)", "manage link", "the client's own link"),
    _place("letter part", "to the client: text/(plain|html)", "zone", "her times, with the name of her zone's city"),
    _place("letter part", "to the client: (text/calendar|application/ics)", "status link", "as in the downloaded file"),
    _place(
        "letter file", "mail/new/<name>", "e-mail, manage link, zone, status link", "the whole letter; see its parts"
    ),
    _place("command", "backup-key", "backup key", "shown once, kept nowhere"),
    _place("backup content", "files/server.key", "server key", "sealed to the backup key; nothing goes on without it"),
    _place("instance file", "server.key", "server key", "its own file, mode 0600"),
    _place("instance file", "day-keys/<day>", "day key", "its own file, mode 0600, destroyed after its day"),
    _place("instance file", "WELCOME.txt", "calendar password, desk link", "how the demo is reached, mode 0600"),
    _place("instance file", "demo-identity.txt", "coach's key", "the demo's only, and says that it protects nothing"),
    _place("address asked", "coach (GET|POST) /desk/<token>", "desk link", "works once"),
    _place("page", "coach POST /desk/invitations 200", "invitation", "the link that was asked for, shown once"),
    _place("cookie", "coach POST /desk/<token> 303 desk", "desk session", "HttpOnly, Strict, half a day"),
    _place("address asked", "prober .*", "name, e-mail, note, manage link", "the test asked for that itself"),
    _place("address asked", "unlucky .*", "manage link", "the same, where every view fails"),
)
BROWSER_PLACES = (
    _place("address asked", "client GET /sari/sesi/(book)?", "zone", "the page must know which times to show"),
    _place("address asked", "client GET /(m/<token>|manage)", "zone", "the same, after the booking"),
    _place(
        "address asked", "client GET /m/<token>", "manage link", "the link itself: answered with an address without"
    ),
    _place("address given", "client POST /sari/sesi/book 303 Location", "manage link, zone", "the way to her page"),
    _place("address given", "client GET /m/<token> 303 Location", "zone", "without the token"),
    _place(
        "cookie", "client GET (/m/<token>|/manage) (200|303) manage", "manage link", "HttpOnly, a quarter of an hour"
    ),
    _place("referrer", "client (GET|POST) .*", "zone", "sent to this site only: the address of the page before"),
    _place("browser", "/manage", "zone", "the address of the page that is open"),
)
"""The same for what a browser shows of a booking."""


def unplaced(found: list[Found], places: tuple[Place, ...] = PLACES) -> list[Found]:
    """What was found where it must not be."""
    return [each for each in found if not any(place.has(each) for place in places)]


def unmet(found: list[Found], places: tuple[Place, ...] = PLACES) -> list[Place]:
    """Places where nothing was found, of whichever kind they name."""
    return [
        place._replace(kinds=frozenset({kind}))
        for place in places
        for kind in place.kinds
        if not any(place._replace(kinds=frozenset({kind})).has(each) for each in found)
    ]
