"""GET and HEAD change nothing: every route of the site, with living links in every state and the coach at her desk.

Programs open every link of a mail, some of them ten times. The one thing a look may do is wish for a fresh mirror.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData
from sqlalchemy import text
from werkzeug.test import TestResponse

from microsite import create_app
from microsite.core.availability import offer as offer_starts
from microsite.core.people import Secret
from microsite.web.dates import slot_text
from microsite.work import adjust
from microsite.work import desk
from microsite.work import look
from microsite.work.erase import erase
from microsite.work.invite import invite
from tests.conftest import House

STATES = "confirming awaiting-email awaiting-coach confirmed frozen declined expired failed cancelled moving".split()
TIMES = 20
WISHES = {"calendar": ("next_poll_at", "interval")}
"""Columns that a wish for a fresh mirror changes; besides, it asks for a job of the kind `sync`."""
DIARY = "procrastinate_events"
"""The queue's own notes about its jobs; the jobs themselves are looked at."""


class Watched:
    """A house whose every table can be compared."""

    def __init__(self, house: House) -> None:
        self.house, self.app = house, create_app(services=house.services)
        self.client: FlaskClient = self.app.test_client()
        self.networks = 0
        self.desk_link = f"/desk/{desk.new_link(house.services, 'sari').reveal()}"
        self.services = house.services

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET with the cookies there are."""
        return self.client.get(path, **options)

    def stranger(self) -> FlaskClient:
        """A browser without cookies, in a network of its own: what is braked is not asked about here."""
        client = self.app.test_client()
        self.networks += 1
        client.environ_base["REMOTE_ADDR"] = f"198.51.100.{self.networks}"
        return client

    def fields(self, page: TestResponse) -> dict[str, str]:
        """The hidden fields of a page."""
        return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))

    def sit_down(self) -> None:
        """Use a one-time link, as the coach does."""
        link = f"/desk/{desk.new_link(self.services, 'sari').reveal()}"
        assert self.client.post(link, data=self.fields(self.get(link))).status_code == 303

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table, whichever database it is, but for the named wish."""
        metadata = MetaData()
        with self.services.store.read() as tx:
            metadata.reflect(tx.conn)
            found = {}
            for name, table in metadata.tables.items():
                if name == DIARY:
                    continue
                columns = [each for each in table.c if each.name not in WISHES.get(name, ())]
                rows = [row._asdict() for row in tx.conn.execute(table.select().with_only_columns(*columns))]
                found[name] = sorted(repr(row) for row in rows if "sync" not in {row.get("kind"), _kind(row)})
        return found

    def files(self) -> list[tuple[str, int]]:
        """Every file of the instance that is not the database's, and when it was written."""
        every = (path for path in self.house.instance.rglob("*") if path.is_file() and "site.db" not in path.name)
        return sorted((path.as_posix(), path.stat().st_mtime_ns) for path in every)


def _kind(row: dict[str, Any]) -> Any:
    """The kind of a job of procrastinate."""
    arguments = row.get("args")
    return arguments.get("kind") if isinstance(arguments, dict) else None


@pytest.fixture(name="watched")
def _watched(house: House) -> Watched:
    """The demo with an invited offer and a calendar that was read long ago."""
    coach = look.coach(house.services, "sari")
    document = adjust.document(coach.settings)
    document["offers"].append(_offer("undangan", invited=True))
    adjust.save(house.services, coach, document)
    house.drain()
    with house.services.store.write() as tx:
        tx.mirror.add_calendar("old", "sari", "https://dav.example/old/", "Old", {"busy"}, username="sari")
        tx.mirror.touch("old", last_ok_at=house.now - 600)
    return Watched(house)


def _offer(slug: str, **changes: Any) -> dict[str, Any]:
    blank = adjust.blank_offer()
    return {**blank, "slug": slug, "title": {"id": slug, "en": slug}, "minutes": 30, **changes}


