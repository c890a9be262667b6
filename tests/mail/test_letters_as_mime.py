"""The letters on the wire: tree, headers, bytes, and what never appears in them."""

import re
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import msgspec
import pytest
from ics_gates import judge
from ics_gates import value
from letterbox import BRAND
from letterbox import NOW
from letterbox import SENDER
from letterbox import TEMPLATES
from letterbox import Sent
from letterbox import file_for
from letterbox import parts

from microsite.core.bookings import Booking
from microsite.core.letters import CANCELLING
from microsite.core.letters import PUBLISHING
from microsite.core.letters import SUBJECTS
from microsite.core.letters import LetterOrder
from microsite.core.letters import subject
from microsite.core.people import Address
from microsite.core.people import Secret
from microsite.errors import MailRefused
from microsite.errors import SettingsError
from microsite.mail import Maildir
from microsite.mail import Mailer

Order = Callable[..., LetterOrder]
LANGUAGES = ("id", "en")
WITH_FILE = sorted(PUBLISHING | CANCELLING)
WITHOUT_FILE = sorted(set(SUBJECTS) - set(WITH_FILE))
NASTY = {
    "CRLF": "x\r\nBcc: thief@example.org\r\n\r\nbody",
    "emoji": "🌱👩🏽‍🦱",
    "CJK": "予約" * 100,
    "right to left": "جلسة\u202eabc",
    "an event": "BEGIN:VEVENT\nATTENDEE:mailto:x@example.org",
    "markup": "<script>alert(1)</script>{{ link }}&amp;",
}


def tree(message: EmailMessage) -> str:
    if not message.is_multipart():
        return message.get_content_type()
    inner = ", ".join(tree(part) for part in message.iter_parts())
    return f"{message.get_content_subtype()}[{inner}]"


