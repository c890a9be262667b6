"""The booking form: what a visitor may write, and the careful small rules for it.

Refused text is shown again, cleaned of what cannot be kept; nothing typed is lost. Sealing is not done here.
"""

import re
import secrets
import unicodedata
from base64 import b64decode
from typing import Any

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField
from wtforms import EmailField
from wtforms import Field
from wtforms import StringField
from wtforms import TextAreaField
from wtforms import ValidationError

from microsite.core.people import ClientDetails
from microsite.core.settings import Offer
from microsite.core.signs import cleaned
from microsite.core.signs import unsafe

from .tokens import Bound
from .tokens import TimedToken

NAME_MAX, EMAIL_MAX, NOTE_MAX = 80, 254, 500
LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
ONCE = re.compile(r"[A-Za-z0-9_-]{43}")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
EMPTY_NAME = lazy_gettext("Write a name I may call you by; a nickname is fine.")
LONG_NAME = lazy_gettext("The name is too long: at most 80 characters.")
LONG_NOTE = lazy_gettext("The note is too long: at most 500 characters.")
ODD = lazy_gettext("Invisible characters were taken out here. Look it over and send it again.")
NO_CONSENT = lazy_gettext("Tick the box so that your note may be kept, or leave the note empty.")
SEALED_MAX = 12_000
"""Characters of base64: more than the largest record needs."""


def read_email(text: str) -> str | None:
    """The address with its domain in ASCII (IDNA), or None when no mail could be sent there (RFC 5321, dot-atom)."""
    if len(text) > EMAIL_MAX or text.count("@") != 1:
        return None
    local, domain = text.split("@")
    if len(local) > 64 or not LOCAL_PART.fullmatch(local):
        return None
    try:
        host = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = host.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(LABEL.fullmatch(each) for each in labels):
        return None
    address = f"{local}@{host}"
    return address if len(address) <= EMAIL_MAX else None


class DetailsForm(FlaskForm):  # type: ignore[misc]
    """Name, e-mail address and note, with a signed token and a field that people never see."""

    class Meta:
        csrf = True
        csrf_class = TimedToken
        csrf_field_name = "form_token"
        csrf_context: Any = None
        locales = False

    name = StringField(lazy_gettext("What may I call you?"))
    email = EmailField(lazy_gettext("E-mail"))
    note = TextAreaField(lazy_gettext("Note"))
    website = StringField("Website")
    sealed = StringField()
    sealed_for = StringField()
    wrong_name = StringField()
    wrong_note = StringField()
    terms = StringField()
    consent = BooleanField()
    wrong_consent = StringField()
    once = StringField()

    def __init__(self, offer: Offer, bound: Bound, box: bool = False, **options: Any) -> None:
        self.needs_email, self.box = offer.email == "required", box
        super().__init__(meta={"csrf_context": bound}, **options)
        self.trapped = bool(self.website.data)
        self.website.data = ""
        if not ONCE.fullmatch(self.once.data or ""):
            self.once.data = secrets.token_urlsafe(32)
        self.from_browser = any(
            part.data for part in (self.sealed, self.wrong_name, self.wrong_note, self.wrong_consent)
        )
        """Whether the visitor's browser seals: then name and note are not here, only what is wrong with them, if so."""

    def sealed_record(self) -> bytes:
        """What the visitor's browser sealed; nothing where it did not, and for what is no base64."""
        try:
            return b64decode((self.sealed.data or "")[:SEALED_MAX], validate=True)
        except ValueError:
            return b""

    def details(self) -> ClientDetails:
        """What the visitor wrote, hidden from printing."""
        return ClientDetails(self.name.data or "", read_email(self.email.data or "") or "", self.note.data or "")

    def validate_name(self, field: Field) -> None:
        """1-80 characters on one line."""
        if self.from_browser:
            _as_browser_says(field, self.wrong_name, EMPTY_NAME, LONG_NAME)
            return
        _tidy(field, NAME_MAX, LONG_NAME)
        if not field.data:
            raise ValidationError(EMPTY_NAME)

    def validate_email(self, field: Field) -> None:
        """An address mail can be sent to; empty where the offer does without."""
        _tidy(field, EMAIL_MAX, lazy_gettext("The e-mail address is too long: at most 254 characters."))
        if not field.data and self.needs_email:
            raise ValidationError(lazy_gettext("Write your e-mail address, such as name@example.com."))
        if field.data and read_email(field.data) is None:
            raise ValidationError(lazy_gettext("This e-mail address cannot be right. It looks like name@example.com."))

    def validate_note(self, field: Field) -> None:
        """At most 500 characters; line breaks are fine here."""
        if self.from_browser:
            _as_browser_says(field, self.wrong_note, ODD, LONG_NOTE)
            return
        field.data = (field.data or "").replace("\r\n", "\n").replace("\r", "\n")
        _tidy(field, NOTE_MAX, LONG_NOTE, lines=True)

    def validate_consent(self, field: Field) -> None:
        """Where the coach asks for it: a note is kept only with the box ticked."""
        noted = self.wrong_consent.data if self.from_browser else self.note.data
        if self.box and noted and not field.data:
            raise ValidationError(NO_CONSENT)


def _as_browser_says(field: Field, wrong: Field, empty: str, too_long: str) -> None:
    """The same refusals where only the browser saw the text: it says which rule is broken."""
    field.data = ""
    if wrong.data:
        raise ValidationError({"empty": empty, "long": too_long}.get(wrong.data, ODD))


def _tidy(field: Field, most: int, too_long: str, lines: bool = False) -> None:
    text = unicodedata.normalize("NFC", field.data or "").strip(" ")
    if unsafe(text, lines):
        field.data = cleaned(text, lines).strip()
        raise ValidationError(ODD)
    field.data = text.strip()
    if len(field.data) > most:
        raise ValidationError(too_long)
