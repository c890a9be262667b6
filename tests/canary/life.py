"""A visitor's whole life on a running site, with unmistakable words, and everything that could be seen of it.

What is collected here is searched by the tests; the site itself is told nothing, but for `leaky`'s control folder.
"""

import json
import re
import secrets
import shutil
import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode
from urllib.parse import urlsplit

from tests.conftest import ROOT
from tests.conftest import Site
from tests.conftest import free_port
from tests.conftest import wait_until
from tests.desk.hands import settings_fields
from tests.flow.coach import Letter
from tests.flow.coach import Mailbox
from tests.flow.visitor import Page
from tests.flow.visitor import Visitor
from tests.flow.visitor import may_be_a_person
from tests.flow.visitor import slots_from
from tests.flow.visitor import wait_like_a_person

from . import commands
from . import sinks
from .sinks import Markers
from .sinks import Piece

OFFER = "/sari/sesi/"
ZONE = "Pacific/Chatham"
ZONE_MARKERS = ["Chatham", "+12:45", "+13:45"]
"""A rare zone tells as much about a person as a name does; so does an offset that only a few islands have."""
LINK = re.compile(r"/m/([A-Za-z0-9_-]{43})")
STATUS_LINK = re.compile(r"/status/([A-Za-z0-9_-]{43})")
FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
INVITATION = re.compile(r"invite=([A-Za-z0-9_-]{43})")
ROOMS = (
    "/invitations",
    "/settings",
    "/offers/sesi",
    "/offers/new",
    "/calendars",
    "/kept",
    "/keys",
    "/keys/new",
    "/records",
)
STATIC = {
    "<slug:coach>": "sari",
    "<slug:offer>": "sesi",
    "<ref>": "K7QD",
    "<slug>": "sesi",
    "<string(length=12):digest>": "0" * 12,
    "<path:name>": "a.css",
    "<string(length=6):accent>": "1d6b4a",
    "<digest>": "0" * 16,
    "<any(small,large):size>": "small",
}


class Words(NamedTuple):
    """What one visitor types; random, so that a hit is never chance, and short enough for a title."""

    name: str
    email: str
    note: str

    @classmethod
    def new(cls) -> "Words":
        """Words that nobody ever said."""
        return cls(*(f"Q{secrets.token_hex(6)}z" for _ in range(3)))

    @property
    def typed(self) -> dict[str, str]:
        """As typed into the form, between signs that every encoding treats in its own way."""
        return {
            "name": f"Ké <b>&{self.name}'",
            "email": f"{self.email}@example.com",
            "note": f'Halo "{self.note}"\nbaris kedua é = %41 \\u0041',
        }


class Watched(Visitor):
    """A browser whose every exchange is kept."""

    def __init__(self, base: str, who: str, trail: list[Piece]) -> None:
        super().__init__(base)
        self.who, self.trail = who, trail

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Page:
        """One exchange."""
        page = super().ask(method, path, body, headers)
        self.trail += sinks.exchange(
            self.who, method, page.url, headers or {}, page.status, page.headers.items(), page.body
        )
        return page

    def last_words(self, path: str) -> None:
        """Ask for what kills the one who should answer."""
        with suppress(ConnectionError, HTTPException, urllib.error.URLError):
            self.ask("GET", path)


class LeakySite(Site):
    """The same server with the wrapped services of `leaky`."""

    @property
    def control(self) -> Path:
        """The folder that tells it what to do."""
        return Path(self.environ["CANARY_CONTROL"])

    def start(self) -> "LeakySite":
        """Start it and wait until it is healthy."""
        with self.stderr.open("ab") as log:
            command = [sys.executable, "-m", "tests.canary.leaky"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environ, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self.healthy, 120, "a healthy site")
        return self

    def switch(self, what: str, on: bool = True) -> None:
        """Let it do that, or stop it."""
        (self.control / what).touch() if on else (self.control / what).unlink()


