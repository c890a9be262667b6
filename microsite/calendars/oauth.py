"""Signing in at a provider that gives no access by password (OAuth 2, RFC 6749, with PKCE, RFC 7636).

Authlib knows the protocol; what goes over the wire goes through `wire`, with its rules for addresses, sizes and time.
The coach signs in on any machine: her browser ends at an address that nobody answers, and she pastes that address.
"""

import json
from typing import Any
from urllib.parse import urlencode

from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.common.security import generate_token  # type: ignore[import-untyped]
from authlib.oauth2 import OAuth2Client  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response  # type: ignore[import-untyped]

from microsite.calendars.refusals import raise_for
from microsite.calendars.wire import Reply
from microsite.calendars.wire import Wire
from microsite.core.mirror import Account
from microsite.core.mirror import OAuthApp
from microsite.core.mirror import SignIn
from microsite.core.mirror import Tokens
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable

WITHDRAWN = "the permission to use the calendar was withdrawn or has run out: connect it again"
UNCLEAR = "the provider's answer to the sign-in is not understood"
MAX_ANSWER = 64 * 1024
HOUR = 3600


def sign_in(app: OAuthApp) -> SignIn:
    """A new sign-in: where the coach goes, and the secrets that tie her answer to it. No network."""
    verifier, state = generate_token(64), generate_token(32)
    client = _client(app, None, state)
    # offline and consent: without both, Google gives a refresh token only the first time, or never.
    url, _ = client.create_authorization_url(
        app.authorize_url, state=state, code_verifier=verifier, access_type="offline", prompt="consent"
    )
    return SignIn(url=url, state=state, verifier=verifier)


def exchange(wire: Wire, app: OAuthApp, asked: SignIn, pasted: str) -> Tokens:
    """The tokens for the address at which the sign-in ended. CalendarRefused: it is not hers, too old, or a refusal."""
    try:
        code = parse_authorization_code_response(pasted.strip(), asked.state)["code"]
    except (AuthlibBaseError, ValueError) as error:
        raise CalendarRefused("this is not the address at which this sign-in ended well: begin again") from error
    try:
        token = _client(app, wire, asked.state).fetch_token(
            app.token_url, code=code, grant_type="authorization_code", code_verifier=asked.verifier
        )
    except AuthlibBaseError as error:
        raise CalendarRefused(f"the sign-in did not succeed ({_code(error)}): begin again") from error
    except ValueError as error:
        raise CalendarUnreachable(UNCLEAR) from error
    found = _tokens(token)
    if not found.refresh:
        raise CalendarRefused("the provider gave no lasting permission: take the old one back there, then begin again")
    return found


def refresh(wire: Wire, app: OAuthApp, token: str) -> Tokens:
    """A new access token. CalendarRefused: the permission is gone; CalendarUnreachable: nothing is known."""
    try:
        return _tokens(_client(app, wire, "").refresh_token(app.token_url, refresh_token=token))
    except AuthlibBaseError as error:
        if _code(error) == "invalid_grant":
            raise CalendarRefused(WITHDRAWN) from error
        raise CalendarRefused(
            f"the provider refuses this site ({_code(error)}): see [google] in the settings"
        ) from error
    except ValueError as error:
        raise CalendarUnreachable(UNCLEAR) from error


def wire_for(app: OAuthApp, allowed: frozenset[str], seconds: float) -> Wire:
    """A connection for one exchange with the token endpoint."""
    wire = Wire(Account(calendar="sign-in", url=app.token_url), allowed=allowed)
    wire.start(seconds)
    return wire


def _client(app: OAuthApp, wire: Wire | None, state: str) -> Any:
    return OAuth2Client(
        _Session(wire),
        client_id=app.client_id,
        client_secret=app.client_secret or None,
        token_endpoint_auth_method="client_secret_post" if app.client_secret else "none",
        scope=app.scope,
        state=state,
        redirect_uri=app.redirect_uri,
        code_challenge_method="S256",
    )


def _tokens(token: Any) -> Tokens:
    access, lasts = token.get("access_token"), token.get("expires_in") or HOUR
    if not isinstance(access, str) or not access or not str(lasts).isdecimal():
        raise CalendarUnreachable("the provider's answer holds no access token")
    return Tokens(access=access, refresh=str(token.get("refresh_token") or ""), seconds=int(lasts))


def _code(error: AuthlibBaseError) -> str:
    """The provider's error code if it is one (RFC 6749 5.2); never its free text."""
    code = str(error.error or "")
    return code if code.replace("_", "").isalpha() and len(code) < 40 else "unknown"


class _Session:
    """What Authlib takes for an HTTP session."""

    def __init__(self, wire: Wire | None) -> None:
        self._wire = wire

    def post(self, url: str, data: dict[str, str], headers: dict[str, str], auth: Any) -> "_Response":
        """One POST of a form."""
        if self._wire is None:
            raise CalendarUnreachable("there is no connection to the provider")
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _Response(self._wire.send("POST", url, body.encode(), headers, MAX_ANSWER))


class _Response:
    """The part of a response that Authlib looks at."""

    def __init__(self, reply: Reply) -> None:
        self._reply, self.status_code = reply, reply.status

    def raise_for_status(self) -> None:
        """Raise a calendar error unless it is a success."""
        raise_for(self._reply)

    def json(self) -> Any:
        """The document; raises ValueError."""
        try:
            return json.loads(self._reply.body)
        except RecursionError as error:
            raise ValueError("nested beyond reason") from error
