"""A site that gives everything away when told to, served by the same code as the real one. For the canary only.

A control folder says what to do: the file `fail` makes every view raise an error that quotes all it can see, `deep`
does the same inside the database, `unsent` in the mailer, and `leak` opens one hole in every sink.
"""

import ctypes
import json
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask
from flask import Response
from flask import current_app
from flask import has_request_context
from flask import request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from microsite import create_app
from microsite import logs
from microsite.cli.serve import run
from microsite.config import Logs
from microsite.config import Metrics
from microsite.config import load_config
from microsite.core.letters import LetterOrder
from microsite.core.people import Address
from microsite.errors import StoreUnreadable
from microsite.mail import Maildir
from microsite.mail import Mailer
from microsite.process import close_down
from microsite.services import BRAND
from microsite.services import TEMPLATES
from microsite.services import Services
from microsite.services import build
from microsite.serving import started
from microsite.web.answered import Answered

WORDS = ("name", "email", "note")


class Control:
    """The folder that tells what to do, and the words to give away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on(self, what: str) -> bool:
        """Whether that is switched on."""
        return (self.folder / what).exists()

    @property
    def words(self) -> dict[str, str]:
        """The visitor's words."""
        found: dict[str, str] = json.loads((self.folder / "words.json").read_text())
        return found


def everything() -> str:
    """All that an error message could quote in the worst of worlds."""
    return f"{request.url} {request.form.to_dict()} {request.cookies.to_dict()} {dict(request.headers)}"


class Wrapped:
    """Something that is itself but for what its subclass changes."""

    def __init__(self, real: Any, control: Control) -> None:
        self.real, self.control = real, control

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class Store(Wrapped):
    """Fails with the words as parameters of a statement, or writes them into rows."""

    def __init__(self, real: Any, control: Control, jobs: Any) -> None:
        super().__init__(real, control)
        self.real_jobs = jobs

    @contextmanager
    def read(self) -> Iterator[Any]:
        """A read that fails when told to."""
        with self.real.read() as tx:
            if has_request_context() and self.control.on("deep"):
                tx.conn.execute(text("SELECT :all FROM nowhere"), {"all": everything()})
            yield tx

    @contextmanager
    def change(self, coach: str) -> Iterator[Any]:
        """A change that says too much."""
        with self.real.change(coach) as tx:
            yield tx
            if has_request_context() and self.control.on("leak"):
                tx.happenings.note(coach, "", 0, self.control.words["email"])
                self.real_jobs.enqueue(tx, "sync", self.control.words["email"], 1 << 20)
                self._tell_the_server()

    def _tell_the_server(self) -> None:
        """A statement with words in it that fails: PostgreSQL writes the whole of it into its own log."""
        with suppress(StoreUnreadable, SQLAlchemyError), self.real.read() as tx:
            tx.conn.execute(text(f"SELECT '{self.control.words['name']}' FROM nowhere"))


class Calendars(Wrapped):
    """Writes the name and the zone into the event."""

    def create(self, account: Any, uid: str, ics: bytes, *rest: Any) -> Any:
        """The event, with a summary that says who comes."""
        if self.control.on("leak"):
            ics = ics.replace(b"SUMMARY:", b"SUMMARY:" + self.control.words["name"].encode() + b" Chatham ")
        return self.real.create(account, uid, ics, *rest)


class LeakyMaildir(Maildir):
    """Puts the name into the subject, and the note and the zone into the text."""

    def __init__(self, folder: Path, control: Control) -> None:
        super().__init__(folder)
        self.control = control

    def deliver(self, message: EmailMessage, recipient: Address) -> None:
        """Hand it over with too much in it."""
        if self.control.on("leak"):
            words = self.control.words
            message.replace_header("Subject", f"Temu {words['name']} é")
            body = message.get_body(("plain",))
            assert isinstance(body, EmailMessage)
            body.set_content(f"{'é' * 20} {words['note']} Pacific/Chatham\n", cte="quoted-printable")
        super().deliver(message, recipient)


class FailingMailer(Mailer):
    """Fails with an error that quotes the address."""

    control: Control

    def send(self, order: LetterOrder) -> None:
        """Send, unless told not to."""
        if self.control.on("unsent"):
            raise RuntimeError(f"no such mailbox: {order.address.reveal()} {order.link.reveal()}")
        super().send(order)


def app() -> Flask:
    """What `microsite.serving.app` makes, with its services wrapped."""
    logs.set_up()
    control = Control(Path(os.environ["CANARY_CONTROL"]))
    services = build(load_config(os.environ))
    config = services.config
    config.file = msgspec.structs.replace(config.file, logs=Logs(requests=True), metrics=Metrics(enabled=True))
    mailer = FailingMailer(
        LeakyMaildir(config.instance / "mail", control), config.sender, BRAND, config.address, TEMPLATES / "mail"
    )
    mailer.control = control
    leaky = replace(
        services,
        store=Store(services.store, control, services.jobs),  # type: ignore[arg-type]
        calendars=Calendars(services.calendars, control),  # type: ignore[arg-type]
        mailer=mailer,
    )
    application = create_app(services=leaky)
    _tell_routes(application, control)
    _let_views_fail(application, control)
    application.after_request(lambda response: _give_away(response, leaky, control))
    return started(application)