class Life:
    """One visitor, one coach, one stranger, and all that was seen of them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.words = Words.new()
        self.trail: list[Piece] = []
        self.links: list[str] = []
        self.status_links: list[str] = []
        self.desk_sessions: list[str] = []
        self.invitations: list[str] = []
        self.day_keys: set[bytes] = set()
        self.said: list[Piece] = []
        self.backup_key = ""
        self.client = self.person("client")

    @classmethod
    def new(cls, folder: Path, kind: type[Site] = Site, database: str = "") -> "Life":
        """On a site that was never started, with a temp folder of its own."""
        for name in ("tmp", "control"):
            (folder / name).mkdir()
        environ = {"TMPDIR": str(folder / "tmp"), "CANARY_CONTROL": str(folder / "control")}
        environ["PYTHONFAULTHANDLER"] = "1"
        if database:
            environ["MICROSITE_DATABASE_URL"] = environ["CANARY_DATABASE"] = database
        life = cls(kind(folder / "instance", free_port(), environ))
        given = {name: getattr(life.words, name) for name in ("name", "email", "note")}
        (folder / "control" / "words.json").write_text(json.dumps(given))
        return life

    @property
    def folder(self) -> Path:
        """Everything the site could write to is below."""
        return self.site.instance.parent

    def person(self, who: str) -> Watched:
        """Somebody with an empty browser."""
        return Watched(self.site.base, who, self.trail)

    def markers(self) -> Markers:
        """All that must not be found, by kind."""
        instance, welcome = self.site.instance, self.site.welcome
        identity = (instance / "demo-identity.txt").read_text().split()[-1]
        return {
            "name": [self.words.name],
            "e-mail": [self.words.email],
            "note": [self.words.note],
            "zone": list(ZONE_MARKERS),
            "manage link": list(dict.fromkeys(self.links)),
            "status link": list(dict.fromkeys(self.status_links)),
            "calendar password": [welcome["caldav-password"]],
            "desk link": [welcome["desk"].rsplit("/", 1)[1]],
            "desk session": list(self.desk_sessions),
            "invitation": list(self.invitations),
            "server key": [bytes.fromhex(line) for line in (instance / "server.key").read_text().split()],
            "day key": sorted(self.day_keys),
            "coach's key": [identity],
            "backup key": [self.backup_key] if self.backup_key else [],
        }

    def book(self, days: int) -> Page:
        """From the picker to a confirmed booking, with every detour on the way."""
        client = self.client
        slot, *_, another = slots_from(client, OFFER, days)
        client.get(OFFER, tz=ZONE)
        form = client.form(OFFER, slot, ZONE)
        at_once = client.send_at_once(form, **self.words.typed)
        assert at_once.status == 422 or (at_once.status == 303 and may_be_a_person(form))
        self._refused(client.form(OFFER, another, ZONE))
        wait_like_a_person(form.seen_at)
        answer = client.send_at_once(form, **self.words.typed)
        assert answer.status == 303, answer.text
        self._keep_links(answer.location)
        again = client.send_at_once(form, **self.words.typed)  # as on a slow network
        assert (again.status, LINK.findall(again.location)) == (303, LINK.findall(answer.location))
        page = client.follow(answer)
        client.own_page = page.url
        return client.wait_for("confirmed")

    def _refused(self, form: Page) -> None:
        """Each way a form can come back, or not at all."""
        client, typed, post = self.client, self.words.typed, form.post_form()
        fields = {**post.fields, **typed}
        for wrong in ({"note": typed["note"] + "x" * 501}, {"email": f"{self.words.email}@"}, {"website": "x"}):
            assert client.post(post.action, {**fields, **wrong}).status == 422
        assert client.post(post.action, {**fields, "name": typed["name"] + "\u202e\x00"}).status == 422
        assert client.post(post.action, {**fields, "slot": "20200106T030000Z"}).status == 409
        assert client.get(f"{OFFER}book", slot="20200106T030000Z", tz=ZONE).status == 409
        foreign = {"Sec-Fetch-Site": "cross-site"}
        body = urlencode(fields).encode()
        assert client.ask("POST", post.action, body, foreign).status == 403
        assert client.ask("POST", post.action, body + b"&x=" + b"x" * 17_000).status == 413
        assert client.ask("POST", "/sari/", body).status == 405
        assert client.ask("POST", f"{OFFER}nothing", body).status == 404
        assert client.ask("POST", OFFER + "book", body, {"Content-Type": "multipart/form-data; boundary="}).status < 500
        assert client.ask("POST", post.action, body, {"Host": "elsewhere.example"}).status == 400

    def look_around(self) -> None:
        """The client's own pages and file; a stranger's; a prober who puts words where links have tokens."""
        client, stranger, prober = self.client, self.person("stranger"), self.person("prober")
        page = client.get(client.own_page)
        ics = client.get("/manage/session.ics").body
        self.status_links += STATUS_LINK.findall(sinks.Searched(ics).unfolded.decode())
        client.get(f"/status/{self.status_links[-1]}", tz=ZONE)
        assert page.state == "confirmed"
        assert client.get("/manage/yours").state == "yours"
        for each in ("export", "feed"):
            form = page.post_form(f"/manage/{each}")
            self._keep_links(client.post(form.action, form.fields).text)
        assert client.get(f"/m/{self.links[-1]}/feed.ics").status == 200
        for path in (
            "/",
            "/en/",
            "/sari/",
            OFFER,
            "/sari/privacy",
            "/manage",
            "/desk",
            "/healthz",
            "/metrics",
            "/dav/",
            "/nothing",
        ):
            stranger.get(path)
        token = f"{self.words.name}{self.words.email}{self.words.note}"[:43]
        for path in (f"/m/{token}", f"/en/m/{token}", f"/status/{token}", f"/desk/{token}", f"/m/{self.links[-1]}x"):
            prober.get(path)
        for path in (
            f"/{self.words.name}/",
            f"/sari/{self.words.email}/",
            f"/dav/{self.words.name}/{self.words.note}/",
        ):
            assert prober.get(path).status in {401, 403, 404}
        prober.get(OFFER, day=self.words.note, tz=self.words.name, q=self.words.email)
        prober.post(f"/desk/{token}", self.words.typed)
        prober.ask("PROPFIND", f"/dav/{self.words.name}/", b"<x>" + self.words.note.encode())

    def open_desk(self) -> Page:
        """The coach uses her link, looks into every room, and uses every button that ends nothing."""
        coach = self.person("coach")
        page = coach.get(urlsplit(self.site.welcome["desk"]).path)
        coach.post(page.url, page.post_form().fields)
        self.desk_sessions.append(coach.cookies["desk"])
        page = coach.get("/desk")
        for path in ROOMS:
            assert coach.get(f"/desk{path}").status == 200, path
            assert coach.get(f"/en/desk{path}").status == 200, path
        for ref in sorted(set(re.findall(r'data-ref="([A-Z0-9]+)"', page.text))):
            coach.get(f"/desk/records/{ref}.age")
            self._press(coach, "/desk/ask-to-move", ref=ref)
            self._press(coach, "/desk/cancel", ref=ref, form_token="another's")
        self._press(coach, "/desk/invitations", offer="sesi", uses="1", days="3", label="Q")
        asked = [piece.data for piece in self.trail if "POST /desk/invitations" in piece.where and piece.sink == "page"]
        self.invitations += INVITATION.findall(b"".join(asked).decode())
        fields = settings_fields(coach.get("/desk/settings").text)
        assert coach.post("/desk/settings", {**fields, "zone": "nowhere"}).status == 422
        assert coach.post("/desk/settings", fields).status == 303
        for path in ("/desk/passkeys/question", "/desk/passkeys", "/desk/passkeys/wrap", "/desk/keys", "/desk/records"):
            self._press(coach, path, answer="{}", everyday="age1x", recovery="age1y", ref="K7QD", sealed="x", id="x")
        stranger = self.person("stranger")
        for path in ("/desk/key", "/desk/passkey/question", "/desk/key/answer", "/desk/passkey"):
            token = FORM_TOKEN.findall(stranger.get("/desk").text)[0]
            stranger.post(path, {"form_token": token, "answer": "{}"})
        return coach.get("/desk")

    def _press(self, coach: Watched, path: str, **given: str) -> None:
        token = FORM_TOKEN.findall(coach.get("/desk/keys").text)[0]
        assert coach.post(path, {"form_token": token, **given}).status < 500, path

    def cancel(self) -> None:
        """Cancel, and be told by mail."""
        page = self.client.get("/manage", tz=ZONE)
        form = page.post_form("/manage/cancel")
        answer = self.client.post(form.action, form.fields)
        assert answer.status == 303
        assert self.client.follow(answer).state == "cancelled"

    def letters(self, count: int) -> list[Letter]:
        """The client's letters, once there are so many."""
        found = Mailbox(self.site.instance / "mail").wait(f"{self.words.email}@example.com", count)
        for each in found:
            self._keep_links(each.text)
        return found

    def fail_everywhere(self) -> list[tuple[str, str, int]]:
        """Ask every view of the site, by every method, with a form full of words; (method, rule, status) of each."""
        assert isinstance(self.site, LeakySite)
        unlucky, answers = self.person("unlucky"), []
        unlucky.jar = self.client.jar
        for rule, methods in json.loads((self.site.control / "routes.json").read_text()):
            path = rule.replace("<token>", self.links[0])
            for name, value in STATIC.items():
                path = path.replace(name, value)
            assert "<" not in path, f"say in STATIC what stands for the placeholder of {rule}"
            for method in sorted(set(methods) - {"HEAD", "OPTIONS"}):
                body = None if method == "GET" else urlencode(self.words.typed).encode()
                answers.append((method, rule, unlucky.ask(method, path, body).status))
        return answers

    def run_commands(self) -> None:
        """Every command that only tells something, and what it told."""
        for words in commands.READING:
            done = subprocess.run(
                [sys.executable, "-m", *self.commands_of, *words],
                cwd=ROOT,
                env=self.site.environ,
                capture_output=True,
                timeout=120,
            )
            self.said.append(Piece("command", " ".join(words[:2]), done.stdout + done.stderr))

    @property
    def commands_of(self) -> list[str]:
        """How commands are started: on a leaky site, by the one that gives away what it can."""
        return ["tests.canary.leaky", "command"] if isinstance(self.site, LeakySite) else ["microsite.cli"]

    def crash(self) -> None:
        """The worker process dies of the worst: a fault in memory, in the middle of a request."""
        assert isinstance(self.site, LeakySite)
        self.site.switch("fault")
        self.client.last_words("/manage")
        self.site.switch("fault", on=False)
        wait_until(self.site.healthy, 120, "another worker")

    def run(self, *words: str, module: str = "microsite.cli") -> str:
        """A command of the operator's; what it said goes on the trail."""
        command = [sys.executable, "-m", module, *words]
        done = subprocess.run(command, cwd=ROOT, env=self.site.environ, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        self.trail.append(Piece("command", " ".join(words[:1]), (done.stdout + done.stderr).encode()))
        return done.stdout

    def back_up(self) -> None:
        """The operator makes a backup, writes a breach report, and the coach's record of processing, while it runs."""
        found = re.search(r"AGE-SECRET-KEY-\w+", self.run("backup-key"))
        assert found is not None
        self.backup_key = found[0]
        self.run("backup", "--to", str(self.folder / "backups" / "1"))
        self.run("breach-report", "--what", "live", "--to", str(self.folder / "breach"))
        self.run("coach", "record", "sari")

    def keep_day_keys(self) -> None:
        """Remember the keys that exist now."""
        self.day_keys |= {path.read_bytes() for path in (self.site.instance / "day-keys").glob("20*")}

    def pieces(self) -> Iterator[Piece]:
        """Every sink as it is now, and every exchange so far."""
        yield from self.trail
        yield from sinks.instance(self.site.instance)
        own = self.site.environ.get("CANARY_DATABASE")
        yield from sinks.server_rows(own) if own else sinks.database(self.site.instance)
        yield from sinks.folder("temp file", self.folder / "tmp")
        for path in sorted((self.folder / "backups").glob("*/*")):
            yield from sinks.backup(path, self.backup_key)
        yield from sinks.folder("breach report", self.folder / "breach")
        yield Piece("log", "standard output and error", self.site.stderr.read_bytes())
        yield from self.said
        for path in [*ROOT.glob("core*"), *ROOT.glob("*.crash")]:
            if path.is_file():
                yield Piece("crash file", path.name, path.read_bytes())
        process = self.site.process
        if process is not None and process.poll() is None:
            yield from sinks.processes(process.pid)

    def close(self) -> None:
        """Stop the site and all that it started; also after a check that failed (`contextlib.closing`)."""
        if self.site.process is not None and self.site.process.poll() is None:
            self.site.kill()
        shutil.rmtree(self.folder / "tmp")

    def _keep_links(self, text: str) -> None:
        self.links += LINK.findall(text)
        self.status_links += STATUS_LINK.findall(text)
