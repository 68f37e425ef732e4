"""Draw the browser extension's icons: `python -m scripts.draw_icons`.

A price tag on a rounded tile, drawn large and made smaller, so that its edges are smooth.
"""

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent.parent / "extension" / "icons"
SIZES = (16, 32, 48, 128)
LARGE = 1024
TILE, TAG, CORD = "#0f766e", "#f0fdfa", "#5eead4"


def drawn() -> Image.Image:
    """The icon, 1024 pixels wide."""
    icon = Image.new("RGBA", (LARGE, LARGE), (0, 0, 0, 0))
    pen = ImageDraw.Draw(icon)
    pen.rounded_rectangle((0, 0, LARGE - 1, LARGE - 1), radius=230, fill=TILE)
    pen.polygon([(200, 470), (490, 180), (830, 180), (830, 520), (540, 830)], fill=TAG)
    pen.ellipse((640, 250, 760, 370), fill=TILE)
    pen.arc((620, 60, 900, 340), start=200, end=90, fill=CORD, width=44)
    pen.line([(400, 500), (530, 630)], fill=TILE, width=60)
    pen.line([(500, 400), (630, 530)], fill=TILE, width=60)
    return icon


if __name__ == "__main__":
    large = drawn()
    for size in SIZES:
        small = large.resize((size, size), Image.Resampling.LANCZOS)
        small.save(FOLDER / f"{size}.png", optimize=True)
