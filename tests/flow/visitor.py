"""A visitor with the plainest of browsers: HTTP, cookies, forms and links, no JavaScript.

It leans on the stable names of the product only: `data-slot`, `data-state`, field names, cookie names and URLs.
"""

import json
import re
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from email.message import Message
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import NamedTuple
from urllib.parse import urlencode
from urllib.parse import urljoin
from urllib.parse import urlsplit

from tests.waiting import PATIENCE

HUMAN_SECONDS = 3
"""A form that comes back sooner is shown again."""
TYPED = {"name": "Budi", "email": "budi@example.com", "note": "halo\nini catatan"}
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


class Form(HTMLParser):
    """One form as a browser holds it: where it goes, what it would send, and the radio buttons nobody pressed yet."""

    def __init__(self) -> None:
        super().__init__()
        self.action, self.method = "", "get"
        self.fields: dict[str, str] = {}
        self.choices: list[dict[str, str]] = []


class Page(HTMLParser):
    """An answer, read as a browser would read it."""

    def __init__(self, status: int, headers: Message, body: bytes, url: str) -> None:
        super().__init__()
        self.status, self.headers, self.body, self.url = status, headers, body, url
        self.asked_at = self.seen_at = time.time()
        self.state = self.lang = ""
        self.slots: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.alert_links: list[str] = []
        self.forms: list[Form] = []
        self._alert = 0
        self._depth = 0
        self._open: Form | None = None
        self._textarea = ""
        if "html" in headers.get_content_type():
            self.feed(self.text)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    @property
    def location(self) -> str:
        """Where a redirect leads, as a whole address."""
        return urljoin(self.url, self.headers["Location"])

    def json(self) -> dict[str, object]:
        """The body as JSON."""
        found: dict[str, object] = json.loads(self.body)
        return found

    def post_form(self, ending: str = "") -> Form:
        """The form that posts to an address with this ending."""
        (form,) = [form for form in self.forms if form.method == "post" and urlsplit(form.action).path.endswith(ending)]
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a visitor could see or use."""
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given["id"]} if "id" in given else set()
        if tag not in VOID:
            self._depth += 1
            if given.get("role") == "alert" and not self._alert:
                self._alert = self._depth
        if tag == "html":
            self.lang = given.get("lang", "")
        if tag == "main":
            self.state = given.get("data-state", "")
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
            if "data-slot" in given:
                self.slots.append(given["data-slot"])
            if self._alert:
                self.alert_links.append(given["href"])
        if tag == "form":
            self._open = Form()
            self._open.action = urljoin(self.url, given.get("action", ""))
            self._open.method = given.get("method", "get").lower()
            self.forms.append(self._open)
        elif self._open is not None:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form, name = self._open, given.get("name", "")
        assert form is not None
        if tag == "textarea":
            self._textarea = name
            form.fields[name] = ""
        elif tag == "input" and given.get("type") == "radio":
            form.choices.append(given)
        elif tag == "input" and name:
            form.fields[name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        """The text of a textarea is its value."""
        if self._textarea and self._open is not None:
            self._open.fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        """Close forms, alerts and textareas."""
        if tag == "textarea" and self._open is not None:
            self._open.fields[self._textarea] = self._open.fields[self._textarea].removeprefix("\n")
            self._textarea = ""
        if tag == "form":
            self._open = None
        if tag not in VOID:
            if self._alert == self._depth:
                self._alert = 0
            self._depth -= 1


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Each step of a redirect is looked at on its own."""


class Booked(NamedTuple):
    """What a visitor has after a POST that was taken: the link to her page, and the page."""

    link: str
    page: Page


