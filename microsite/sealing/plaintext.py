"""What a record looks like before it is sealed: the format that a coach reads after `age -d`. Sealing is `records`.

One JSON object in UTF-8, keys sorted, no white space inside, then spaces and one line feed up to a multiple of
1,024 bytes. The desk's browser writes the same. Readers ignore keys they do not know and refuse another `v`.
"""

from typing import Literal

import msgspec

from ..core.people import ClientDetails
from ..core.people import Hidden
from ..core.people import Record
from ..core.people import SecretBytes
from .padding import read_json
from .padding import write_json

STEP = 1024
"""Every record the form allows (name 80, e-mail 254, note 500 characters in ASCII) fits in one step."""


class _Written(msgspec.Struct, frozen=True):
    v: Literal[1]
    name: str
    email: str
    note: str
    consent: str
    language: str
    written_at: int


def write(record: Record) -> SecretBytes:
    """The record as padded JSON; its length tells the length of what was written only in steps of 1,024 bytes."""
    plain = record.details.reveal()
    written = Hidden(_Written(1, *plain, record.consent_version, record.language, record.written_at))
    return write_json(written, STEP)


def read(text: SecretBytes) -> Record:
    """The record in an opened text; raises CannotOpen if it was written by something else or a later version."""
    written = read_json(text, _Written)
    details = ClientDetails(written.name, written.email, written.note)
    return Record(details, written.consent, written.language, written.written_at)