def test_the_lines_between_parts_are_set_and_could_stand_in_no_part(post: Sent, order: Order) -> None:
    """The library would compile each that it chose itself, and keep what it compiled."""
    letters = [post.letter(order("confirmed", "id")) for _ in range(3)]
    lines = [part.get_boundary() for letter in letters for part in letter.walk() if part.is_multipart()]
    assert len(set(lines)) == len(lines) == 6
    assert all(re.fullmatch("=_[0-9a-f]{32}", line or "") for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", WITH_FILE)
def test_a_letter_with_a_file_carries_it_twice_and_alike(post: Sent, order: Order, kind: str, language: str) -> None:
    message = post.letter(order(kind, language))
    assert tree(message) == "mixed[alternative[text/plain, text/html, text/calendar], application/ics]"
    part, file = parts(message)["text/calendar"], parts(message)["application/ics"]
    inside = part.get_payload(decode=True)
    assert inside == file.get_payload(decode=True)
    assert isinstance(inside, bytes)
    assert judge(inside) == []
    assert part.get_param("method") == value(inside, "METHOD")
    assert str(part.get_param("charset")).lower() == "utf-8"
    assert value(inside, "ORGANIZER") == f"mailto:{SENDER}"
    assert part["Content-Disposition"] is None
    assert part["Content-ID"] is None
    assert file.get_content_disposition() == "attachment"
    assert file.get_filename() == file.get_param("name") == "invite.ics"
    assert part["Content-Transfer-Encoding"] == file["Content-Transfer-Encoding"] == "base64"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", WITHOUT_FILE)
def test_reminders_and_the_coachs_letters_have_no_calendar_part(
    post: Sent, order: Order, kind: str, language: str
) -> None:
    assert tree(post.letter(order(kind, language))) == "alternative[text/plain, text/html]"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_letter_is_seven_bit_short_lined_and_without_defects(
    post: Sent, order: Order, kind: str, language: str
) -> None:
    raw = post.raw(order(kind, language))
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    for part in post.letter(order(kind, language)).walk():
        assert part.defects == []
        for field in part.values():
            assert field.defects == ()


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_letter_has_the_same_honest_head(post: Sent, order: Order, kind: str) -> None:
    message = post.letter(order(kind, "en"))
    assert message["From"].addresses[0].addr_spec == SENDER
    assert message["From"].addresses[0].display_name == BRAND
    assert message["To"] == "klien@example.org"
    assert message["Subject"] == subject(kind, "en")
    assert message["Message-ID"] == "<0123456789abcdef0123@book.example>"
    assert message["References"] == message["In-Reply-To"] == "<first0123456789abcdef@book.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert parsedate_to_datetime(message["Date"]).timestamp() == NOW
    assert message["MIME-Version"] == "1.0"
    for name in ("X-Mailer", "List-ID", "List-Unsubscribe", "Precedence", "Bcc", "Cc", "Sender"):
        assert message[name] is None


@pytest.mark.parametrize("kind", ["confirmed", "reminder", "new"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_is_named_on_the_letter_and_its_texts(post: Sent, order: Order, kind: str, language: str) -> None:
    message = post.letter(order(kind, language))
    assert message.get_all("Content-Language") == [language]
    for name in ("text/plain", "text/html"):
        assert parts(message)[name].get_all("Content-Language") == [language]
    assert f'<html lang="{language}">' in parts(message)["text/html"].get_content()


def test_the_first_letter_answers_nothing(post: Sent, order: Order) -> None:
    message = post.letter(order("confirmed", references=""))
    assert message["References"] is None
    assert message["In-Reply-To"] is None


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("rara@coach.example", "rara@coach.example"),
        ("+62 812 3456", None),
        ("rara@coach.example, other@coach.example", None),
        ("a@b\r\nBcc: x@example.org", None),
    ],
)
def test_answers_go_to_the_coach_where_her_contact_is_an_address(
    post: Sent, order: Order, contact: str, expected: str | None
) -> None:
    assert post.letter(order("confirmed", contact=contact))["Reply-To"] == expected
    assert post.letter(order("new", contact=contact))["Reply-To"] is None


@pytest.mark.parametrize("name", ["coach_name", "place", "contact", "ref"])
@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("kind", ["confirmed", "cancelled", "new-request"])
def test_no_text_can_shape_the_letter(post: Sent, order: Order, kind: str, text: str, name: str) -> None:
    raw = post.raw(order(kind, **{name: text}))
    message = post.letter(order(kind, **{name: text}))
    assert raw.isascii()
    assert message["Bcc"] is None
    assert message["To"] == "klien@example.org"
    assert tree(message) == tree(post.letter(order(kind)))
    plain, html = (parts(message)[part].get_content() for part in ("text/plain", "text/html"))
    assert len(plain.split("\n\n")) == len(parts(post.letter(order(kind)))["text/plain"].get_content().split("\n\n"))
    assert "<script>" not in html


@pytest.mark.parametrize(
    "address",
    [
        "klien@example.org\r\nBcc: thief@example.org",
        "klien@example.org\nBcc: thief@example.org",
        "klien@example.org, thief@example.org",
        "klien@example.org\x00",
        "Klien <klien@example.org>",
        '"a b"@example.org',
        "klien@exam ple.org",
        "klien@@example.org",
        "klien",
        "@example.org",
        "klien@",
        "klien@-.org",
        "k" * 65 + "@example.org",
        "klien\u2028@example.org",
        "",
    ],
)
def test_an_address_that_is_not_one_mailbox_is_refused_without_being_quoted(
    post: Sent, order: Order, address: str
) -> None:
    with pytest.raises(MailRefused) as caught:
        post.mailer.send(order("confirmed", address=Address(address)))
    assert caught.value.code == 553
    assert caught.value.__context__ is None
    assert "klien" not in str(caught.value)
    assert list((post.folder / "new").iterdir()) == []


def test_a_long_address_stays_whole(post: Sent, order: Order) -> None:
    address = "k" * 64 + "@" + ".".join(["a" * 50] * 3) + ".example"
    raw = post.raw(order("confirmed", address=Address(address)))
    assert address.encode() in raw.replace(b"\r\n ", b"")
    assert post.letter(order("confirmed", address=Address(address)))["To"].addresses[0].addr_spec == address


def test_a_domain_outside_ascii_travels_as_idna_and_keeps_its_sharp_s(post: Sent, order: Order) -> None:
    """The old IDNA would send the letters of straße.example to strasse.example: to somebody else."""
    assert post.letter(order("confirmed", address=Address("klien@bücher.example")))["To"] == (
        "klien@xn--bcher-kva.example"
    )
    assert post.letter(order("confirmed", address=Address("klien@straße.example")))["To"] == (
        "klien@xn--strae-oqa.example"
    )


def test_a_local_part_outside_ascii_is_written_as_it_is(post: Sent, order: Order) -> None:
    raw = post.raw(order("confirmed", address=Address("müller@example.org")))
    assert "\r\nTo: müller@example.org\r\n".encode() in raw


def test_a_brand_outside_ascii_arrives_whole(post: Sent, order: Order) -> None:
    mailer = Mailer(Maildir(post.folder), SENDER, "Ruang Pércaya 信頼", "https://book.example", TEMPLATES)
    post.mailer = mailer
    message = post.letter(order("confirmed"))
    assert message["From"].addresses[0].display_name == "Ruang Pércaya 信頼"


# ---- what an order may not ask for


def test_a_file_that_does_not_fit_the_letter_is_refused(post: Sent, order: Order, booking: Booking) -> None:
    for kind, method in (
        ("reminder", "PUBLISH"),
        ("confirmed", "CANCEL"),
        ("cancelled", "PUBLISH"),
        ("new", "PUBLISH"),
    ):
        with pytest.raises(ValueError, match="METHOD"):
            post.mailer.send(order(kind, event=file_for(booking, method)))


def test_an_organizer_who_is_not_the_sender_is_refused(post: Sent, order: Order, booking: Booking) -> None:
    other = msgspec.structs.replace(file_for(booking, "PUBLISH"), organizer_address="rara@coach.example")
    with pytest.raises(ValueError, match="organizer"):
        post.mailer.send(order("confirmed", event=other))


@pytest.mark.parametrize("name", ["link", "booking_page"])
def test_a_link_elsewhere_is_refused_without_being_quoted(post: Sent, order: Order, name: str) -> None:
    elsewhere = "https://book.example.thief.example/m/T0KEN"
    with pytest.raises(ValueError, match="this site only") as caught:
        post.mailer.send(order("confirmed", **{name: Secret(elsewhere) if name == "link" else elsewhere}))
    assert "T0KEN" not in str(caught.value)


@pytest.mark.parametrize(
    "identity", ["<x@elsewhere.example>", "", "<a b c d e f g h@book.example>", "<short@book.example>"]
)
def test_a_message_id_that_is_not_random_letters_at_our_host_is_refused(
    post: Sent, order: Order, identity: str
) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        post.mailer.send(order("confirmed", message_id=identity))


@pytest.mark.parametrize(
    ("sender", "brand"), [("no address", "x"), ("", "x"), ("müller@book.example", "x"), (SENDER, "a\r\nBcc: x")]
)
def test_a_mailer_with_a_wrong_sender_does_not_start(post: Sent, sender: str, brand: str) -> None:
    with pytest.raises(SettingsError):
        Mailer(Maildir(post.folder), sender, brand, "https://book.example", TEMPLATES)


def test_the_mailer_names_its_sender_for_the_organizer(post: Sent) -> None:
    assert post.mailer.sender == SENDER
