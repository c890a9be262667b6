"""What never appears in a letter, in any encoding: the client, where she is, and anything on a lock screen."""

import base64
import quopri
import re
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import quote

import pytest
from letterbox import Sent
from letterbox import parts

from microsite.core.letters import CLIENT_KINDS
from microsite.core.letters import COACH_KINDS
from microsite.core.letters import SUBJECTS
from microsite.core.letters import LetterOrder
from microsite.core.people import Address

Order = Callable[..., LetterOrder]
LANGUAGES = ("id", "en")


def encodings(marker: str) -> set[bytes]:
    """The marker as it may hide: plain, percent, quoted-printable, base64 at each of three offsets."""
    raw = marker.encode()
    hidden = {raw, quote(marker).encode(), quopri.encodestring(raw).strip(), raw.hex().encode()}
    for lead in range(3):
        text = base64.b64encode(b"x" * lead + raw)
        hidden.add(text[4 if lead else 0 : len(text) // 4 * 4 - 4])
    return hidden


def decoded(message: EmailMessage) -> bytes:
    """A letter with its parts opened, after the raw bytes."""
    inner = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    return message.as_bytes() + b"\n".join(text for text in inner if isinstance(text, bytes))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(CLIENT_KINDS))
def test_a_clients_address_is_in_the_to_field_only(post: Sent, order: Order, kind: str, language: str) -> None:
    marker = "zq7klienmarker"
    message = post.letter(order(kind, language, address=Address(f"{marker}@zq8domain.example")))
    del message["To"]
    for name in (marker, "zq8domain"):
        assert not [form for form in encodings(name) if form in decoded(message)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(COACH_KINDS))
def test_the_coachs_letters_say_nothing_of_the_client_not_even_the_zone(
    post: Sent, order: Order, kind: str, language: str
) -> None:
    rare = decoded(post.letter(order(kind, language, zone="Pacific/Chatham", place="zq9place", contact="zq9contact")))
    assert decoded_same(post, order(kind, language, zone="Asia/Makassar"), rare)
    for marker in ("Chatham", "+12:45", "+13:45", "zq9place", "zq9contact"):
        assert not [form for form in encodings(marker) if form in rare]


def decoded_same(post: Sent, order: LetterOrder, other: bytes) -> bool:
    boundary = re.compile(rb"=_[0-9a-f]{32}")
    return boundary.sub(b"", decoded(post.letter(order))) == boundary.sub(b"", other)


@pytest.mark.parametrize("kind", ["confirmed", "moved", "cancelled"])
def test_the_file_never_says_where_the_client_is(post: Sent, order: Order, kind: str) -> None:
    message = post.letter(order(kind, zone="Pacific/Chatham"))
    file = parts(message)["application/ics"].get_payload(decode=True)
    assert isinstance(file, bytes)
    assert b"Chatham" not in file
    assert b"T0KEN" not in file


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SUBJECTS)
def test_subject_first_line_and_preview_say_neither_who_nor_when_nor_where(
    post: Sent, order: Order, kind: str, language: str
) -> None:
    message = post.letter(order(kind, language))
    plain, html = (parts(message)[part].get_content() for part in ("text/plain", "text/html"))
    opening = plain.splitlines()[0]
    (preview,) = re.findall(r"<div style=\"display:none[^>]*>([^<]*)</div>", html)
    assert preview.startswith(opening.replace("'", "&#39;"))
    assert preview.count("&nbsp;") == 60
    for shown in (message["Subject"], opening, preview.replace("&#847;", "").replace("&#39;", "")):
        assert not re.search(r"\d|K7QD|Rara|http|meet|@", shown)


def test_the_maildirs_file_names_say_nothing(post: Sent, order: Order) -> None:
    post.mailer.send(order("confirmed"))
    (path,) = (post.folder / "new").iterdir()
    assert re.fullmatch(r"[0-9a-f]{32}", path.name)
