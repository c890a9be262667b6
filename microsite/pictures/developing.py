"""The child that turns one uploaded file into a portrait: `python -m microsite.pictures.developing MEMORY`.

The file comes on standard input; the answer, a Portrait or the reason of a refusal, goes to standard output. Only
Pillow's own decoders for three formats run here, on files whose header promises a bounded number of pixels.
"""

import hashlib
import sys
import warnings
from io import BytesIO

import msgspec
from PIL import Image
from PIL import ImageCms
from PIL import ImageOps

from microsite.core.portraits import KINDS
from microsite.core.portraits import LEAST_SIDE
from microsite.core.portraits import MOST_PIXELS
from microsite.core.portraits import SIDES
from microsite.core.portraits import Portrait

QUALITY = {"small": 72, "large": 78}
CENTRE = (0.5, 0.35)
"""Where a picture is cut square: faces are above the middle."""
PAPER = (255, 255, 255)
DIGEST = 16
PROCESSOR_SECONDS = 20


def main() -> None:
    """Answer once."""
    _limit(int(sys.argv[1]))
    sys.stdout.buffer.write(msgspec.msgpack.encode(develop(sys.stdin.buffer.read())))


def develop(upload: bytes) -> Portrait | str:
    """The portrait, or why there is none: `unreadable`, `large` or `small`."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(BytesIO(upload), formats=KINDS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return "large"
            if min(opened.size) < LEAST_SIDE:
                return "small"
            opened.draft("RGB", (SIDES["large"] * 2, SIDES["large"] * 2))  # JPEG is decoded no larger than needed
            picture = _plain(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return "large"
    except (OSError, ValueError, SyntaxError):  # what Pillow says of damaged files; anything else ends the child
        return "unreadable"
    sizes = {name: _encoded(picture, side, QUALITY[name]) for name, side in SIDES.items()}
    digest = hashlib.sha256(sizes["large"] + sizes["small"]).hexdigest()[:DIGEST]
    return Portrait(digest, sizes["small"], sizes["large"])


def _plain(opened: Image.Image) -> Image.Image:
    """Upright, in sRGB, on white; nothing but pixels."""
    upright = ImageOps.exif_transpose(opened)
    profile = opened.info.get("icc_profile")
    if upright.has_transparency_data:
        alpha = upright.convert("RGBA")
        ground = Image.new("RGBA", alpha.size, (*PAPER, 255))
        upright = Image.alpha_composite(ground, alpha)
    picture = upright.convert("RGB")
    return _in_srgb(picture, profile) if profile and opened.mode in {"RGB", "RGBA"} else picture


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Telephones take pictures in wider colours; without their profile these would look pale."""
    try:
        given = ImageCms.ImageCmsProfile(BytesIO(profile))
        found = ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return picture if found is None else found


def _encoded(picture: Image.Image, side: int, quality: int) -> bytes:
    square = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS, centering=CENTRE)
    bare = Image.frombytes("RGB", square.size, square.tobytes())  # a new picture: no metadata can come along
    written = BytesIO()
    bare.save(written, "WEBP", quality=quality, method=6)
    return written.getvalue()


def _limit(memory: int) -> None:
    if sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    main()
