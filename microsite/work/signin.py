"""Signing in at the desk: by a one-time link, by a passkey, or by opening a sealed challenge with the coach's own key.

There is no password on the server, so nothing here can be guessed. Every question lives two minutes and is answered
once. Whoever can answer gets a session: a random token, kept as its image, that can be revoked.
"""

import json
from typing import Any
from typing import NamedTuple

from microsite.core.happenings import DESK_OPENED
from microsite.core.happenings import PASSKEY_ADDED
from microsite.core.happenings import PASSKEY_REMOVED
from microsite.core.happenings import SIGN_INS_REVOKED
from microsite.core.people import Secret
from microsite.core.spans import HOUR
from microsite.core.spans import MINUTE
from microsite.errors import NotFound
from microsite.errors import SignInRefused
from microsite.services import Services

from . import passkeys
from .look import Coach
from .retime import date_of

SESSION_SECONDS = 12 * HOUR
FRESH_SECONDS = 30 * MINUTE
"""How long after signing in a coach may change who can sign in and who can open: later she signs in once more."""
SESSION, LINK = "desk-session", "desk-link"
BY_PASSKEY, NEW_PASSKEY, BY_KEY = "passkey", "new-passkey", "key"
ANSWER_SECONDS = {BY_PASSKEY: 2 * MINUTE, NEW_PASSKEY: 2 * MINUTE, BY_KEY: 15 * MINUTE}
"""How long a question waits for its answer: a touch is quick, 24 words from a sheet of paper are not."""


class Session(NamedTuple):
    """A coach at her desk. `started_at` is UTC seconds."""

    coach: Coach
    started_at: int
    now: int

    @property
    def fresh(self) -> bool:
        """Whether she signed in so recently that passkeys and keys may be changed."""
        return self.now - self.started_at < FRESH_SECONDS


def session(services: Services, token: str) -> Session:
    """The session of that token; raises NotFound where it is unknown, over or revoked."""
    now = services.clock()
    with services.store.read() as tx:
        link = tx.links.get(services.sealer.lookup(Secret(token)), SESSION, now)
        row: Any = tx.coaches.get(link.coach) if link else None
    if link is None or row is None:
        raise NotFound("no such session")
    coach = Coach(row.slug, row.settings, row.revision, row.demo, row.open, row.portrait)
    return Session(coach, link.expires_at - SESSION_SECONDS, now)


def open_session(services: Services, tx: Any, coach: str) -> Secret:
    """A new session in the transaction that found out who is there."""
    token: Secret = services.sealer.new_token()
    now = services.clock()
    tx.links.add(services.sealer.lookup(token), coach, None, SESSION, now + SESSION_SECONDS)
    tx.happenings.note(coach, "", now, DESK_OPENED)
    return token


def sign_out(services: Services, token: str) -> None:
    """End one session; one that is over already is no error."""
    with services.store.write() as tx:
        tx.links.use(services.sealer.lookup(Secret(token)), SESSION, services.clock())


def sign_out_everywhere(services: Services, coach: str) -> None:
    """End every session of a coach, this one too."""
    with services.store.write() as tx:
        tx.links.revoke(coach, SESSION)


def revoke(services: Services, coach: str) -> None:
    """Break the glass: no session, link or passkey of the coach opens her desk any more. Records stay sealed."""
    with services.store.write() as tx:
        if tx.coaches.get(coach) is None:
            raise NotFound("no such coach")
        tx.links.revoke(coach, SESSION, LINK)
        tx.signins.revoke(coach)
        tx.happenings.note(coach, "", services.clock(), SIGN_INS_REVOKED)


def ask(services: Services, kind: str, coach: str = "") -> Secret:
    """A fresh question of that kind: 32 random bytes, of which only the image is kept."""
    nonce: Secret = services.sealer.new_token()
    now = services.clock()
    with services.store.write() as tx:
        tx.signins.ask(services.sealer.lookup(nonce), kind, coach, now, now + ANSWER_SECONDS[kind])
    return nonce


def passkey_options(services: Services) -> dict[str, Any]:
    """What the browser needs to ask for a passkey; which coach it is, the answer will tell."""
    challenge = ask(services, BY_PASSKEY).reveal()
    return {"challenge": challenge, "rpId": services.config.host, "userVerification": "required", "timeout": 120_000}


def with_passkey(services: Services, answer: str) -> Secret:
    """A session for the holder of a passkey; raises SignInRefused, which never says why."""
    given = _json(answer)
    nonce = passkeys.challenge_in(given)
    with services.store.write() as tx:
        asked = tx.signins.answer(services.sealer.lookup(nonce), BY_PASSKEY, services.clock())
        known = tx.signins.credential(passkeys.id_in(given))
    if asked is None or known is None:
        raise SignInRefused("no such question, or no such passkey")
    count = passkeys.verify(_site(services), given, nonce, known.public_key, known.sign_count)
    with services.store.write() as tx:
        if not tx.signins.count_on(known.id, known.sign_count, count):
            raise SignInRefused("somebody was quicker with this passkey")
        return open_session(services, tx, known.coach)


