"""What our own source may not say, because it is how private words get out. Pure: source text in, complaints out."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

LEVELS = frozenset("debug info warning warn error exception critical fatal log".split())
LOGGER = re.compile(r"(.*\.)?_?log(ger|ging)?$|.*getLogger\(.*\)$", re.DOTALL)
BANNED_CALLS = {
    "print": "print writes past the log's allow-list",
    "breakpoint": "a debugger shows everything",
    "render_template_string": "a template made at run time may hold what somebody typed",
    "from_string": "a template made at run time may hold what somebody typed",
    "Markup": "text marked as safe is not escaped",
    "print_exc": "a trace holds messages",
    "format_exc": "a trace holds messages",
    "print_exception": "a trace holds messages",
}
BANNED_WRITES = frozenset({"sys.stdout.write", "sys.stderr.write"})
UNESCAPED = re.compile(r"\|\s*safe\b|\bautoescape\s+(false|off)|\|\s*tojson\b|\bMarkup\b", re.IGNORECASE)


class Complaint(NamedTuple):
    """Which rule, in which function (empty for the module), and the code itself."""

    rule: str
    function: str
    code: str


def read(source: str, log_fields: frozenset[str]) -> list[Complaint]:
    """Everything in a module that breaks a rule; `log_fields` are the names a log line may carry."""
    return list(_walk(ast.parse(source), "", log_fields))


def read_template(text: str) -> list[Complaint]:
    """Everything in a template that switches escaping off."""
    return [Complaint("unescaped", "", match[0]) for match in UNESCAPED.finditer(text)]


def _walk(node: ast.AST, inside: str, fields: frozenset[str]) -> Iterator[Complaint]:
    for child in ast.iter_child_nodes(node):
        name = inside
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{inside}.{child.name}".strip(".")
        if isinstance(child, ast.Call):
            yield from (Complaint(rule, inside, ast.unparse(child)) for rule in _call(child, fields))
        if isinstance(child, ast.Raise) and child.exc is not None:
            if any(isinstance(each, ast.JoinedStr) for each in ast.walk(child.exc)):
                yield Complaint("filled-in error", inside, ast.unparse(child))
        yield from _walk(child, name, fields)


def _call(call: ast.Call, fields: frozenset[str]) -> Iterator[str]:
    called = ast.unparse(call.func)
    last = called.rpartition(".")[2]
    if last == "reveal":
        yield "reveal"
    if last in BANNED_CALLS:
        yield BANNED_CALLS[last]
    if called in BANNED_WRITES:
        yield "writes past the log's allow-list"
    if isinstance(call.func, ast.Attribute) and last in LEVELS and LOGGER.match(ast.unparse(call.func.value)):
        yield from _logging(call, fields)


def _logging(call: ast.Call, fields: frozenset[str]) -> Iterator[str]:
    """A log line is a constant sentence; what changes travels in named fields, each with a value on its own list."""
    constant = call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    if len(call.args) != 1 or not constant:
        yield "a log line is one constant sentence"
    for keyword in call.keywords:
        if keyword.arg == "extra":
            if not isinstance(keyword.value, ast.Dict):
                yield "the fields of a log line are written where it is"
                continue
            for key, value in zip(keyword.value.keys, keyword.value.values, strict=True):
                if not isinstance(key, ast.Constant) or key.value not in fields:
                    yield "no such field in a log line"
                yield f"log field: {ast.unparse(value)}"
        elif keyword.arg != "exc_info":
            yield "no such part of a log line"