class Visitor:
    """One person with one browser."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.own_page = "/manage"
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar), _Stay()
        )

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies this browser holds."""
        return {cookie.name: cookie.value or "" for cookie in self.jar}

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Page:
        """One exchange, redirects not followed."""
        url, asked_at = urljoin(self.base, path), time.time()
        request = urllib.request.Request(url, body, headers or {}, method=method)
        answer: HTTPResponse | urllib.error.HTTPError
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            page = Page(answer.status or 0, answer.headers, answer.read(), url)
        page.asked_at = asked_at
        return page

    def get(self, path: str, **query: str) -> Page:
        """GET."""
        return self.ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, fields: dict[str, str]) -> Page:
        """POST a form."""
        return self.ask("POST", path, urlencode(fields).encode())

    def follow(self, page: Page) -> Page:
        """Go where redirects lead."""
        for _ in range(5):
            if page.status not in {301, 302, 303, 307, 308}:
                break
            page = self.get(page.location)
        return page

    def form(self, offer: str, slot: str, tz: str = "") -> Page:
        """The page with the form for a slot; `offer` is its path, such as `/sari/sesi/`."""
        page = self.get(f"{offer}book", slot=slot, **({"tz": tz} if tz else {}))
        assert page.status == 200, f"{page.status}: {page.state}"
        return page

    def send(self, form_page: Page, **typed: str) -> Page:
        """Fill in a form and send it, as slowly as a person would."""
        wait_like_a_person(form_page.seen_at)
        return self.send_at_once(form_page, **typed)

    def send_at_once(self, form_page: Page, **typed: str) -> Page:
        """Fill in a form and send it, at once."""
        form = form_page.post_form()
        return self.post(form.action, {**form.fields, **TYPED, **typed})

    def book(self, offer: str, slot: str, tz: str = "", **typed: str) -> Booked:
        """From the form to the client's page, whatever its state."""
        answer = self.send(self.form(offer, slot, tz), **typed)
        return Booked(answer.location, self.arrive(answer))

    def arrive(self, answer: Page) -> Page:
        """From the answer to a booking to the client's own page."""
        assert answer.status == 303, f"{answer.status}: {answer.state}"
        page = self.follow(answer)
        self.own_page = page.url
        return page

    def wait_for(self, state: str, seconds: float = PATIENCE) -> Page:
        """Look at the client's page until it says so."""
        deadline = time.monotonic() + seconds
        while (page := self.get(self.own_page)).state != state:
            assert time.monotonic() < deadline, f"still «{page.state}» after {seconds} s, not «{state}»"
            threading.Event().wait(0.05)
        return page


def wait_like_a_person(seen_at: float) -> None:
    """Let the site's clock, which counts whole seconds, see that the form was not filled in by a robot."""
    while int(time.time()) - int(seen_at) < HUMAN_SECONDS:
        threading.Event().wait(0.02)


def may_be_a_person(form_page: Page) -> bool:
    """Whether the site may think so of whoever has just sent that form: this machine stood still in between."""
    return int(time.time()) - int(form_page.asked_at) >= HUMAN_SECONDS


def at(slot: str) -> datetime:
    """The instant of a `data-slot`."""
    return datetime.strptime(slot, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def slot_of(instant: datetime) -> str:
    """An instant as a `data-slot`."""
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def a_slot(visitor: Visitor, offer: str, days: int = 4) -> str:
    """The first free slot that is at least so many days away."""
    return slots_from(visitor, offer, days)[0]


def slots_from(visitor: Visitor, offer: str, days: int) -> list[str]:
    """The free slots of the first day that begins at least so many days from now."""
    soonest = datetime.now(UTC) + timedelta(days=days)
    page = visitor.get(offer, day=f"{soonest + timedelta(days=1):%Y-%m-%d}")
    assert page.status == 200, page.status
    assert page.slots, "the picker shows no free time"
    assert at(page.slots[0]) >= soonest
    return page.slots


def reference(page: Page) -> str:
    """The reference of a booking, as the forms of its page carry it."""
    return page.post_form("/manage/cancel").fields["ref"]


def host_of(url: str) -> str:
    """The host and port of an address."""
    return urlsplit(url).netloc


def unfolded(ics: bytes) -> list[str]:
    """The content lines of an iCalendar file."""
    return re.sub(r"\r?\n[ \t]", "", ics.decode("utf-8")).split("\r\n")


def value(ics: bytes, name: str) -> str:
    """The value of the one property of that name in a file's VEVENT."""
    (found,) = [line.partition(":")[2] for line in in_event(ics) if re.split("[:;]", line)[0] == name]
    return found


def in_event(ics: bytes) -> list[str]:
    """The lines of the one VEVENT."""
    lines = unfolded(ics)
    return lines[lines.index("BEGIN:VEVENT") + 1 : lines.index("END:VEVENT")]


def names(ics: bytes) -> set[str]:
    """The property names of the one VEVENT."""
    return {re.split("[:;]", line)[0].upper() for line in in_event(ics)}
