"""The coach's keys: made in her browser, kept here as public recipients and as identities that only she can unwrap.

A change of keys is three steps, each safe to repeat: the new ones are added, every record is sealed anew by the coach's
browser, the old ones are retired. In between, new records are sealed to both.
"""

import hashlib
import secrets
from typing import Any
from typing import NamedTuple

from microsite.core.bookings import Booking
from microsite.core.happenings import KEYS_CHANGED
from microsite.core.happenings import KEYS_RETIRED
from microsite.errors import NotPossibleNow
from microsite.errors import WrongKey
from microsite.services import Services

from . import terms
from .signin import Session
from .signin import must_be_fresh

WRAPPED_MOST = 4096
SCRYPT = b"age-encryption.org/v1\n-> scrypt "
X25519 = b"age-encryption.org/v1\n-> X25519 "


class NewKeys(NamedTuple):
    """What a browser made: recipients, and the everyday identity wrapped by passphrase (empty: kept elsewhere)."""

    everyday: str
    recovery: str
    successor: str = ""
    wrapped: bytes = b""


class KeySet(NamedTuple):
    """The keys that new records are sealed to, and those of an earlier set that are not retired yet."""

    set_id: str
    now: list[Any]
    earlier: list[Any]

    @property
    def complete(self) -> bool:
        """Whether there is an everyday and a recovery key: only then may visitors book."""
        return {"everyday", "recovery"} <= {row.kind for row in self.now}


def key_set(services: Services, coach: str) -> KeySet:
    """The coach's living keys."""
    with services.store.read() as tx:
        rows = tx.keys.living(coach)
    newest = _set_of(rows[-1].id) if rows else ""
    now = [row for row in rows if _set_of(row.id) == newest]
    return KeySet(newest, now, [row for row in rows if row not in now])


def add_keys(services: Services, session: Session, new: NewKeys) -> str:
    """Seal to these keys from now on, and open the booking page; answers the id of the set.

    Raises WrongKey for anything that is no recipient, SignInRefused where the session is not fresh.
    """
    must_be_fresh(session)
    given = {"everyday": new.everyday, "recovery": new.recovery, "successor": new.successor}
    checked = {kind: services.sealer.check_recipient(text) for kind, text in given.items() if text.strip()}
    if not {"everyday", "recovery"} <= set(checked) or len(set(checked.values())) != len(checked):
        raise WrongKey("an everyday key and a recovery key are needed, and each must be another")
    if new.wrapped:
        _check_wrapped(new.wrapped, SCRYPT)
    coach, now, set_id = session.coach, services.clock(), secrets.token_hex(8)
    with services.store.change(coach.slug) as tx:
        # Two sets never share a second: the later one is the one in use.
        made_at = max([now, *(row.created_at + 1 for row in tx.keys.living(coach.slug))])
        for kind, recipient in checked.items():
            wrapped = new.wrapped if kind == "everyday" and new.wrapped else None
            tx.keys.add(services.store.key(f"{set_id}-{kind}", coach.slug, recipient, kind, made_at, wrapped))
        tx.signins.unwrap_all(coach.slug)
        tx.coaches.set_open(coach.slug, True)
        tx.happenings.note(coach.slug, "", now, KEYS_CHANGED)
    terms.record(services, coach.slug)
    return set_id


def retire_earlier(services: Services, session: Session) -> int:
    """Seal nothing more to keys of earlier sets; answers how many there were. Raises SignInRefused."""
    must_be_fresh(session)
    found = key_set(services, session.coach.slug)
    if not found.complete or not found.earlier:
        return 0
    with services.store.write() as tx:
        now = services.clock()
        retired: int = tx.keys.retire(session.coach.slug, [row.id for row in found.earlier], now)
        tx.happenings.note(session.coach.slug, "", now, KEYS_RETIRED)
    return retired


def wrap_for_passkey(services: Services, session: Session, credential_id: bytes, wrapped: bytes) -> None:
    """Keep the everyday identity once more, wrapped to what one passkey can say. Raises WrongKey, SignInRefused."""
    must_be_fresh(session)
    _check_wrapped(wrapped, X25519)
    found = key_set(services, session.coach.slug)
    key_id = next((row.id for row in found.now if row.kind == "everyday"), None)
    with services.store.write() as tx:
        if key_id is None or not tx.signins.wrap(session.coach.slug, credential_id, key_id, wrapped):
            raise WrongKey("no such passkey, or there is no key to wrap")


class Wraps(NamedTuple):
    """Wrapped identities: by passphrase, and by passkey id."""

    by_passphrase: list[bytes]
    by_passkey: dict[bytes, bytes]


def wraps(services: Services, coach: str) -> Wraps:
    """What a signed-in browser may unwrap."""
    with services.store.read() as tx:
        living = [row.wrapped_identity for row in tx.keys.living(coach) if row.wrapped_identity]
        passkeys = {row.id: row.wrapped_identity for row in tx.signins.credentials(coach) if row.wrapped_identity}
    return Wraps(living[::-1], passkeys)


def records(services: Services, coach: str) -> list[tuple[Booking, bytes]]:
    """Every sealed record of a coach that is still kept."""
    with services.store.read() as tx:
        found: list[tuple[Booking, bytes]] = tx.bookings.records(coach)
    return found


def reseal(services: Services, session: Session, ref: str, old_digest: str, sealed: bytes) -> None:
    """Put a record that the coach's browser sealed anew in place of the one it was made from.

    Raises NotPossibleNow where that one is not there any more (the client may have changed it), SignInRefused.
    """
    must_be_fresh(session)
    coach = session.coach.slug
    if not services.sealer.looks_sealed(sealed, len(key_set(services, coach).now)):
        raise NotPossibleNow("this is no sealed record")
    with services.store.write() as tx:
        booking = tx.bookings.by_ref(coach, ref)
        old = tx.bookings.sealed(booking.id).record if booking else None
        if booking is None or old is None or hashlib.sha256(old).hexdigest() != old_digest:
            raise NotPossibleNow("the record is another one meanwhile")
        tx.bookings.replace_record(booking.id, old, sealed)
    services.store.truncate_log()


def _set_of(key_id: str) -> str:
    return key_id.partition("-")[0]


def _check_wrapped(wrapped: bytes, begins: bytes) -> None:
    if not wrapped.startswith(begins) or len(wrapped) > WRAPPED_MOST:
        raise WrongKey("this is no wrapped identity")
