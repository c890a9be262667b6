"""Our own source keeps to the rules of `source_rules`; each exception stands here, by file and function."""

from collections.abc import Iterator

import pytest

from microsite import logs
from tests.conftest import ROOT

from .source_rules import Complaint
from .source_rules import read
from .source_rules import read_template

FIELDS = frozenset(logs.FIELDS)
SEALED_ROOMS = ("sealing/", "core/people.py")
"""Where plain values are turned into sealed ones and back; reviewed line by line."""
REVEALING = {
    ("calendars/__init__.py", "Calendars.add_embedded_user"): "hashes the password of the embedded calendar",
    ("credentials.py", "_from_file"): "the operator's own secret, without the white space around it",
    ("cli/calendar.py", "app_password"): "prints the password that was asked for",
    ("cli/backup.py", "show_key"): "shows the backup key once",
    ("cli/calendar.py", "ask_calendars"): "asks the server with the password just typed",
    ("cli/calendar.py", "connect"): "asks the server with the permission just given",
    ("cli/coach.py", "desk_link"): "prints the link that was asked for",
    ("cli/coach.py", "open_"): "prints the record that was asked for, with the coach's key",
    ("cli/first_run.py", "first_run"): "writes the demo's key file",
    ("cli/init.py", "set_up"): "shows password and key once",
    ("config/__init__.py", "Config.database_url"): "the address of a database may hold a password",
    ("config/__init__.py", "Config.keyring_url"): "the address of a database may hold a password",
    ("config/__init__.py", "Config.limits_storage"): "the address of a database may hold a password",
    ("mail/__init__.py", "Mailer._check"): "a letter links to this site only",
    ("mail/addresses.py", "mailbox"): "the address a letter goes to",
    ("mail/delivery.py", "Smtp._log_in"): "the relay's password",
    ("mail/render.py", "_facts"): "the link in a letter",
    ("web/cookies.py", "give"): "the cookie",
    ("web/desk/house.py", "new_app_password"): "shows the new password once",
    ("web/manage/rights.py", "_form"): "what the client wrote, shown to whoever has the link that opens it",
    ("web/metrics.py", "_admit"): "compares the token that a monitor shows",
    ("config/checks.py", "check"): "how long the metrics' token is",
    ("web/tokens.py", "_signer"): "the key of form tokens",
    ("web/visitor.py", "_to_booking"): "the way to the client's page",
    ("work/once.py", "_of"): "looking up the booking of a token",
    ("work/accounts.py", "new_password"): "asks the server with the password just typed",
    ("work/backup.py", "_files"): "a secret from elsewhere goes into the sealed archive",
    ("work/breach.py", "_address"): "compares whom letters are for, so that each person gets one",
    ("store/keyring.py", "DatabaseKeyring.get_or_create"): "a new day key goes into its database",
    ("store/keyring.py", "DatabaseKeyring.put"): "a day key moves from its file into its database",
    ("work/demo.py", "welcome_text"): "WELCOME.txt",
    ("work/invite.py", "invite"): "the link that was asked for",
    ("work/letters.py", "_to_client"): "the link in a letter",
    ("work/passkeys.py", "verify"): "what a browser signed",
    ("work/passkeys.py", "verify_new"): "what a browser signed",
    ("work/records.py", "open_booking"): "refuses the demo's key for a real coach",
    ("work/rights.py", "_mail"): "the client takes along what is kept of her address",
    ("services.py", "_app"): "hands the sign-in app's secret to the room that asks with it",
    ("work/rights.py", "_send_elsewhere"): "whether the address is another one",
    ("work/rights.py", "_words"): "the client takes along what she wrote",
    ("work/rights.py", "correct"): "the address goes into its envelope",
    ("work/rotate.py", "drop_earlier"): "counts the server's keys",
    ("work/setup.py", "add_calendar"): "asks the server with the password just typed",
    ("work/signin.py", "new_passkey_options"): "the question of a sign-in",
    ("work/signin.py", "passkey_options"): "the question of a sign-in",
    ("work/status.py", "status_url"): "the address in a calendar file",
    ("work/sync.py", "account_of"): "the calendar's password, for the calendar's server",
    ("work/wishes.py", "feed_address"): "the address that was asked for",
    ("work/written.py", "seal"): "the address goes into its envelope",
}
LOGGED = frozenset(
    {
        "answered.method",
        "answered.route",
        "answered.status",
        "round(answered.seconds * 1000, 1)",
        "kind",
        "failed",
        "error.file",
        "error.word",
        "number",
        "request.endpoint",
        "request.method",
        "self._seen - now",
        "'late' if e.late else 'ended'",
    }
)
"""The expressions that may be a field of a log line: words of our own, numbers, names of views."""
EXCUSED = {
    ("mail/render.py", "Templates.write", "text marked as safe is not escaped"),
    ("mail/render.py", "_anchor", "text marked as safe is not escaped"),
}
"""The HTML of letters: lines that were escaped when they were rendered, and one anchor filled in by escaping."""