def key_challenge(services: Services, coach: str) -> bytes:
    """A challenge that the coach's everyday or recovery key opens. With one coach, her name may be left out.

    A name that nobody has gets a challenge that nobody can open: it is told apart by nothing.
    """
    with services.store.read() as tx:
        slugs = tx.coaches.slugs()
        slug = slugs[0] if len(slugs) == 1 and not coach else coach
        living = tx.keys.living(slug) if slug in slugs else []
        recipients = [row.recipient for row in living if row.kind != "successor"]
    if not recipients:
        recipients = [services.sealer.new_identity()[1], services.sealer.new_identity()[1]]
        slug = ""
    nonce = ask(services, BY_KEY, slug)
    sealed: bytes = services.sealer.seal_challenge(services.config.address, nonce, recipients)
    return sealed


def with_key(services: Services, nonce: str) -> Secret:
    """A session for whoever opened the sealed challenge; raises SignInRefused."""
    with services.store.write() as tx:
        asked = tx.signins.answer(services.sealer.lookup(Secret(nonce.strip())), BY_KEY, services.clock())
        opened = open_session(services, tx, asked.coach) if asked and asked.coach else None
    if opened is None:
        raise SignInRefused("no such question")
    return opened


def new_passkey_options(services: Services, session: Session) -> dict[str, Any]:
    """What the browser needs to make a passkey. Raises SignInRefused where the session is not fresh."""
    must_be_fresh(session)
    coach = session.coach
    with services.store.read() as tx:
        known = [row.id for row in tx.signins.credentials(coach.slug)]
    return {
        "challenge": ask(services, NEW_PASSKEY, coach.slug).reveal(),
        "rp": {"id": services.config.host, "name": services.config.file.site.name or services.config.host},
        "user": {
            # The same coach again on the same device replaces her passkey instead of adding one.
            "id": passkeys.b64(services.sealer.sign("passkey-user", coach.slug.encode())),
            "name": coach.settings.name,
            "displayName": coach.settings.name,
        },
        "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in passkeys.ALGORITHMS],
        "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
        "excludeCredentials": [{"type": "public-key", "id": passkeys.b64(each)} for each in known],
        "attestation": "none",
        "timeout": 120_000,
    }


def enrol(services: Services, session: Session, answer: str) -> bytes:
    """Keep a new passkey; answers its id. Raises SignInRefused."""
    must_be_fresh(session)
    given = _json(answer)
    nonce = passkeys.challenge_in(given)
    now, coach = services.clock(), session.coach.slug
    with services.store.write() as tx:
        asked = tx.signins.answer(services.sealer.lookup(nonce), NEW_PASSKEY, now)
    if asked is None or asked.coach != coach:
        raise SignInRefused("no such question")
    made = passkeys.verify_new(_site(services), given, nonce)
    with services.store.write() as tx:
        if tx.signins.credential(made.id) is not None:
            raise SignInRefused("this passkey is known already")
        today = date_of(now)
        tx.signins.add_credential(services.store.credential(made.id, coach, made.public_key, made.sign_count, today))
        tx.happenings.note(coach, "", now, PASSKEY_ADDED)
    return made.id


def passkeys_of(services: Services, coach: str) -> list[tuple[str, str, bool]]:
    """A coach's passkeys: id, the day it was made, whether it also opens records."""
    with services.store.read() as tx:
        rows = tx.signins.credentials(coach)
    return [(passkeys.b64(row.id), row.created_on, row.wrapped_identity is not None) for row in rows]


def remove_passkey(services: Services, session: Session, credential_id: bytes) -> None:
    """Let a passkey open the desk no more. Raises SignInRefused, NotFound."""
    must_be_fresh(session)
    with services.store.write() as tx:
        if not tx.signins.remove_credential(session.coach.slug, credential_id):
            raise NotFound("no such passkey")
        tx.happenings.note(session.coach.slug, "", services.clock(), PASSKEY_REMOVED)


def _site(services: Services) -> passkeys.Site:
    return passkeys.Site(services.config.host, services.config.address)


def must_be_fresh(session: Session) -> None:
    """Raise SignInRefused where the coach signed in too long ago for what changes who can sign in or open."""
    if not session.fresh:
        raise SignInRefused("signed in too long ago for this")


def _json(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise SignInRefused("not an answer")
    return given
