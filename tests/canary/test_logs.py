"""Whatever is typed, wherever a view breaks: no field value, no path and no token reaches a log line."""

import io
import json
import logging
import re
import secrets
import sys
import threading
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask import request
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from microsite import create_app
from microsite import logs
from microsite.config import Logs
from microsite.config import Metrics
from microsite.errors import StoreUnreadable
from microsite.store.prepared import Prepared
from tests.conftest import House

from .life import STATIC

TEXT = st.text(st.characters(codec="utf-8"), min_size=12, max_size=80)
TYPED = st.fixed_dictionaries({"name": TEXT, "email": TEXT, "note": TEXT, "slot": TEXT, "choice": TEXT, "ref": TEXT})
SANE = st.fixed_dictionaries({"name": TEXT, "email": TEXT, "note": TEXT})


FORMS = st.sampled_from(sorted(logs.FORMS))


@contextmanager
def captured(form: str = "lines") -> Iterator[io.StringIO]:
    """What the site's own logging writes, with everything that logging changes put back afterwards."""
    root, granian, written = logging.getLogger(), logging.getLogger("_granian"), io.StringIO()
    before = root.handlers[:], root.level, granian.handlers[:], granian.propagate
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook, sys.stderr
    levels = {name: logging.getLogger(name).level for name in logs.QUIET}
    sys.stderr = written
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logs.set_up(form)
            yield written
    finally:
        logging.captureWarnings(False)
        root.handlers[:], root.level, granian.handlers[:], granian.propagate = before
        sys.excepthook, threading.excepthook, sys.unraisablehook, sys.stderr = hooks
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


class Broken:
    """An application whose every view raises an error that quotes all it was given."""

    def __init__(self, house: House) -> None:
        watched = msgspec.structs.replace(
            house.services.config.file, logs=Logs(requests=True), metrics=Metrics(enabled=True)
        )
        house.services.config.file = watched
        self.app: Flask = create_app(services=house.services)
        self.client: FlaskClient = self.app.test_client()
        for name in self.app.view_functions:
            self.app.view_functions[name] = _quote
        rules = [rule for rule in self.app.url_map.iter_rules() if rule.endpoint != "hashed"]
        self.paths = sorted({(method, rule.rule) for rule in rules for method in (rule.methods or ()) - {"OPTIONS"}})


def _quote(**values: object) -> str:
    try:
        raise ValueError(f"{values} {request.form.to_dict()} {request.full_path} {request.cookies.to_dict()}")
    except ValueError as error:
        raise RuntimeError(*request.form.values(), json.dumps(request.form.to_dict())) from error


@pytest.fixture(name="broken")
def _broken(house: House) -> Broken:
    """The demo's pages, all broken."""
    return Broken(house)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), typed=TYPED, form=FORMS)
def test_no_field_no_path_and_no_token_reaches_the_log(
    broken: Broken, data: st.DataObject, typed: dict, form: str
) -> None:
    method, rule = data.draw(st.sampled_from(broken.paths))
    token = secrets.token_urlsafe(32)
    path = rule.replace("<token>", token)
    for placeholder, value in STATIC.items():
        path = path.replace(placeholder, value)
    broken.client.set_cookie("manage", token)
    with captured(form) as written:
        answer = broken.client.open(path, method=method, data=None if method in {"GET", "HEAD"} else typed)
    assert answer.status_code == 500
    log = written.getvalue()
    assert "error=RuntimeError" in log or '"error": "RuntimeError"' in log
    assert log.count("\n") == 2, "one line for the error and one for the request, whatever was typed"
    if form == "json":
        log += json.dumps([list(json.loads(line).values()) for line in log.splitlines()], ensure_ascii=False)
    for value in (*typed.values(), token):
        assert value not in log
        assert value.strip() not in log


Ask = Callable[[Any, dict[str, str]], object]
NOWHERE = text("SELECT :name, :email, :note FROM nowhere")