def complaints() -> Iterator[tuple[str, Complaint]]:
    """Every complaint about the whole house."""
    for path in sorted((ROOT / "microsite").rglob("*.py")):
        file = path.relative_to(ROOT / "microsite").as_posix()
        yield from ((file, each) for each in read(path.read_text(encoding="utf-8"), FIELDS))
    for path in sorted((ROOT / "templates").rglob("*.*")):
        yield from ((path.name, each) for each in read_template(path.read_text(encoding="utf-8")))


def test_plain_values_are_revealed_in_the_listed_functions_only() -> None:
    revealing = {(file, each.function) for file, each in complaints() if each.rule == "reveal"}
    outside = {pair for pair in revealing if not pair[0].startswith(SEALED_ROOMS)}
    assert sorted(outside - set(REVEALING)) == [], "a new place that sees plain values: review it, then list it here"


def test_every_listed_function_still_reveals_something() -> None:
    revealing = {(file, each.function) for file, each in complaints() if each.rule == "reveal"}
    assert sorted(set(REVEALING) - revealing) == []


def test_log_lines_carry_listed_values_only() -> None:
    fields = {(file, each.rule.partition(": ")[2]) for file, each in complaints() if each.rule.startswith("log field")}
    assert sorted(pair for pair in fields if pair[1] not in LOGGED) == []


def test_no_error_of_a_page_is_filled_in_with_what_somebody_typed() -> None:
    filled = [(file, each.code) for file, each in complaints() if each.rule == "filled-in error"]
    assert [pair for pair in filled if pair[0].startswith("web/")] == []


def test_no_other_rule_is_broken() -> None:
    own = ("reveal", "log field", "filled-in error")
    rest = [(file, each) for file, each in complaints() if not each.rule.startswith(own)]
    assert [pair for pair in rest if (pair[0], pair[1].function, pair[1].rule) not in EXCUSED] == []


BROKEN = {
    'log.error(f"booked by {name}")': "one constant sentence",
    'log.error("booked by %s" % name)': "one constant sentence",
    'log.error("booked by {}".format(name))': "one constant sentence",
    'log.error("booked by %s", name)': "one constant sentence",
    'log.error("booked by " + name)': "one constant sentence",
    "log.exception(error)": "one constant sentence",
    'logging.warning("x %s", name)': "one constant sentence",
    'logging.getLogger("microsite.x").info(name)': "one constant sentence",
    "current_app.logger.error(name)": "one constant sentence",
    'self._log.log(40, "x")': "one constant sentence",
    'log.error("booked", extra={"who": name})': "no such field",
    'log.error("booked", extra={"reason": details.name})': "log field: details.name",
    'log.error("booked", extra=facts)': "written where it is",
    'log.error("booked", stack_info=True)': "no such part",
    "print(name)": "print",
    "sys.stderr.write(name)": "allow-list",
    "traceback.print_exc()": "trace",
    'raise ValueError(f"bad name {name}")': "filled-in",
    "details.reveal().name": "reveal",
    "flask.render_template_string(text)": "run time",
    "env.from_string(text)": "run time",
    "Markup(text)": "not escaped",
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_rule_is_noticed(code: str) -> None:
    found = read(f"class A:\n    def f(self):\n        {code}\n", FIELDS)
    assert any(BROKEN[code] in each.rule and each.function == "A.f" for each in found)


@pytest.mark.parametrize(
    "code",
    [
        'log.error("a constant sentence", exc_info=True, extra={"count": 1})',
        "math.log(2)",
        'catalog.info("x", 1)',
        'raise NotFound("no such slot")',
    ],
)
def test_what_is_fine_is_left_alone(code: str) -> None:
    assert [each for each in read(code, FIELDS) if not each.rule.startswith("log field: 1")] == []


@pytest.mark.parametrize("text", ["{{ name|safe }}", "{{ name | safe }}", "{% autoescape false %}", "{{ x|tojson }}"])
def test_a_template_that_does_not_escape_is_noticed(text: str) -> None:
    assert read_template(text) != []
    assert read_template("{{ name }} is safe here") == []
