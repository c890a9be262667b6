"""Signed form tokens without a cookie, and form tokens tied to a cookie.

A booking form carries an HMAC over what it is for (coach, offer, start) and when it was issued: a brake for robots and
proof that the form is ours; there is no session that could be ridden. A form on the client's page or the desk carries
an HMAC over the value of that page's cookie, so no server-side session is needed either.
"""

import hashlib
from typing import Any
from typing import NamedTuple

from itsdangerous import BadSignature
from itsdangerous import Signer
from wtforms import ValidationError
from wtforms.csrf.core import CSRF
from wtforms.csrf.core import CSRFTokenField

from microsite.core.people import SecretBytes
from microsite.services import get_services

EARLIEST = 3
"""Seconds before which no person has filled in the form."""
LATEST = 2 * 3600
"""Seconds after which a form is asked for once more."""
EARLY, LATE, FOREIGN = "early", "late", "foreign"


class Bound(NamedTuple):
    """What a token is bound to: the site's keys (the one in use first), what it is for, and now (UTC seconds)."""

    keys: tuple[SecretBytes, ...]
    purpose: str
    now: int


def bound(purpose: str) -> Bound:
    """A binding to this purpose, with this site's key, now."""
    services = get_services()
    return Bound(services.sealer.form_keys(), purpose, services.clock())


def issue(bound: Bound, issued: int | None = None) -> str:
    """A token for a form shown now, or at `issued`."""
    return _signer(bound).sign(str(bound.now if issued is None else issued)).decode()


def issued_at(bound: Bound, token: str) -> int | None:
    """When one of our tokens for this purpose was issued; None for any other text."""
    try:
        return int(_signer(bound).unsign(token[:200]))
    except (BadSignature, ValueError):
        return None


def same(bound: Bound, token: str) -> bool:
    """Whether this token belongs to this purpose, whenever it was issued."""
    return issued_at(bound, token) is not None


class TimedToken(CSRF):
    """WTForms' csrf class for the booking form. A token too young keeps its time, so pressing again is enough."""

    bound: Bound

    def setup_form(self, form: Any) -> list[tuple[str, Any]]:
        """Take the binding from the form's meta."""
        self.bound = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:
        """A fresh token, or the young one that came in."""
        issued = issued_at(self.bound, csrf_token_field.data or "")
        young = issued is not None and 0 <= self.bound.now - issued < LATEST
        return issue(self.bound, issued if young else None)

    def validate_csrf_token(self, form: Any, field: CSRFTokenField) -> None:
        """Raise ValidationError with `early`, `late` or `foreign`: none is a refusal, the form is shown again."""
        issued = issued_at(self.bound, field.data or "")
        if issued is None:
            raise ValidationError(FOREIGN)
        age = self.bound.now - issued
        if age < EARLIEST:
            raise ValidationError(EARLY)
        if age > LATEST:
            raise ValidationError(LATE)


def _signer(bound: Bound) -> Signer:
    # The library takes the newest key last: it signs, every one of them verifies.
    keys = [key.reveal() for key in reversed(bound.keys)]
    return Signer(keys, salt=bound.purpose, key_derivation="hmac", digest_method=hashlib.sha256)