def bookings(house: House) -> Iterator[tuple[str, dict[str, str]]]:
    """One booking in every state, with one link of each kind to it; what one wrote was sealed in a browser."""
    starts = house.starts()
    for number, state in enumerate(STATES):
        placed = house.book(starts[number * 4])
        links = {"manage": placed.token.reveal()}
        with house.services.store.write() as tx:
            span = {"pending_start": placed.booking.start + 86400, "pending_end": placed.booking.end + 86400}
            values = {"state": "confirmed", **span} if state == "moving" else {"state": state}
            tx.bookings.change(placed.booking, **values)
            if state == "frozen":
                tx.conn.execute(text("UPDATE booking SET copy = NULL WHERE id = :id"), {"id": placed.booking.id})
            for kind in ("verify", "feed", "status"):
                token = house.services.sealer.new_token()
                lookup = house.services.sealer.lookup(token)
                tx.links.add(lookup, "sari", placed.booking.id, kind, house.now + 40 * 86400)
                links[kind] = token.reveal()
        yield state, links


def looked_at(app: Flask, method: str) -> list[str]:
    """The rules that answer a method."""
    return [rule.rule for rule in app.url_map.iter_rules() if method in (rule.methods or ())]


class Ways:
    """Addresses that lead somewhere, for any rule."""

    def __init__(self, watched: Watched) -> None:
        services, coach = watched.services, look.coach(watched.services, "sari")
        self._desk = watched.desk_link.rpartition("/")[2]
        self._invitation = invite(services, coach, "undangan", 1, 30).partition("?")[2]
        self._slots = {}
        for slug in ("sesi", "undangan"):
            offer = coach.settings.offer(slug)
            assert offer is not None
            self._slots[slug] = slot_text(offer_starts(look.times(services, coach, offer))[-1])
        with services.store.read() as tx:
            self._ref = tx.bookings.live("sari")[0].ref

    def of(self, rule: str, links: dict[str, str]) -> list[str]:
        """The addresses of one rule: for both offers where it is about one, in another zone and in the coach's."""
        slugs = ("sesi", "undangan") if "<slug:offer>" in rule else ("sesi",)
        return [path for slug in slugs for token in self._tokens(rule, links) for path in self._at(rule, slug, token)]

    def _tokens(self, rule: str, links: dict[str, str]) -> list[str]:
        if "feed.ics" in rule:
            return [links["feed"]]
        if "/status/" in rule:
            return [links["status"]]
        return [self._desk] if "/desk/" in rule else [links["manage"], links["verify"]] if "<token>" in rule else [""]

    def _at(self, rule: str, slug: str, token: str) -> list[str]:
        values = {
            "coach": "sari",
            "accent": "1d6b4a",
            "digest": "0" * 12,
            "name": "site.css",
            "ref": self._ref,
            "size": "small",
        }
        values |= {"size": "small", "offer": slug, "slug": slug, "token": token}
        path = re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda part: values[part[1]], rule)
        query = f"slot={self._slots[slug]}&{self._invitation}"
        return [f"{path}?{query}", f"{path}?{query}&tz=Pacific/Chatham&day=2026-11-30"]


def test_no_look_at_any_page_in_any_state_changes_a_row_or_a_file(watched: Watched) -> None:
    every = list(bookings(watched.house))
    ways = Ways(watched)
    watched.sit_down()
    asked: dict[tuple[str, str], int] = {}
    answers: dict[str, set[int]] = {}
    before, files = watched.rows(), watched.files()
    for method in ("GET", "HEAD"):
        for rule in looked_at(watched.app, method):
            count = 0
            while count < TIMES:
                for _, links in every:
                    watched.client.set_cookie("manage", links["manage"] if count % 2 else links["verify"])
                    for path in ways.of(rule, links):
                        answer = watched.client.open(path, method=method)
                        answer.close()
                        answers.setdefault(rule, set()).add(answer.status_code)
                        count += 1
            asked[rule, method] = count
    assert min(asked.values()) >= TIMES
    assert watched.files() == files
    after = watched.rows()
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    closed = {rule for rule, seen in answers.items() if not seen & {200, 301, 303}}  # which this house has not
    assert closed == {
        "/.well-known/security.txt",
        "/metrics",
        "/static/portraits/<digest>-<any(small,large):size>.webp",
        "/embed/<slug:coach>/<slug:offer>",
        "/en/embed/<slug:coach>/<slug:offer>",
    }


