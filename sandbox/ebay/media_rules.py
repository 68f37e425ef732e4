"""What the picture service takes, and the addresses it gives out."""

import hashlib
import io
import re
import warnings
from dataclasses import dataclass

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.sandbox import EbaySandbox

MAX_BYTES = 12 * 1024 * 1024
"""eBay's picture policy: 12 MB a file."""
MAX_PIXELS_A_SIDE = 15_000
FORMATS = frozenset({"JPEG", "MPO", "GIF", "PNG", "BMP", "TIFF", "AVIF", "HEIF", "WEBP"})
HOST = "https://i.ebayimg.sandbox.invalid"
_ADDRESS = re.compile(re.escape(HOST) + r"/images/g/(?P<image_id>[A-Za-z0-9_-]+)/s-l\d+\.jpg")


@dataclass(frozen=True)
class Picture:
    """A picture that was read to its last pixel."""

    content: bytes
    format: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """Digest of the bytes as received."""
        return hashlib.sha256(self.content).hexdigest()


def examined(content: bytes) -> Picture:
    """Decode the whole picture. Raises EbayError 400: too large, too wide, or not a picture."""
    if len(content) > MAX_BYTES:
        raise EbayError(400, error(190201, "The image file is larger than the limit."))
    try:
        with warnings.catch_warnings(), Pillow.open(io.BytesIO(content)) as picture:
            warnings.simplefilter("ignore")
            if max(picture.size) > MAX_PIXELS_A_SIDE:
                raise EbayError(400, error(190202, "The image's dimensions exceed the limit."))
            kind = picture.format or ""
            picture.load()
            width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, Pillow.DecompressionBombError) as broken:
        raise unsupported() from broken
    if kind not in FORMATS:
        raise unsupported()
    return Picture(content, kind, width, height)


def unsupported() -> EbayError:
    """190203: not a picture the service can read."""
    return EbayError(400, error(190203, "The image is in a format that is not supported."))


def picture_address(image_id: str, width: int = 1600) -> str:
    """The https address a listing uses."""
    return f"{HOST}/images/g/{image_id}/s-l{width}.jpg"


def is_known_picture(sandbox: EbaySandbox, url: str) -> bool:
    """Whether a listing may show `url`: any https address, of our own only those that exist."""
    if not url.startswith(HOST):
        return url.startswith("https://")
    match = _ADDRESS.fullmatch(url)
    image = sandbox.state.images.get(match["image_id"]) if match else None
    return image is not None
