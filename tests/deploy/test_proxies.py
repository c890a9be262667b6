"""Caddy and nginx as deploy/ sets them up, on loopback in front of the real site: TLS, addresses, and silent logs."""

import http.client
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import tomli_w
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import ROOT
from tests.conftest import Site
from tests.conftest import free_port
from tests.conftest import wait_until

TOKEN = "Q" * 20 + "z" * 23
ADDRESS = "192.0.2.77"
WORDS = (TOKEN, ADDRESS, "QagentZ", "QrefererZ", "QqueryZ", "/sari")
"""What no log of a proxy may hold: paths with tokens or without, queries, addresses, headers."""


class Proxy:
    """A running web server with TLS in front of a site; `logs` are all the files and streams it writes to."""

    def __init__(self, name: str, folder: Path, port: int) -> None:
        self.name, self.folder, self.port = name, folder, port
        self.site_port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.trust = ssl.create_default_context()

    def start(self, *command: str, environ: dict[str, str] | None = None) -> None:
        """Run it until it answers."""
        with (self.folder / "stream.log").open("ab") as stream:
            self.process = subprocess.Popen(
                command, env={**os.environ, **(environ or {})}, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL
            )
        wait_until(self._listens, 60, f"{self.name} answers")

    def stop(self) -> None:
        """End it."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        """One exchange over TLS; status, headers, text."""
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.trust, timeout=60)
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request(method, path, body or None, given)
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        connection.close()
        return found

    @property
    def told(self) -> list[str]:
        """What of `WORDS` is in the logs, and every address but those that the two listen on themselves."""
        addresses = set(re.findall(r"(?:127\.0\.0\.1|::1\]?):(\d+)", self.logs))
        return [word for word in WORDS if word in self.logs] + sorted(addresses - {str(self.port), str(self.site_port)})

    @property
    def logs(self) -> str:
        """Everything written."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def _listens(self) -> bool:
        try:
            self.ask("GET", "/healthz")
        except (OSError, http.client.HTTPException):
            assert self.process is not None
            assert self.process.poll() is None, self.logs
            return False
        return True


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key, made on the spot."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def put(text: str, changes: dict[str, str]) -> str:
    """Each change made exactly where it is meant, or the file is not what the test thinks."""
    for old, new in changes.items():
        assert old in text, f"the file no longer holds {old!r}"
        text = text.replace(old, new)
    return text