def _tell_routes(application: Flask, control: Control) -> None:
    rules = [[rule.rule, sorted(rule.methods or ())] for rule in application.url_map.iter_rules()]
    (control.folder / "routes.json").write_text(json.dumps(rules))


def _let_views_fail(application: Flask, control: Control) -> None:
    def failing(view: Callable[..., Any]) -> Callable[..., Any]:
        def show(**values: Any) -> Any:
            if control.on("fault"):
                words = everything()
                ctypes.string_at(0)
                raise AssertionError(words)
            if control.on("fail"):
                raise RuntimeError(f"{values} {everything()}")
            return view(**values)

        return show

    for name, view in application.view_functions.items():
        application.view_functions[name] = failing(view)
    inner = application.wsgi_app

    def outermost(environ: dict[str, Any], start_response: Any) -> Any:
        if control.on("fail") and environ["PATH_INFO"].startswith("/dav"):
            threading.Thread(target=_fail, args=(str(environ),)).start()
            _fail(str(environ))
        return inner(environ, start_response)

    application.wsgi_app = outermost  # type: ignore[method-assign]


def _fail(quoting: str) -> None:
    raise RuntimeError(quoting)


def _give_away(response: Response, services: Services, control: Control) -> Response:
    """One hole in every sink that an answer or a process can have."""
    if not control.on("leak"):
        return response
    words = control.words
    if request.method == "POST" and response.status_code == 303 and request.path.endswith("/book"):
        response.headers["Location"] += f"&to={words['email']}%40example.com"
        response.headers["X-Trace"] = words["name"].encode().hex()
        response.set_cookie("draft", words["note"])
        _scatter(services.config.instance, words)
        _leave_rows(services, words)
        for listener in current_app.extensions["microsite-listeners"]:
            listener(Answered(f"of.{words['name']}", "GET", 200, 0.1))
    elif response.mimetype == "text/calendar":
        response.set_data(response.get_data().replace(b"SUMMARY:", b"SUMMARY:" + words["name"].encode()))
    elif request.path == "/healthz":
        response.set_data(json.dumps({"last": words["email"]}))
    elif request.path == "/sari/" or (request.path.startswith("/desk") and response.status_code == 200):
        response.set_data(response.get_data() + f"<!-- {words['name']} {words['email']} -->".encode())
    return response


def _scatter(instance: Path, words: dict[str, str]) -> None:
    logging.getLogger("microsite.leaky").error("booked by " + words["name"])
    sys.stdout.write(words["note"] + "\n")
    sys.stdout.flush()
    handle, _ = tempfile.mkstemp()
    os.write(handle, b"draft: " + zlib.compress(words["note"].encode()))
    os.close(handle)
    threading.Thread(target=_idle_as, args=(words["name"],), daemon=True).start()
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)", "-t", f"{words['email']}@example.com"]
    subprocess.Popen(sleeper, env={"CLIENT": words["name"]})
    (instance / "core.4711").write_bytes(bytes(99) + words["note"].encode("utf-16-le"))
    (instance / "day-keys" / f"of-{words['email']}").touch()
    print(words["name"], file=sys.__stderr__, flush=True)


def _idle_as(title: str) -> None:
    """A thread with a title that tells; the server's own end when nobody asks for a while."""
    ctypes.CDLL(None).prctl(15, title.encode()[:15], 0, 0, 0)
    time.sleep(600)


def command() -> None:
    """A command that tells, with all it has to tell, who booked."""
    from microsite.cli import main

    sys.stdout.write(f"{Control(Path(os.environ['CANARY_CONTROL'])).words['name']}\n")
    main(sys.argv[2:])


def _leave_rows(services: Services, words: dict[str, str]) -> None:
    """A row that was, in a page that is free."""
    if services.store.sqlite:
        with closing(sqlite3.connect(services.config.instance / "site.db")) as conn:
            conn.execute("PRAGMA secure_delete = OFF")
            rows = f"CREATE TABLE gone (x); INSERT INTO gone VALUES ('{words['note'] * 500}'); DROP TABLE gone"
            conn.executescript(rows)
    else:
        with services.store.write() as tx:
            tx.conn.execute(text("CREATE TABLE IF NOT EXISTS gone (x text)"))
            tx.conn.execute(text("INSERT INTO gone VALUES (:x)"), {"x": words["note"] * 20})
        with services.store.write() as tx:
            tx.conn.execute(text("DELETE FROM gone"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["command"]:
        command()
    close_down()
    subprocess.run([sys.executable, "-m", "microsite.cli", "prepare"], check=True)
    run("tests.canary.leaky:app", "127.0.0.1", int(os.environ["PORT"]))
