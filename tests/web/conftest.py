"""The pages' own house: real store, sealing and work modules; a coach with weekly hours in her settings, no calendar.

The clock stands still until moved, and no job runs, so a booking stays in the state a test puts it in.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from microsite import create_app
from microsite import credentials
from microsite.config import Calendars
from microsite.config import Config
from microsite.config import File
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Place
from microsite.core.settings import Words
from microsite.services import build
from microsite.work import desk
from microsite.work import setup
from tests.postgres import database_of

NOW = 1_795_406_400
"""Monday 23 November 2026, 04:00 UTC: 11:00 in Jakarta."""
NO_CALENDARS = Calendars(embedded=False)
WEEK = {
    day: ["08:00-10:00", "13:00-14:00", "16:00-17:00", "19:00-20:00"] for day in ("monday", "wednesday", "thursday")
}


def settings(**changes: Any) -> CoachSettings:
    """Sari with two offers and one that is not listed."""
    given: dict[str, Any] = {
        "name": "Sari",
        "sentence": Words(id="Ruang untuk bicara pelan-pelan.", en="A room to talk without hurry."),
        "contact": "sari@example.org",
        "email": "sari@example.org",
        "hours": WEEK,
        "offers": [
            Offer(
                slug="sesi",
                title=Words(id="Sesi coaching", en="Coaching session"),
                minutes=60,
                description=Words(id="Satu jam untuk satu hal.", en="One hour for one thing."),
                price=Words(id="Rp350.000", en="IDR 350,000"),
                place=Place(kind="video", text=Words(id="https://temu.example/ruang", en="https://temu.example/ruang")),
            ),
            Offer(slug="kenalan", title=Words(id="Percakapan pertama", en="First conversation"), minutes=30),
            Offer(slug="diam", title=Words(id="Diam-diam", en="Quietly"), minutes=30, listed=False, email="optional"),
        ],
    }
    return CoachSettings(**{**given, **changes})


class Pages:
    """The application, its services, and a visitor's hands."""

    def __init__(self, instance: Path, file: File | None = None, coach: CoachSettings | None = None) -> None:
        self.now = NOW
        file = file or File(calendars=NO_CALENDARS)
        secrets = credentials.read(file, database_of(instance), instance)
        config = Config(instance, file, secrets, 8000, configured=False)
        self.base = "https://book.example" if config.https else "http://localhost"
        self.services = build(config, lambda: self.now)
        try:
            self.services.store.upgrade()
            _, recipient = self.services.sealer.new_identity()
            setup.add_coach(self.services, "sari", coach or settings(), recipient)
            self.app: Flask = create_app(services=self.services)
        except BaseException:
            # A start that is refused leaves nobody who could give them back.
            self.services.close()
            raise
        self.client: FlaskClient = self.app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET, with the visitor's cookies."""
        return self.client.get(path, base_url=self.base, **options)

    def slots(self, path: str = "/sari/sesi/") -> list[str]:
        """The slots on the shown day."""
        return re.findall(r'<a data-slot="([^"]+)"', self.get(path).text)

    def fields(self, page: TestResponse) -> dict[str, str]:
        """The fields of a form as a browser would send them, radio buttons left alone."""
        found = {}
        for tag in re.findall(r"<input[^>]*>", page.text):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name and 'type="radio"' not in tag:
                found[name[1]] = value[1] if value else ""
        note = re.search(r'<textarea[^>]*name="note"[^>]*>\n?([^<]*)</textarea>', page.text)
        return {**found, **({"note": note[1]} if note else {})}

    def form(self, slot: str | None = None, offer: str = "sesi", query: str = "") -> dict[str, str]:
        """The form's fields for a slot, four seconds before they are sent."""
        slot = slot or self.slots(f"/sari/{offer}/")[0]
        page = self.get(f"/sari/{offer}/book?slot={slot}{query}")
        assert page.status_code == 200, page.text
        self.now += 4
        return self.fields(page)

    def send(self, fields: dict[str, str], offer: str = "sesi", prefix: str = "", **options: Any) -> TestResponse:
        """POST a form as the site's own page would."""
        return self.client.post(
            f"{prefix}/sari/{offer}/book",
            data=fields,
            base_url=self.base,
            headers={"Sec-Fetch-Site": "same-origin"},
            **options,
        )

    def book(self, **typed: str) -> str:
        """Book the first free slot; answers the path of the link to the client's page."""
        answer = self.send({**self.form(), "name": "Budi", "email": "budi@example.com", **typed})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def only_booking(self) -> Any:
        """The one booking there is."""
        with self.services.store.read() as tx:
            (booking,) = tx.bookings.live("sari")
        return booking

    def put_in_state(self, state: str, **values: Any) -> None:
        """Let the one booking be in a state."""
        with self.services.store.write() as tx:
            tx.bookings.change(self.only_booking(), state=state, **values)

    def another_link(self, kind: str = "manage") -> str:
        """The token of a later letter about the one booking."""
        token, booking = self.services.sealer.new_token(), self.only_booking()
        with self.services.store.write() as tx:
            tx.links.add(self.services.sealer.lookup(token), "sari", booking.id, kind, self.now + 40 * 86400)
        return str(token.reveal())

    def desk_link(self) -> str:
        """A one-time link to the desk."""
        return f"/desk/{desk.new_link(self.services, 'sari').reveal()}"

    def close(self) -> None:
        """Give everything back."""
        self.services.close()


@pytest.fixture(name="pages")
def _pages(tmp_path: Path) -> Iterator[Pages]:
    """A house of the test's own."""
    own = Pages(tmp_path / "instance")
    yield own
    own.close()
