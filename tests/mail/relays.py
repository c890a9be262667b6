"""Real mail relays for the tests: aiosmtpd on a free loopback port, and bare sockets that misbehave."""

import socket
import ssl
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import AuthResult
from aiosmtpd.smtp import Envelope
from aiosmtpd.smtp import Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.waiting import free_port

OK = "250 OK"


class Inbox:
    """A handler that keeps what came, and answers as it was told."""

    def __init__(self, mail: str = OK, rcpt: str = OK, data: str = OK) -> None:
        self.answers = {"mail": mail, "rcpt": rcpt, "data": data}
        self.letters: list[Envelope] = []
        self.names: list[str] = []
        self.encrypted: list[bool] = []

    async def handle_EHLO(self, server: SMTP, session: Session, envelope: Envelope, name: str, lines: list[str]) -> Any:
        session.host_name = name
        self.names.append(name)
        return lines

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, sender: str, options: Any) -> str:
        if self.answers["mail"] == OK:
            envelope.mail_from = sender
            envelope.mail_options.extend(options)
        return self.answers["mail"]

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: Any) -> str:
        if self.answers["rcpt"] == OK:
            envelope.rcpt_tos.append(to)
        return self.answers["rcpt"]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers["data"] == OK:
            self.letters.append(envelope)
            self.encrypted.append(session.ssl is not None)
        return self.answers["data"]


@contextmanager
def relay(inbox: Inbox, **settings: Any) -> Iterator[int]:
    """An aiosmtpd server with this inbox; gives its port."""
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), ready_timeout=60, **settings)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@contextmanager
def talker(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that accepts one connection and does what `talk` says; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)

        def serve() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(60)
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(60)


def say(
    connection: socket.socket,
    answers: dict[bytes, bytes],
    then: Callable[[], object] = lambda: None,
    taken: list[bytes] | None = None,
) -> None:
    """Speak just enough SMTP: greet, answer by the first four letters; `then` runs where no answer is known.

    The lines of a letter are added to `taken`.
    """
    file = connection.makefile("rb")
    connection.sendall(b"220 hi\r\n")
    in_data = False
    for line in file:
        if in_data:
            if line == b".\r\n":
                in_data = False
                connection.sendall(b"250 taken\r\n")
            elif taken is not None:
                taken.append(line)
            continue
        verb = line[:4].upper()
        if verb not in answers:
            then()
            break
        connection.sendall(answers[verb])
        in_data = verb == b"DATA"
    file.close()


def check_password(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """The one account of the test relay."""
    return AuthResult(success=(data.login, data.password) == (b"site", b"right"), handled=False)


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate of our own for 127.0.0.1: the server's side, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "relay.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=signed.public_bytes(serialization.Encoding.PEM).decode())
