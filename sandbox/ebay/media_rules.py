"""What the picture service takes, and the addresses it gives out."""

import re

from sandbox import pictures
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.pictures import Picture, PictureRules

MAX_BYTES = 12 * 1024 * 1024
"""eBay's picture policy: 12 MB a file."""
MAX_PIXELS_A_SIDE = 15_000
FORMATS = frozenset({"JPEG", "MPO", "GIF", "PNG", "BMP", "TIFF", "AVIF", "HEIF", "WEBP"})
HOST = "https://i.ebayimg.sandbox.invalid"
STOCKED = "/_sandbox/images/"
_ADDRESS = re.compile(re.escape(HOST) + r"/images/g/(?P<image_id>[A-Za-z0-9_-]+)/s-l\d+\.jpg")


RULES = PictureRules(MAX_BYTES, MAX_PIXELS_A_SIDE, FORMATS)


def examined(content: bytes) -> Picture:
    """Decode the whole picture. Raises EbayError 400: too large, too wide, or not a picture."""
    try:
        return pictures.examined(content, RULES)
    except pictures.TooLargeError as unfit:
        text = "The image file is larger than the limit."
        raise EbayError(400, error(190201, text)) from unfit
    except pictures.TooWideError as unfit:
        text = "The image's dimensions exceed the limit."
        raise EbayError(400, error(190202, text)) from unfit
    except pictures.UnreadablePictureError as unfit:
        raise unsupported() from unfit


def unsupported() -> EbayError:
    """190203: not a picture the service can read."""
    return EbayError(400, error(190203, "The image is in a format that is not supported."))


def picture_address(image_id: str, width: int = 1600) -> str:
    """The https address a listing uses."""
    return f"{HOST}/images/g/{image_id}/s-l{width}.jpg"


def is_known_picture(sandbox: EbaySandbox, url: str) -> bool:
    """Whether a listing may show `url`: any https address, of our own only those that exist.

    What a shop was stocked with is at an address of the sandbox itself.
    """
    _, stocked, image_id = url.partition(STOCKED)
    if stocked:
        return image_id in sandbox.state.images
    if not url.startswith(HOST):
        return url.startswith("https://")
    match = _ADDRESS.fullmatch(url)
    image = sandbox.state.images.get(match["image_id"]) if match else None
    return image is not None
