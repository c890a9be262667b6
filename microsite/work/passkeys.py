"""Checking what a passkey says (WebAuthn level 3). Which questions were asked, and whose passkeys, is `signin`'s."""

import json
from base64 import urlsafe_b64decode
from base64 import urlsafe_b64encode
from typing import Any
from typing import NamedTuple

from microsite.core.people import Secret
from microsite.errors import SignInRefused

ALGORITHMS = (-7, -8, -257)
"""ES256, Ed25519, RS256: what phones, laptops and security keys make."""
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What the libraries raise for bytes that are no answer at all."""


class Site(NamedTuple):
    """Whom a passkey is for: the host name it belongs to, and the address the question was asked at."""

    host: str
    origin: str


class New(NamedTuple):
    """A passkey that was just made."""

    id: bytes
    public_key: bytes
    sign_count: int


def challenge_in(answer: dict[str, Any]) -> Secret:
    """The question that an answer says it answers; raises SignInRefused."""
    try:
        said = json.loads(unb64(answer["response"]["clientDataJSON"]))["challenge"]
        return Secret(b64(unb64(said)))
    except UNREADABLE:
        raise SignInRefused("not an answer") from None


def id_in(answer: dict[str, Any]) -> bytes:
    """The id of the passkey that answered; raises SignInRefused."""
    try:
        return unb64(answer["id"])
    except UNREADABLE:
        raise SignInRefused("not an answer") from None


def verify(site: Site, answer: dict[str, Any], nonce: Secret, public_key: bytes, count: int) -> int:
    """Check a sign-in, with user verification; answers the passkey's counter. Raises SignInRefused."""
    # Imported late: these libraries are large, and only sign-ins need them.
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=unb64(nonce.reveal()),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=count,
            require_user_verification=True,
        )
    except (WebAuthnException, *UNREADABLE):
        raise SignInRefused("the answer does not hold") from None
    return verified.new_sign_count


def verify_new(site: Site, answer: dict[str, Any], nonce: Secret) -> New:
    """Check a new passkey, made with user verification. Raises SignInRefused."""
    from webauthn import verify_registration_response
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        verified = verify_registration_response(
            credential=answer,
            expected_challenge=unb64(nonce.reveal()),
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(each) for each in ALGORITHMS],
        )
    except (WebAuthnException, *UNREADABLE):
        raise SignInRefused("the answer does not hold") from None
    return New(verified.credential_id, verified.credential_public_key, verified.sign_count)


def b64(raw: bytes) -> str:
    """Base64 for web addresses, without padding."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """The bytes of such a text; raises ValueError for anything else."""
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
