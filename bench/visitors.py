"""Visitors of a running site: they look, fill in forms, book, and take their bookings back; plain HTTP, kept alive."""

import base64
import http.client
import re
from collections.abc import Mapping
from html import unescape
from typing import NamedTuple
from urllib.parse import urlencode
from urllib.parse import urlsplit

from .figures import WrongAnswer
from .wsgi import Answer

INPUT = re.compile(r"<input\b[^>]*>")
ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
FORM = re.compile(r'(?s)<form\b[^>]*method="post"[^>]*>.*?</form>')
ACTION = re.compile(r'<form\b[^>]*\baction="([^"]*)"')
STATE = re.compile(r'<main\b[^>]*\bdata-state="([a-z-]+)"')
TYPED = {"name": "Budi", "email": "budi@example.com", "note": "halo"}


class Form(NamedTuple):
    """A form as it came: where it goes, and what it holds."""

    action: str
    fields: Mapping[str, str]


class Visitor:
    """One connection and one cookie jar."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._conn = http.client.HTTPConnection("localhost", port, timeout=60)
        self._cookies: dict[str, str] = {}

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One exchange; a redirect is not followed."""
        sent = dict(headers or {})
        if self._cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        self._conn.request(method, target, body, sent)
        answer = self._conn.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status, found, answer.read())

    def get(self, target: str) -> Answer:
        """Look at a page, redirects followed."""
        answer = self.ask("GET", target)
        while answer.status in {302, 303}:
            parts = urlsplit(answer.headers["location"])
            answer = self.ask("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        return answer

    def form(self, offer: str, slot: str) -> Form:
        """The form for one start."""
        return form_of(self.get(f"{offer}book?{urlencode({'slot': slot})}"), "book")

    def send(self, form: Form, **typed: str) -> Answer:
        """Post a form, and go where that leads."""
        body = urlencode({**form.fields, **typed}).encode()
        parts = urlsplit(form.action)
        answer = self.ask("POST", parts.path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        return self.get(answer.headers["location"]) if answer.status == 303 else answer

    def put(self, path: str, ics: bytes, user: str, password: str) -> Answer:
        """What a calendar app does with a new event: a PUT that must not replace anything."""
        proof = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {proof}", "If-None-Match": "*", "Content-Type": "text/calendar"}
        return self.ask("PUT", path, ics, headers)

    def close(self) -> None:
        """Hang up."""
        self._conn.close()


def form_of(page: Answer, ending: str) -> Form:
    """The form that posts to an address with this ending; raises WrongAnswer where there is none."""
    for form in FORM.findall(page.text.decode()):
        action = ACTION.search(form)
        if action and urlsplit(unescape(action[1])).path.endswith(ending):
            fields = [dict(ATTRIBUTE.findall(found)) for found in INPUT.findall(form)]
            given = {each["name"]: unescape(each.get("value", "")) for each in fields if "name" in each}
            return Form(unescape(action[1]), {**given, **(TYPED if ending == "book" else {})})
    raise WrongAnswer(f"a page ({page.status}) has no form that goes to «{ending}»")


def state_of(page: Answer) -> str:
    """The state of a booking, as its page says it."""
    found = STATE.search(page.text.decode())
    return found[1] if found else ""
