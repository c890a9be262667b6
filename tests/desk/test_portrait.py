"""A coach's portrait: what a file becomes, what is refused, where it shows, and what must not come along."""

import re
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse
from werkzeug.test import encode_multipart

from microsite.core.portraits import MOST_BYTES
from microsite.core.portraits import SIDES
from microsite.errors import PictureRefused
from microsite.pictures import Pictures
from tests.desk.hands import Coach
from tests.postgres import database_of
from tests.web.conftest import Pages

BLUE, GREEN = (30, 60, 140), (40, 150, 70)
PLACE = b"GPS-OF-HER-HOME"


def file(kind: str = "JPEG", size: tuple[int, int] = (900, 1200), **how: object) -> bytes:
    """A picture that is blue above and green below."""
    picture = Image.new("RGB", size, GREEN)
    picture.paste(BLUE, (0, 0, size[0], size[1] // 2))
    written = BytesIO()
    picture.save(written, kind, **how)
    return written.getvalue()


def turned() -> bytes:
    """A photograph as telephones write it: lying on its side, with a note which way is up, a place and a preview."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8298] = 6, "HandyVonSari", PLACE.decode()
    picture = Image.open(BytesIO(file())).rotate(90, expand=True)  # what was above is at the left
    written = BytesIO()
    picture.save(written, "JPEG", exif=exif, comment=b"ditulis oleh Sari")
    return written.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of one colour that is small as a file and huge as a picture."""
    rows = zlib.compressobj(9)
    row = b"\0" + bytes(side // 8)
    packed = b"".join(rows.compress(row) for _ in range(side)) + rows.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def upload(coach: Coach, content: bytes, name: str = "saya.jpg", prefix: str = "") -> TestResponse:
    """Send a file as the settings page does."""
    boundary, body = encode_multipart({"form_token": coach.token(), "portrait": FileStorage(BytesIO(content), name)})
    kind = f'multipart/form-data; boundary="{boundary}"'
    return coach.client.post(f"{prefix}/desk/portrait", data=body, content_type=kind)


def near(colour: object, wanted: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) < 12  # type: ignore[call-overload]


@pytest.fixture(name="coach")
def _coach(pages: Pages) -> Coach:
    """Sari at her desk."""
    coach = Coach(pages)
    coach.enter()
    return coach


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_two_small_squares(kind: str) -> None:
    made = Pictures().portrait(file(kind))
    for name, side in SIDES.items():
        picture = Image.open(BytesIO(getattr(made, name)))
        assert (picture.format, picture.size) == ("WEBP", (side, side))
        assert near(picture.convert("RGB").getpixel((side // 2, 4)), BLUE)
        assert near(picture.convert("RGB").getpixel((side // 2, side - 4)), GREEN)
    assert len(made.small) < 4_000 and len(made.large) < 16_000


def test_it_stands_upright_and_nothing_but_pixels_comes_along() -> None:
    given = turned()
    assert PLACE in given and b"HandyVonSari" in given and b"ditulis" in given
    made = Pictures().portrait(given)

    picture = Image.open(BytesIO(made.large))
    assert near(picture.convert("RGB").getpixel((144, 4)), BLUE)
    assert near(picture.convert("RGB").getpixel((144, 284)), GREEN)
    assert not picture.getexif() and {"exif", "icc_profile", "xmp", "comment"}.isdisjoint(picture.info)
    for content in (made.small, made.large):
        kinds = {content[at : at + 4] for at in (12,)}
        assert kinds == {b"VP8 "}  # the plain form of WebP: one chunk of pixels and no room for anything else
        assert not re.search(rb"GPS|Handy|ditulis|Exif|ICCP|XMP", content)


def test_a_wide_colour_profile_is_worked_in_and_left_out() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = Pictures().portrait(file(icc_profile=profile))
    assert near(Image.open(BytesIO(made.large)).convert("RGB").getpixel((144, 4)), BLUE)
    assert b"ICCP" not in made.large


def test_what_one_sees_through_lies_on_white() -> None:
    written = BytesIO()
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(written, "PNG")
    made = Pictures().portrait(written.getvalue())
    assert near(Image.open(BytesIO(made.large)).convert("RGB").getpixel((10, 10)), (255, 255, 255))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "unreadable"),
        (b"bukan gambar", "unreadable"),
        (file()[:400], "unreadable"),
        (file("GIF"), "unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unreadable"),
        (file(size=(95, 400)), "small"),
        (bomb(20_000), "large"),
        (b"\xff" * (MOST_BYTES + 1), "large"),
    ],
    ids="empty text cut-off gif svg small bomb too-many-bytes".split(),
)
def test_what_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        Pictures().portrait(content)
    assert refused.value.reason == reason


def test_a_picture_that_lies_about_its_size_is_stopped_by_the_childs_limits() -> None:
    """Within the allowed pixels, but more memory than the child has: it ends, and this process does not notice."""
    tight = Pictures(memory=200 * 1024 * 1024)
    with pytest.raises(PictureRefused):
        tight.portrait(file("PNG", size=(7_000, 7_000)))
    with pytest.raises(PictureRefused):
        Pictures(seconds=0.01).portrait(file())


def test_the_web_process_never_loads_the_image_library(pages: Pages) -> None:
    code = "import sys, microsite.web, microsite.pictures; print('PIL' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_she_puts_it_up_and_every_page_of_hers_shows_it(coach: Coach, pages: Pages) -> None:
    assert "/static/portraits/" not in pages.get("/sari/").text
    assert upload(coach, file()).headers["Location"] == "/desk/settings?saved=1"

    page = pages.get("/sari/").text
    (large,) = re.findall(r'<img class="portrait" src="([^"]+)" width="288" height="288" alt="Potret Sari">', page)
    slot = pages.slots()[0]
    for path in ("/sari/sesi/", f"/sari/sesi/book?slot={slot}", "/en/sari/privacy", pages.book()):
        (small,) = re.findall(r'<img class="face" src="([^"]+)"', pages.get(path, follow_redirects=True).text)
    for address, side in ((small, 96), (large, 288)):
        answer = pages.get(address)
        assert answer.content_type == "image/webp"
        assert "immutable" in answer.headers["Cache-Control"] and "Set-Cookie" not in answer.headers
        assert Image.open(BytesIO(answer.data)).size == (side, side)


def test_another_picture_has_another_address_and_taking_it_away_leaves_nothing(coach: Coach, pages: Pages) -> None:
    upload(coach, file())
    (first,) = re.findall(r'<img class="portrait" src="([^"]+)"', pages.get("/sari/").text)
    upload(coach, file(size=(400, 1200)))
    (second,) = re.findall(r'<img class="portrait" src="([^"]+)"', pages.get("/sari/").text)
    assert second != first and pages.get(first).status_code == 404

    coach.post("/desk/portrait", remove="1")
    assert "<img" not in pages.get("/sari/").text and pages.get(second).status_code == 404
    with pages.services.store.read() as tx:
        assert tx.conn.exec_driver_sql("SELECT count(*) FROM portrait").scalar_one() == 0


def test_what_it_shows_can_be_said_in_her_own_words(coach: Coach, pages: Pages) -> None:
    upload(coach, file())
    page = pages.get("/desk/settings")
    names = dict(re.findall(r'<(?:input|textarea)[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text))
    sent = {**names, "portrait_text.id": "Tersenyum di depan jendela", "portrait_text.en": "Smiling by a window"}
    for extra in ("remove", "portrait"):
        sent.pop(extra, None)
    coach.client.post(
        "/desk/settings", data={**sent, "language": "id", "event_class": "CONFIDENTIAL", "note_consent": "writing"}
    )
    assert 'alt="Tersenyum di depan jendela"' in pages.get("/sari/").text
    assert 'alt="Smiling by a window"' in pages.get("/en/sari/").text


@pytest.mark.parametrize(
    ("prefix", "content", "sentence"),
    [
        ("", b"bukan gambar", "JPEG, PNG, dan WebP"),
        ("/en", b"no picture", "JPEG, PNG and WebP work"),
        ("", file(size=(50, 50)), "96 piksel"),
        ("", bomb(20_000), "50 juta piksel"),
        ("", bytes(MOST_BYTES + 10), "12 MB"),
        ("/en", b"", "JPEG, PNG and WebP work"),
    ],
    ids="no-picture english small bomb heavy empty".split(),
)
def test_a_refusal_stands_beside_the_field(coach: Coach, prefix: str, content: bytes, sentence: str) -> None:
    answer = upload(coach, content, prefix=prefix)
    assert answer.status_code == 422
    (said,) = re.findall(r'<p class="error" id="portrait-error">([^<]+)</p>', answer.text)
    assert sentence in said
    assert 'aria-invalid="true"' in answer.text and 'href="#portrait"' in answer.text


def test_no_file_is_said_and_the_present_portrait_stays(coach: Coach, pages: Pages) -> None:
    upload(coach, file())
    assert upload(coach, b"", name="").status_code == 422
    assert 'class="portrait"' in pages.get("/sari/").text


def test_nobody_else_can_put_one_up(pages: Pages, coach: Coach) -> None:
    wrong = {"form_token": "x", "portrait": (BytesIO(file()), "saya.jpg")}
    assert coach.client.post("/desk/portrait", data=wrong, content_type="multipart/form-data").status_code == 303
    token = coach.token()
    coach.leave()
    given = {"form_token": token, "portrait": (BytesIO(file()), "saya.jpg")}
    assert coach.client.post("/desk/portrait", data=given, content_type="multipart/form-data").status_code == 303
    assert "<img" not in pages.get("/sari/").text


def test_only_this_one_form_may_be_large(coach: Coach, pages: Pages) -> None:
    token = coach.token()
    for path in ("/desk/settings", "/desk/invitations", "/sari/sesi/book"):
        heavy = {"form_token": token, "name": (BytesIO(bytes(200_000)), "x")}
        assert coach.client.post(path, data=heavy, content_type="multipart/form-data").status_code == 413


def test_an_unknown_portrait_is_not_found(pages: Pages) -> None:
    for address in ("/static/portraits/0123456789abcdef-small.webp", "/static/portraits/x-huge.webp"):
        assert pages.get(address).status_code == 404


def test_the_command_line_puts_one_up_and_writes_it_out(pages: Pages, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from microsite.cli import main

    picture, out = tmp_path / "saya.png", tmp_path / "keluar.webp"
    picture.write_bytes(file("PNG"))
    instance = pages.services.config.instance
    where = {"MICROSITE_INSTANCE": str(instance), **database_of(instance)}
    assert CliRunner().invoke(main, ["coach", "portrait", "sari", str(picture)], env=where).exit_code == 0
    assert 'class="portrait"' in pages.get("/sari/").text
    assert CliRunner().invoke(main, ["coach", "portrait", "sari", "--save", str(out)], env=where).exit_code == 0
    assert Image.open(BytesIO(out.read_bytes())).size == (288, 288)
    picture.write_bytes(b"rusak")
    broken = CliRunner().invoke(main, ["coach", "portrait", "sari", str(picture)], env=where)
    assert broken.exit_code == 1 and "JPEG, PNG or WebP" in broken.output
    assert CliRunner().invoke(main, ["coach", "portrait", "sari", "--remove"], env=where).exit_code == 0
    assert "<img" not in pages.get("/sari/").text
