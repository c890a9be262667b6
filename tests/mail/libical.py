"""Debian's libical through ctypes, as the judge of iTIP rules (RFC 5546)."""

import ctypes
import glob
import re
from functools import cache

import pytest

MISSING = (
    "libical 3 is missing, and it judges every calendar file: install it (Debian, Ubuntu: apt-get install libical3)"
)


@cache
def library() -> ctypes.CDLL:
    """The library, or a failed test that says what to install."""
    found = sorted(glob.glob("/usr/lib/*/libical.so.3") + glob.glob("/usr/lib*/libical.so.3"))
    if not found:
        pytest.fail(MISSING, pytrace=False)
    lib = ctypes.CDLL(found[0])
    lib.icalparser_parse_string.restype = ctypes.c_void_p
    lib.icalparser_parse_string.argtypes = [ctypes.c_char_p]
    lib.icalrestriction_check.argtypes = [ctypes.c_void_p]
    lib.icalcomponent_as_ical_string_r.restype = ctypes.c_void_p
    lib.icalcomponent_as_ical_string_r.argtypes = [ctypes.c_void_p]
    lib.icalcomponent_free.argtypes = [ctypes.c_void_p]
    lib.icalmemory_free_buffer.argtypes = [ctypes.c_void_p]
    return lib


def complaints(ics: bytes) -> list[str]:
    """What libical says against the file: parse errors and broken iTIP restrictions."""
    lib = library()
    component = lib.icalparser_parse_string(ics)
    if not component:
        return ["libical: cannot be parsed"]
    try:
        verdict = lib.icalrestriction_check(component)
        buffer = lib.icalcomponent_as_ical_string_r(component)
        written = ctypes.string_at(buffer).decode("utf-8", "replace")
        lib.icalmemory_free_buffer(buffer)
    finally:
        lib.icalcomponent_free(component)
    unfolded = written.replace("\r\n ", "")
    found = [f"libical: {line}" for line in re.findall(r"^X-LIC-ERROR.*$", unfolded, re.MULTILINE)]
    return found + ([] if verdict or found else ["libical: a restriction is broken"])
