"""Pictures sent to a sandbox: taken out of a form, and decoded to the last pixel."""

import hashlib
import io
import warnings
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser


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


@dataclass(frozen=True)
class PictureRules:
    """What a marketplace takes; formats by Pillow's names."""

    max_bytes: int
    max_pixels_a_side: int
    formats: frozenset[str]


class UnfitPictureError(Exception):
    """Why a picture is not taken."""


class TooLargeError(UnfitPictureError):
    """More bytes than the marketplace takes."""


class TooWideError(UnfitPictureError):
    """More pixels a side than the marketplace takes."""


class UnreadablePictureError(UnfitPictureError):
    """No picture, half a picture, or a format the marketplace does not take."""


class NoFormError(Exception):
    """The body is not multipart/form-data."""


def examined(content: bytes, rules: PictureRules) -> Picture:
    """Decode the whole picture. Raises UnfitPictureError."""
    if len(content) > rules.max_bytes:
        raise TooLargeError
    try:
        with warnings.catch_warnings(), Pillow.open(io.BytesIO(content)) as picture:
            warnings.simplefilter("ignore")
            if max(picture.size) > rules.max_pixels_a_side:
                raise TooWideError
            kind = picture.format or ""
            picture.load()
            width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, Pillow.DecompressionBombError) as broken:
        raise UnreadablePictureError from broken
    if kind not in rules.formats:
        raise UnreadablePictureError
    return Picture(content, kind, width, height)


async def multipart_form(
    headers: Mapping[str, str], content: bytes, max_part_bytes: int
) -> FormData:
    """The fields and files of a body. Raises NoFormError."""
    if not headers.get("content-type", "").startswith("multipart/form-data"):
        raise NoFormError
    parser = MultiPartParser(
        Headers(dict(headers)), _one_chunk(content), max_part_size=max_part_bytes
    )
    try:
        return await parser.parse()
    except (MultiPartException, KeyError) as broken:
        raise NoFormError from broken


async def _one_chunk(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content
