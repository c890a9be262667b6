"""A portrait of nobody, drawn: for pictures of pages, and for whatever wants an ordinary photograph's size."""

from io import BytesIO

from PIL import Image
from PIL import ImageDraw
from PIL import ImageFilter

SIZE = 1200
HILLS = ((0.45, "#d5e2ea"), (0.6, "#a9bfd3"))


def draw(grain: float = 0) -> bytes:
    """A JPEG of a woman in front of hills in the morning; with some grain it is as heavy as a photograph."""
    picture = Image.new("RGB", (SIZE, SIZE), "#f3e7cf")
    pen = ImageDraw.Draw(picture)
    for height, colour in HILLS:
        top = int(SIZE * height)
        pen.ellipse((-500, top, 900, top + 1400), colour)
        pen.ellipse((500, top + 60, 1800, top + 1400), colour)
    picture = picture.filter(ImageFilter.GaussianBlur(14))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((330, 160, 870, 860), "#2b2330")  # hair
    pen.rounded_rectangle((330, 480, 870, 960), 120, "#2b2330")
    pen.ellipse((210, 860, 990, 1700), "#2a3f86")  # shoulders
    pen.rounded_rectangle((510, 720, 690, 960), 80, "#a86f4c")  # neck
    pen.ellipse((410, 260, 790, 800), "#c58a63")  # face
    pen.chord((400, 220, 800, 640), 180, 360, "#2b2330")
    for eye in (520, 680):
        pen.ellipse((eye - 17, 540, eye + 17, 568), "#2b2330")
    pen.arc((530, 610, 670, 720), 25, 155, "#7a3a34", 12)
    noise = Image.effect_noise((150, 150), 110).resize((SIZE, SIZE)).convert("RGB")
    picture = Image.blend(picture.filter(ImageFilter.GaussianBlur(1.5)), noise, grain)
    written = BytesIO()
    picture.save(written, "JPEG", quality=90)
    return written.getvalue()