def nginx(folder: Path, root: Path = ROOT) -> Proxy:
    """deploy/nginx.conf with another name, other ports and folders."""
    proxy = Proxy("nginx", folder, free_port())
    cert, key = certificate(folder)
    plain = free_port()
    conf = put(
        (root / "deploy/nginx.conf").read_text(),
        {
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "    listen [::]:80;\n": "",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{proxy.port} ssl http2;",
            "    listen [::]:443 ssl http2;\n": "",
            "server_name book.example;": "server_name localhost;",
            "/etc/letsencrypt/live/book.example/fullchain.pem": str(cert),
            "/etc/letsencrypt/live/book.example/privkey.pem": str(key),
            "/var/log/nginx/": f"{folder}/",
            "http://127.0.0.1:8000": f"http://127.0.0.1:{proxy.site_port}",
        },
    )
    temp = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/main.log error;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temp}{conf}}}\n"
    )
    proxy.trust.load_verify_locations(cert)
    proxy.start(shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx", "-c", f"{folder}/nginx.conf")
    return proxy


def caddy(folder: Path, root: Path = ROOT) -> Proxy:
    """deploy/Caddyfile with another name and port, and a certificate of the test's own."""
    proxy = Proxy("caddy", folder, free_port())
    cert, key = certificate(folder)
    text = put(
        (root / "deploy/Caddyfile").read_text(),
        {
            "admin off\n": "admin off\n\tauto_https off\n",
            "\nbook.example {": f"\nhttps://localhost:{proxy.port} {{\n\tbind 127.0.0.1\n\ttls {cert} {key}",
            "127.0.0.1:8000": f"127.0.0.1:{proxy.site_port}",
        },
    )
    (folder / "Caddyfile").write_text(text)
    proxy.trust.load_verify_locations(cert)
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    caddy_ = shutil.which("caddy") or "caddy"
    proxy.start(caddy_, "run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile", environ=home)
    return proxy


@pytest.fixture(name="proxy", scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def _proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Each of them, before the demo's site with the settings that the files name."""
    folder = tmp_path_factory.mktemp("proxy")
    start: Callable[[Path], Proxy] = request.param
    proxy = start(folder)
    site = Site(tmp_path_factory.mktemp("behind") / "instance", proxy.site_port)
    site.start()
    site.stop()
    document = {
        "site": {"address": f"https://localhost:{proxy.port}"},
        "limits": {"trusted_proxies": 1, "tokens": "5 per minute"},
        "metrics": {"enabled": True},
        "logs": {"requests": True},
    }
    (site.instance / "config.toml").write_text(tomli_w.dumps(document))
    (site.instance / "config.toml").chmod(0o600)
    site.start()
    yield proxy
    proxy.stop()
    site.stop()


def test_pages_come_over_tls_with_the_sites_own_headers(proxy: Proxy) -> None:
    status, headers, text = proxy.ask("GET", "/sari/sesi/")

    assert status == 200
    assert 'data-state="times"' in text
    assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    assert headers.get_all("Content-Security-Policy") and len(headers.get_all("Content-Security-Policy") or []) == 1
    assert "Set-Cookie" not in headers


def test_a_form_that_is_sent_over_it_is_taken_for_the_sites_own(proxy: Proxy) -> None:
    """The site is asked over plain http behind the proxy, and must know itself by its https address."""
    own = {"Content_Type": "application/x-www-form-urlencoded", "Origin": f"https://localhost:{proxy.port}"}
    body = urlencode({"name": "Budi"})
    assert proxy.ask("POST", "/sari/sesi/book?slot=20200106T030000Z", body, **own)[0] == 409
    foreign = {**own, "Origin": "https://elsewhere.example"}
    assert proxy.ask("POST", "/sari/sesi/book?slot=20200106T030000Z", body, **foreign)[0] == 403


def test_metrics_are_not_there_from_outside(proxy: Proxy) -> None:
    assert proxy.ask("GET", "/metrics")[0] == 404
    assert proxy.ask("GET", "/healthz")[0] == 200


def test_an_address_that_a_visitor_makes_up_is_not_believed(proxy: Proxy) -> None:
    """Limits count whoever the proxy saw: nobody gets around them by writing another address each time."""
    answers = [
        proxy.ask("GET", f"/m/{TOKEN}", X_Forwarded_For=f"192.0.2.{number}", Forwarded=f"for=192.0.2.{number}")[0]
        for number in range(8)
    ]
    assert answers == [404] * 5 + [429] * 3


def test_its_logs_hold_no_path_no_address_and_no_header(proxy: Proxy) -> None:
    own = {"User_Agent": "QagentZ", "Referer": "https://QrefererZ.example/", "X_Forwarded_For": ADDRESS}
    for path in (f"/m/{TOKEN}?x=QqueryZ", "/sari/sesi/?x=QqueryZ", f"/desk/{TOKEN}", f"/{'x' * 20_000}{TOKEN}"):
        proxy.ask("GET", path, **own)
    proxy.ask("POST", f"/m/{TOKEN}", "x" * 9_000_000 if proxy.name == "nginx" else "x", **own)

    wait_until(lambda: re.search(r"\b404\b", proxy.logs), what="a line in the log")
    assert "GET" in proxy.logs
    assert proxy.told == [], proxy.logs[-3000:]


@pytest.mark.parametrize("start", [nginx, caddy])
def test_where_the_site_is_down_its_error_log_holds_none_either(tmp_path: Path, start: Callable[[Path], Proxy]) -> None:
    """The lines that a proxy writes about a request it could not hand on are where tokens end up."""
    alone = start(tmp_path)
    answer = alone.ask("GET", f"/m/{TOKEN}?x=QqueryZ", User_Agent="QagentZ", Referer="https://QrefererZ.example/")
    alone.stop()
    assert answer[0] == 502
    assert alone.told == [], alone.logs


@pytest.mark.parametrize(
    ("start", "file", "line"),
    [
        (caddy, "Caddyfile", "request>uri delete"),
        (caddy, "Caddyfile", "\t\t\t\trequest delete\n"),
        (nginx, "nginx.conf", "emerg"),
    ],
)
def test_without_its_line_the_search_would_find_the_token(
    tmp_path: Path, start: Callable[[Path, Path], Proxy], file: str, line: str
) -> None:
    """The negative control: else nobody could tell a silent log from a blind search."""
    loose = tmp_path / "deploy"
    loose.mkdir()
    text = (ROOT / "deploy" / file).read_text()
    (loose / file).write_text(put(text, {line: "error" if line == "emerg" else ""}))
    folder = tmp_path / "run"
    folder.mkdir()
    alone = start(folder, tmp_path)
    alone.ask("GET", f"/m/{TOKEN}")
    alone.stop()
    assert TOKEN in alone.told
