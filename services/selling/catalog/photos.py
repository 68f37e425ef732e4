"""Looks at a photo before it is kept: what it is, how large, whether it is whole."""

import hashlib
from io import BytesIO
from threading import BoundedSemaphore

from PIL import Image, UnidentifiedImageError

from repositories.selling.catalog import StoredPhoto
from shared.database import TenantSchema
from shared.errors import BadInput, PayloadTooLarge

MAX_BYTES = 20_000_000
"""Of one photo; eBay takes 12 MB, Etsy 20."""

MAX_PIXELS = 50_000_000
"""Of one photo: what a good camera gives; decoding one takes 150 MB at most."""

CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}

_ORIENTATION = 0x0112
_TURNED_BY_A_QUARTER = frozenset({5, 6, 7, 8})
_DRAFT = (256, 256)

MAX_READS = 40_000
"""Times a decoder may ask for bytes: a photo of 20 MB in blocks of 4 KB needs half of it, a file
of a million empty blocks would keep a core busy for minutes."""

_DECODING = BoundedSemaphore(4)
"""Photos decoded at once in a process: each may take 200 MB."""


class PhotoRefused(BadInput):
    """Not a photo that can be kept."""

    code, title = "photo-refused", "This photo cannot be used"


class PhotoTooLarge(PayloadTooLarge):
    """More bytes than a photo may have."""

    code, title = "photo-too-large", "This photo is too large"


class _Bytes(BytesIO):
    """Lets a decoder read so often and no more."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads > MAX_READS:
            raise PhotoRefused("The file is made of too many pieces.")
        return super().read(size)


def inspect_photo(tenant: TenantSchema, data: bytes) -> StoredPhoto:
    """What the bytes are and where they belong. Raises `PhotoRefused` and `PhotoTooLarge`.

    The bytes themselves are not changed. The size is that of the upright photo.
    """
    if not data:
        raise PhotoRefused("The file is empty.")
    if len(data) > MAX_BYTES:
        raise PhotoTooLarge(f"A photo may have {MAX_BYTES // 1_000_000} MB; this has more.")
    kind, width, height = _decoded(data)
    sha256 = hashlib.sha256(data).hexdigest()
    return StoredPhoto(
        sha256=sha256,
        object_key=f"{tenant.folder}photos/{sha256}",
        content_type=CONTENT_TYPES[kind],
        width=width,
        height=height,
        bytes=len(data),
    )


def _decoded(data: bytes) -> tuple[str, int, int]:
    try:
        with _DECODING, Image.open(_Bytes(data), formats=tuple(CONTENT_TYPES)) as image:
            return _whole(image)
    except UnidentifiedImageError:
        raise PhotoRefused("This is not a JPEG, PNG, WebP or GIF image.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except PhotoRefused:
        raise
    except Exception as error:  # Pillow's decoders raise whatever broken bytes make them raise.
        raise PhotoRefused("The image is cut off or damaged.") from error


def _whole(image: Image.Image) -> tuple[str, int, int]:
    kind, (width, height) = str(image.format), image.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()
    # All bytes are read, but a JPEG is decoded at a fraction of its size.
    image.draft(None, _DRAFT)
    image.load()
    if image.getexif().get(_ORIENTATION) in _TURNED_BY_A_QUARTER:
        width, height = height, width
    return kind, width, height


def _too_many_pixels() -> PhotoRefused:
    return PhotoRefused(f"A photo may have {MAX_PIXELS // 1_000_000} million pixels.")
