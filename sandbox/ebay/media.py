"""Media API: pictures uploaded or fetched, and where to find them."""

import asyncio
import secrets
import urllib.request
from collections import deque
from datetime import timedelta
from http.client import HTTPException
from urllib.parse import urlsplit

from starlette.datastructures import UploadFile

from sandbox.answers import Answer
from sandbox.clock import wire_time
from sandbox.ebay.apis import INVENTORY_WRITE, MEDIA
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.gate import over_quota
from sandbox.ebay.media_rules import MAX_BYTES, examined, picture_address, unsupported
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.state import Image
from sandbox.pictures import NoFormError, Picture, multipart_form

UPLOADS = 50
UPLOAD_WINDOW = timedelta(seconds=5)
"""Every POST of the Media API counts: 50 in 5 seconds for each user."""
UNUSED_TTL = timedelta(days=30)
FETCH_TIMEOUT_S = 10
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


async def _from_file(call: Call) -> Answer:
    _check_pace(call)
    content = await _uploaded(call)
    return _stored(call, await asyncio.to_thread(examined, content))


async def _from_url(call: Call) -> Answer:
    _check_pace(call)
    url = call.body.get("imageUrl")
    try:
        if not isinstance(url, str) or not _fetchable(url):
            raise _nothing_there()
        content = await asyncio.to_thread(_fetched, url)
    except (OSError, ValueError, HTTPException) as failed:
        raise _nothing_there() from failed
    return _stored(call, await asyncio.to_thread(examined, content))


def _get(call: Call) -> Answer:
    image = call.state.images.get(call.path["image_id"])
    if image is None or image.seller != call.seller.name:
        raise EbayError(404, error(190200, "The image was not found."))
    return Answer(200, _view(image))


def _view(image: Image) -> dict[str, str]:
    return {
        "imageUrl": picture_address(image.image_id),
        "maxDimensionImageUrl": picture_address(image.image_id, 9999),
        "expirationDate": wire_time(image.expires_at),
    }


def _stored(call: Call, picture: Picture) -> Answer:
    image = Image(
        image_id=secrets.token_urlsafe(12),
        seller=call.seller.name,
        format=picture.format,
        width=picture.width,
        height=picture.height,
        size_bytes=len(picture.content),
        sha256=picture.sha256,
        expires_at=call.sandbox.clock.now() + UNUSED_TTL,
    )
    call.state.images[image.image_id] = image
    call.sandbox.keep_picture(image.image_id, picture.content)
    location = f"{call.base_url}{MEDIA.base_path}/image/{image.image_id}"
    return Answer(201, _view(image), {"Location": location})


def _check_pace(call: Call) -> None:
    now = call.sandbox.clock.now()
    recent = call.sandbox.recent_uploads.setdefault(call.seller.name, deque())
    while recent and recent[0] <= now - UPLOAD_WINDOW:
        recent.popleft()
    if len(recent) >= UPLOADS:
        raise EbayError(429, over_quota())
    recent.append(now)


async def _uploaded(call: Call) -> bytes:
    """The bytes of the multipart field `image`. Raises EbayError 400 (190203)."""
    try:
        form = await multipart_form(call.headers, call.body, MAX_BYTES + 1)
    except NoFormError as wrong:
        raise unsupported() from wrong
    upload = form.get("image")
    if not isinstance(upload, UploadFile):
        raise unsupported()
    content = await upload.read()
    await form.close()
    return content


def _fetchable(url: str) -> bool:
    """https only, as eBay has it; plain http where it cannot leave this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _fetched(url: str) -> bytes:
    """Read a picture; `url` has passed `_fetchable`, so it is not a file address."""
    with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as source:  # noqa: S310 - see above
        content: bytes = source.read(MAX_BYTES + 1)
    return content


def _nothing_there() -> EbayError:
    return EbayError(400, error(190204, "No valid image can be downloaded from imageUrl."))


_IMAGE = "/image"

MEDIA_OPERATIONS = (
    Operation(
        "createImageFromFile", "POST", f"{_IMAGE}/create_image_from_file", MEDIA,
        INVENTORY_WRITE, _from_file,
    ),
    Operation(
        "createImageFromUrl", "POST", f"{_IMAGE}/create_image_from_url", MEDIA,
        INVENTORY_WRITE, _from_url, json_body=True,
    ),
    Operation("getImage", "GET", f"{_IMAGE}/{{image_id}}", MEDIA, INVENTORY_WRITE, _get),
)  # fmt: skip
