"""`make fuzz`: schemathesis walks over every route of a running site for minutes, signed in and with a living link.

The description of the site is made from its own list of routes. Asked of every answer: no 5xx, nothing unescaped. Asked
of the log in the end: not one error, and none of the words of the walk.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from microsite import create_app
from tests.canary.life import FORM_TOKEN
from tests.canary.life import LINK
from tests.conftest import ROOT
from tests.conftest import House
from tests.conftest import Site
from tests.flow.visitor import Visitor
from tests.flow.visitor import slots_from
from tests.flow.visitor import wait_like_a_person
from tests.waiting import free_port

SECONDS = int(os.environ.get("FUZZ_SECONDS", "300"))
TOOL = ROOT / "build" / "audit" / "bin" / "schemathesis"
NEVER = frozenset({"/desk/out", "/en/desk/out"})
"""Signing out would end the walk at the door."""
WIDE = 'tokens = "1000000 per minute"\nbookings = "1000000 per hour"\nsign_ins = "1000000 per hour"\n'
WORD = "Qw4lkz"
FIELDS = """name email note website sealed sealed_for wrong_name wrong_note wrong_consent once terms consent slot tz
 invite choice choose ref neutral wanted file file_token take-out offer uses days label everyday recovery
 successor wrapped digest id answer coach everywhere zone accent contact language sentence.id hours.monday
 exceptions retention_days slug title.id minutes mode""".split()
LINE = re.compile(r"^(\d{4}-\d\d-\d\d .* (INFO|WARNING) microsite\.[a-z.]+: .*|The site is at .*)?$")


def description(tokens: dict[str, list[str]]) -> dict[str, Any]:
    """An OpenAPI description of every route, with the words that open something among those to be tried."""
    with TemporaryDirectory() as folder:
        house = House(Path(folder) / "instance")
        rules = list(create_app(services=house.services).url_map.iter_rules())
        house.close()
    paths: dict[str, Any] = {}
    for rule in rules:
        path = re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule.rule)
        if path in NEVER:
            continue
        given = [_parameter(name, "path", tokens) for name in sorted(rule.arguments)]
        given += [_parameter(name, "query", tokens) for name in ("day", "tz", "slot", "invite")]
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            operation: dict[str, Any] = {"parameters": given, "responses": {"200": {"description": "a page"}}}
            if method == "POST":
                fields = {name: _text(name, tokens) for name in [*FIELDS, "form_token"]}
                schema = {"type": "object", "properties": fields, "additionalProperties": {"type": "string"}}
                operation["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}
            paths.setdefault(path, {})[method.lower()] = operation
    return {"openapi": "3.1.0", "info": {"title": "microsite", "version": "1"}, "paths": paths}


def _text(name: str, tokens: dict[str, list[str]]) -> dict[str, Any]:
    known = tokens.get(name, [])
    words = [f"<{WORD}>", f'"{WORD}', "\u202e\u0000", "9" * 40, "2026-02-30"]
    return {"anyOf": [{"type": "string", "enum": [*known, *words]}, {"type": "string"}]}


def _parameter(name: str, where: str, tokens: dict[str, list[str]]) -> dict[str, Any]:
    # A path of which one part is wrong leads nowhere, so what exists is tried more often than what does not.
    known = [{"type": "string", "enum": tokens[name]}] if where == "path" and name in tokens else []
    schema = {"anyOf": [*known, _text(name, tokens)]} if known else _text(name, tokens)
    return {"name": name, "in": where, "required": where == "path", "schema": schema}


def opened(site: Site) -> tuple[str, dict[str, list[str]]]:
    """The cookies of a client and of the coach, and the words that open something."""
    client, coach = Visitor(site.base), Visitor(site.base)
    slot = slots_from(client, "/sari/sesi/", 4)[0]
    form = client.form("/sari/sesi/", slot, "Asia/Jakarta")
    wait_like_a_person(form.seen_at)
    answer = client.send_at_once(form, name="Budi", email="budi@example.com", note="halo")
    link = LINK.findall(answer.location)[0]
    client.follow(answer)
    door = coach.get(site.welcome["desk"].removeprefix(site.base))
    coach.post(door.url, door.post_form().fields)
    pages = [client.get("/manage").text, coach.get("/desk").text]
    tokens = {
        "token": [link],
        "coach": ["sari"],
        "offer": ["sesi"],
        "slug": ["sesi", "new"],
        "slot": [slot],
        "tz": ["Asia/Makassar"],
        "form_token": [each for page in pages for each in FORM_TOKEN.findall(page)],
        "ref": re.findall(r'data-ref="([A-Z0-9]+)"', pages[1]),
    }
    return f"manage={client.cookies['manage']}; desk={coach.cookies['desk']}", tokens


def walk(site: Site, folder: Path) -> int:
    """Schemathesis' own exit code."""
    cookies, tokens = opened(site)
    schema = folder / "site.json"
    schema.write_text(json.dumps(description(tokens)))
    command = [
        TOOL,
        "run",
        schema,
        "--url",
        site.base,
        "--max-time",
        str(SECONDS),
        "--no-color",
        "-H",
        f"Cookie:{cookies}",
    ]
    command += ["--checks", "not_a_server_error,nothing_comes_back_unescaped", "--phases", "coverage,fuzzing"]
    command += ["--request-timeout", "30", "--continue-on-failure"]
    environ = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.audit.checks", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environ, timeout=SECONDS + 300, check=False).returncode


def complaints(log: str) -> list[str]:
    """Lines of the log that say an error, or hold a word of the walk."""
    return [line for line in log.splitlines() if WORD in line or not LINE.fullmatch(line)]


def main() -> None:
    """Exit code 1 where an answer or the log was not as it must be."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        site = Site(folder / "instance", free_port()).start()
        site.stop()
        settings = f'[site]\naddress = "{site.base}"\n[limits]\n{WIDE}'
        (site.instance / "config.toml").write_text(settings)
        site.stderr.write_text("")
        site.start()
        try:
            failed = walk(site, folder)
        finally:
            site.stop()
        said = complaints(site.stderr.read_text())
    for line in said[:20]:
        print(f"in the log: {line}")
    print(f"{SECONDS} s, {len(said)} lines of the log that must not be there")
    sys.exit(bool(failed or said))


if __name__ == "__main__":
    main()
