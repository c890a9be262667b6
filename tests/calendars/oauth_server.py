"""A provider that gives no access by password: Authlib's own OAuth 2 server, and a real Radicale that wants the bearer.

The server runs in a thread of the tests; Radicale stands behind `between`, which turns a living bearer into the
password that Radicale knows, and anything else into a 401.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import pytest
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin
from authlib.oauth2.rfc6749.models import TokenMixin
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask
from flask import request
from werkzeug.serving import make_server

from microsite.calendars.addresses import authorization
from microsite.core.mirror import Account
from microsite.core.mirror import OAuthApp

from .proxy import Exchange
from .servers import PASSWORD
from .servers import USER

CLIENT_ID = "a-site"
CLIENT_SECRET = "a secret of the site"
SCOPE = "calendar"
REDIRECT = "http://127.0.0.1:53682/"


class Client(ClientMixin):  # type: ignore[misc]
    """The one app that is registered."""

    client_id = CLIENT_ID

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return REDIRECT

    def get_allowed_scope(self, scope: str) -> str:
        return SCOPE if scope == SCOPE else ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == REDIRECT

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_post"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {"authorization_code", "refresh_token"}


class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    """An authorization code, used once."""

    def __init__(self, asked: Any) -> None:
        self.code_challenge, self.code_challenge_method = asked["code_challenge"], asked["code_challenge_method"]
        self.redirect_uri, self.scope = asked["redirect_uri"], asked["scope"]

    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)


class Permission(TokenMixin):  # type: ignore[misc]
    """A refresh token."""

    def check_client(self, client: Client) -> bool:
        return client.client_id == CLIENT_ID

    def get_scope(self) -> str:
        return SCOPE

    def get_expires_in(self) -> int:
        return 0

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False


class Provider:
    """What the provider knows; `withdraw` is what a coach does in her account there."""

    def __init__(self) -> None:
        self.lasts, self.port = 3600, 0
        self.codes: dict[str, Code] = {}
        self.permissions: dict[str, Permission] = {}
        self.living: dict[str, float] = {}
        self.asked: list[str] = []

    @property
    def app(self) -> OAuthApp:
        """What the operator enters in the settings."""
        base = f"http://127.0.0.1:{self.port}"
        return OAuthApp(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            authorize_url=f"{base}/authorize",
            token_url=f"{base}/token",
            scope=SCOPE,
            redirect_uri=REDIRECT,
        )

    def withdraw(self) -> None:
        """Nothing that was given counts any more."""
        self.permissions.clear()
        self.living.clear()

    def end_access(self) -> None:
        """Access tokens end early; permissions stay."""
        self.living.clear()

    def between(self, exchange: Exchange) -> None:
        """Before Radicale: only with a living bearer."""
        header = next((value for name, value in exchange.headers.items() if name.lower() == "authorization"), "")
        if self.living.get(header.removeprefix("Bearer "), 0.0) < time.monotonic() or not header.startswith("Bearer "):
            exchange.answer(401, b"", WWW_Authenticate="Bearer")
            return
        exchange.headers = {name: value for name, value in exchange.headers.items() if name.lower() != "authorization"}
        exchange.headers.update(authorization(Account(calendar="", url="", username=USER, password=PASSWORD)))

    def allow(self, url: str) -> str:
        """The coach opens the address, allows, and copies where her browser ends."""
        import http.client

        parts = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        assert answer.status == 302, answer.status
        return str(answer.getheader("Location"))


def question(url: str) -> dict[str, str]:
    """The parameters of an authorization address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _server(provider: Provider) -> Flask:
    flask = Flask("provider")
    flask.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True

    def save(token: dict[str, Any], asked: Any) -> None:
        provider.living[token["access_token"]] = time.monotonic() + provider.lasts
        if "refresh_token" in token:
            provider.permissions[token["refresh_token"]] = Permission()

    class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]  # noqa: RUF012 - Authlib's own way

        def save_authorization_code(self, code: str, asked: Any) -> None:
            provider.codes[code] = Code(request.args)

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, code: Code) -> None:
            provider.codes = {key: each for key, each in provider.codes.items() if each is not code}

        def authenticate_user(self, code: Code) -> str:
            return USER

    class RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]  # noqa: RUF012

        def authenticate_refresh_token(self, token: str) -> Permission | None:
            return provider.permissions.get(token)

        def authenticate_user(self, token: Permission) -> str:
            return USER

        def revoke_old_credential(self, token: Permission) -> None:
            return

    server = AuthorizationServer(flask, query_client=lambda _: Client(), save_token=save)
    lengths = {"expires_generator": lambda *_: provider.lasts}
    server.register_token_generator("default", _generator(**lengths))
    server.register_grant(CodeGrant, [CodeChallenge(required=True)])
    server.register_grant(RefreshGrant)

    @flask.get("/authorize")
    def authorize() -> Any:
        grant = server.get_consent_grant(end_user=USER)
        return server.create_authorization_response(grant_user=USER, grant=grant)

    @flask.post("/token")
    def token() -> Any:
        provider.asked.append(request.form["grant_type"])
        return server.create_token_response()

    return flask


def _generator(expires_generator: Any) -> Any:
    from authlib.oauth2.rfc6750 import BearerTokenGenerator

    def text(**_: Any) -> str:
        return secrets.token_urlsafe(24)

    return BearerTokenGenerator(text, text, expires_generator)


@contextmanager
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A running provider on loopback, where Authlib's server would insist on https."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    made = Provider()
    server = make_server("127.0.0.1", 0, _server(made), threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