def test_the_comparison_sees_a_change(watched: Watched) -> None:
    before = watched.rows()
    watched.sit_down()
    assert {name for name, rows in watched.rows().items() if rows != before[name]} >= {"link", "happening"}


def test_a_look_at_the_times_wishes_for_a_fresh_mirror_and_for_nothing_else(watched: Watched) -> None:
    def jobs() -> int:
        table = "job" if watched.services.config.jobs_engine == "outbox" else "procrastinate_jobs"
        with watched.services.store.read() as tx:
            return int(tx.conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    before = jobs()
    for _ in range(TIMES):
        watched.get("/sari/sesi/").close()
    assert jobs() == before + 1


def plain(answer: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    """All of an answer."""
    return answer.status_code, sorted(answer.headers.to_wsgi_list()), answer.data


def dead_tokens(watched: Watched) -> dict[str, dict[str, str]]:
    """Tokens that open nothing, by why; each for every kind of link."""
    house, services = watched.house, watched.services
    every = dict(list(bookings(house))[:4])
    expired, erased, _, living = every.values()
    with services.store.write() as tx:
        booking = tx.bookings.need(
            tx.links.get(services.sealer.lookup(Secret(expired["manage"])), "manage", house.now).booking
        )
        tx.links.extend(booking.id, house.now - 1)
        gone = tx.bookings.need(
            tx.links.get(services.sealer.lookup(Secret(erased["manage"])), "manage", house.now).booking
        )
    erase(services, gone.id, gone.ref)
    unknown = services.sealer.new_token().reveal()
    kinds = ("manage", "feed", "status")
    return {
        "unknown": dict.fromkeys(kinds, unknown),
        "expired": expired,
        "erased": erased,
        "for another room": {"manage": living["status"], "feed": living["manage"], "status": living["feed"]},
        "short": dict.fromkeys(kinds, "x"),
        "long": dict.fromkeys(kinds, "x" * 4000),
        "odd": dict.fromkeys(kinds, "%00%ff%F0%9F%8C%B1"),
    }


def test_unknown_expired_and_erased_links_answer_alike_to_the_byte(watched: Watched) -> None:
    tokens = dead_tokens(watched)
    asked = {
        "the link": lambda each: watched.stranger().get(f"/m/{each['manage']}"),
        "the link in English": lambda each: watched.stranger().get(f"/en/m/{each['manage']}"),
        "its head": lambda each: watched.stranger().head(f"/m/{each['manage']}"),
        "the calendar's address": lambda each: watched.stranger().get(f"/m/{each['feed']}/feed.ics"),
        "the status page": lambda each: watched.stranger().get(f"/status/{each['status']}"),
        "the page": lambda each: by_cookie(watched, "GET", "/manage", each),
        "a form": lambda each: by_cookie(watched, "POST", "/manage/cancel", each),
        "another form": lambda each: by_cookie(watched, "POST", "/manage/written", each),
        "the file": lambda each: by_cookie(watched, "GET", "/manage/session.ics", each),
    }
    for name, ask in asked.items():
        answers = {why: plain(ask(each)) for why, each in tokens.items()}
        if name in PAGES:
            answers["no cookie"] = plain(by_cookie(watched, "POST" if "form" in name else "GET", PAGES[name], None))
        like = answers["unknown"]
        assert like[0] == 404, name
        assert {why: answer == like for why, answer in answers.items()} == dict.fromkeys(answers, True), name
        assert not any(header == "Set-Cookie" for header, _ in like[1]), name


PAGES = {
    "the page": "/manage",
    "a form": "/manage/cancel",
    "another form": "/manage/written",
    "the file": "/manage/session.ics",
}


def by_cookie(watched: Watched, method: str, path: str, tokens: dict[str, str] | None) -> TestResponse:
    """Asked with the cookie that the link would have given."""
    client = watched.stranger()
    if tokens is not None:
        client.set_cookie("manage", tokens["manage"])
    return client.open(path, method=method, data={} if method == "POST" else None)