@pytest.mark.parametrize(
    "ask",
    [lambda conn, typed: conn.execute(NOWHERE, typed), lambda conn, typed: Prepared(NOWHERE).rows(conn, **typed)],
    ids=["through SQLAlchemy", "handed to the driver as text"],
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=SANE)
def test_no_parameter_of_a_failed_statement_is_in_the_error_nor_in_the_log(house: House, ask: Ask, typed: dict) -> None:
    with captured() as written:
        try:
            with house.services.store.read() as tx:
                ask(tx.conn, typed)
        except (StoreUnreadable, DBAPIError) as error:
            logging.getLogger("microsite.test").error("the database failed", exc_info=True)
            cause = error.__cause__ if isinstance(error, StoreUnreadable) else error
            assert isinstance(cause, DBAPIError)
            told = f"{error} {cause}"
    assert re.search("error=(StoreUnreadable|ProgrammingError) ", written.getvalue())
    assert not any(value in told + written.getvalue() for value in typed.values())


def test_what_nobody_catches_is_one_line_without_its_message() -> None:
    def fail() -> None:
        raise RuntimeError("Qtypedbysomebodyz")

    with captured() as written:
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        try:
            fail()
        except RuntimeError:
            sys.excepthook(*sys.exc_info())
        warnings.warn("Qtypedbysomebodyz", UserWarning, stacklevel=1)
    assert written.getvalue().count("an error that nobody caught error=RuntimeError") == 2
    assert "Qtypedbysomebodyz" not in written.getvalue()


@pytest.mark.parametrize("name", ["microsite", "werkzeug", "_granian", "sqlalchemy.engine", "flask-limiter", "asyncio"])
def test_the_words_of_a_library_are_dropped(name: str) -> None:
    """Flask's own logger bears the application's name without a dot; it writes paths."""
    with captured() as written:
        logging.getLogger(name).error("Exception on /m/Qtokenz [GET]")
        logging.getLogger(name).error("for %s", "Qtokenz")
    assert written.getvalue().count("a library reported a problem") == 2
    assert "Qtokenz" not in written.getvalue()


def test_a_sentence_of_ours_that_was_filled_in_is_dropped() -> None:
    with captured() as written:
        logging.getLogger("microsite.test").error("booked by %s", "Qnamez")
        logging.getLogger("microsite.test").error("booked", extra={"reason": "Qna mez\n", "name_": "Qnamez"})
    assert "Qna" not in written.getvalue()


def test_flasks_own_line_about_an_error_is_replaced(house: House, tmp_path: Path) -> None:
    app = create_app(services=house.services)
    with captured() as written, app.test_request_context("/m/Qtokenz?tz=Qzonez"):
        try:
            raise RuntimeError("Qwordz")
        except RuntimeError:
            app.log_exception(sys.exc_info())
    log = written.getvalue()
    assert "a page could not be made route=manage.enter method=GET error=RuntimeError" in log
    assert "Q" not in log.split("route=")[1]


def test_json_lines_say_the_same_as_lines_for_people() -> None:
    said = {}
    for form in logs.FORMS:
        with captured(form) as written:
            try:
                raise ValueError("Qwordz")
            except ValueError:
                told = {
                    "route": "visitor.book",
                    "status": 500,
                    "ms": 1.5,
                    "reason": "Q not one word",
                    "name_": "Qnamez",
                }
                logging.getLogger("microsite.test").error("a page broke", exc_info=True, extra=told)
        said[form] = written.getvalue()

    line, found = said["lines"], json.loads(said["json"])
    assert found["time"].endswith("+00:00")
    assert {name: found[name] for name in ("level", "logger", "message", "route", "status", "ms", "error")} == {
        "level": "ERROR",
        "logger": "microsite.test",
        "message": "a page broke",
        "route": "visitor.book",
        "status": 500,
        "ms": 1.5,
        "error": "ValueError",
    }
    assert (
        f"ERROR microsite.test: a page broke route=visitor.book status=500 ms=1.5 error=ValueError at {found['at'][0]}"
        in line
    )
    assert "Q" not in line + said["json"]


def test_the_level_of_the_settings_is_kept() -> None:
    with captured() as written:
        logs.set_up(level="error")
        logging.getLogger("microsite.test").warning("a small thing")
        logging.getLogger("microsite.test").error("a large thing")
    assert "large" in written.getvalue()
    assert "small" not in written.getvalue()
