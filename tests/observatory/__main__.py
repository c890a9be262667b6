"""`make observatory`: the site behind TLS and a redirect from http, before the scorer; it wants A+ and 125 points."""

import json
import logging
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from werkzeug.serving import make_server

from microsite.config import File
from microsite.config import Site
from tests.conftest import ROOT
from tests.waiting import free_port
from tests.web.conftest import NO_CALENDARS
from tests.web.conftest import Pages

LEAST, GRADE = 125, "A+"
INSTALLED = ROOT / "build" / "observatory"
PATHS = ("/", "/sari/", "/sari/sesi/", "/en/sari/privacy", "/desk")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that is good for an hour, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(names, critical=False)
    builder = builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(hours=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    chain, secret = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(builder.sign(key, SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return chain, secret


class _ToHttps(BaseHTTPRequestHandler):
    """What a proxy does with http: sends everybody on."""

    https = 0

    def do_GET(self) -> None:
        self.send_response(301)
        self.send_header("Location", f"https://localhost:{self.https}{self.path}")
        self.end_headers()

    do_HEAD = do_OPTIONS = do_GET

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """The site under https and its redirect: the two ports, and the certificate to trust."""
    https, chain_and_key = free_port(), certificate(folder)
    file = File(site=Site(address=f"https://localhost:{https}"), calendars=NO_CALENDARS)
    pages = Pages(folder / "instance", file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*chain_and_key)
    secure = make_server("127.0.0.1", https, pages.app, threaded=True, ssl_context=context)
    plain = ThreadingHTTPServer(("127.0.0.1", 0), type("ToHttps", (_ToHttps,), {"https": https}))
    threads = [threading.Thread(target=each.serve_forever, daemon=True) for each in (secure, plain)]
    for each in threads:
        each.start()
    try:
        yield plain.server_port, https, chain_and_key[0]
    finally:
        secure.shutdown()
        plain.shutdown()
        pages.close()


def judged() -> dict[str, Any]:
    """What the scorer says about each page."""
    conf = INSTALLED / "node_modules" / "@mdn" / "mdn-http-observatory" / "conf"
    (conf / "hsts-preload.json").write_text("{}")  # both are fetched by a script of the package that is not run
    (conf / "tld-list.json").write_text('["org", "com", "net"]')
    for name in ("judge.mjs", "scan.mjs"):
        (INSTALLED / name).write_bytes((Path(__file__).parent / name).read_bytes())
    with TemporaryDirectory() as folder, served(Path(folder)) as (http, https, chain):
        ran = subprocess.run(
            ["node", "judge.mjs", str(http), str(https), *PATHS],
            cwd=INSTALLED,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": str(chain)},
            capture_output=True,
            text=True,
            timeout=300,
        )
    if ran.returncode:
        sys.exit(f"the scorer did not run:\n{ran.stderr}")
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def main() -> None:
    """Print each page's marks; exit code 1 where one is below what is promised."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    low = []
    for path, verdict in judged().items():
        passed = sum(mark["pass"] for mark in verdict["marks"])
        print(f"{verdict['grade']:3} {verdict['score']:4}  {passed}/{len(verdict['marks'])}  {path}")
        for mark in verdict["marks"]:
            if not mark["pass"] or "--all" in sys.argv:
                print(f"      {mark['points']:+4} {mark['name']}: {mark['why']}")
        if verdict["grade"] != GRADE or verdict["score"] < LEAST or passed < len(verdict["marks"]):
            low.append(path)
    if low:
        sys.exit(f"below {GRADE} with {LEAST} points: {', '.join(low)}")


if __name__ == "__main__":
    main()
