"""A listing's pictures: uploaded or used again, in order, deleted."""

import asyncio
import io
from typing import Any

from PIL import Image as Pillow
from starlette.datastructures import UploadFile

from sandbox import pictures
from sandbox.answers import NO_CONTENT, Answer
from sandbox.etsy.errors import bad_request, not_found
from sandbox.etsy.fields import boolean, identifier, integer, read, text
from sandbox.etsy.image_views import image_view
from sandbox.etsy.listing_rules import MAX_IMAGES
from sandbox.etsy.listings import owned, visible
from sandbox.etsy.operations import Call, Operation, listed
from sandbox.etsy.state import Image, Listing
from sandbox.pictures import Picture, PictureRules

FIRST_IMAGE = 5_600_000_001
MAX_BYTES = 10 * 1024 * 1024
MAX_ALT_TEXT = 500
RULES = PictureRules(MAX_BYTES, 15_000, frozenset({"JPEG", "MPO", "PNG", "GIF"}))
FIELDS = (
    identifier("listing_image_id"),
    integer("rank", least=1),
    boolean("overwrite"),
    boolean("is_watermarked"),
    text("alt_text"),
)


def _images(call: Call) -> Answer:
    listing = visible(call)
    return listed([image_view(call, listing, one) for one in listing.image_ids])


def _image(call: Call) -> Answer:
    listing = visible(call)
    return Answer(200, image_view(call, listing, _on_listing(call, listing)))


async def _upload(call: Call) -> Answer:
    upload, sent = await _form(call)
    owned(call)
    if len(sent.get("alt_text", "")) > MAX_ALT_TEXT:
        raise bad_request(f"alt_text may have at most {MAX_ALT_TEXT} characters.")
    if upload is not None:
        picture, colour = await asyncio.to_thread(_examined, upload)
        listing = owned(call)
        _check_room(listing, sent)
        image = _stored(call, listing, picture, colour)
    else:
        listing = owned(call)
        image = _known(call, listing, sent)
        _check_room(listing, sent)
    image.alt_text = sent.get("alt_text", image.alt_text)
    _place(listing, image.image_id, sent.get("rank", 1), sent.get("overwrite", False))
    listing.updated_at = call.now
    fresh = upload is not None
    return Answer(201, image_view(call, listing, image.image_id, fresh=fresh))


def _delete(call: Call) -> Answer:
    listing = owned(call)
    image_id = _on_listing(call, listing)
    if listing.state == "active" and len(listing.image_ids) == 1:
        raise bad_request("An active listing must keep at least one image.")
    listing.image_ids.remove(image_id)
    listing.updated_at = call.now
    return NO_CONTENT


def _on_listing(call: Call, listing: Listing) -> int:
    image_id: int = call.path["listing_image_id"]
    if image_id not in listing.image_ids:
        raise not_found("Image")
    return image_id


async def _form(call: Call) -> tuple[bytes | None, dict[str, Any]]:
    """The picture's bytes, if there is one, and the other fields. Raises EtsyError 400."""
    try:
        form = await pictures.multipart_form(call.headers, call.body, MAX_BYTES + 1)
    except pictures.NoFormError as wrong:
        raise bad_request("Content-Type must be multipart/form-data.") from wrong
    upload = form.get("image")
    content = await upload.read() if isinstance(upload, UploadFile) else None
    texts = {
        name: [value]
        for name, value in form.multi_items()
        if name != "image" and isinstance(value, str)
    }
    await form.close()
    if content is None and "listing_image_id" not in texts:
        raise bad_request("Send an image or a listing_image_id.")
    return content, read(FIELDS, texts)


def _examined(content: bytes) -> tuple[Picture, tuple[int, int, int]]:
    try:
        picture = pictures.examined(content, RULES)
    except pictures.UnfitPictureError as unfit:
        text = "The image must be a whole JPEG, PNG or GIF of at most 10 MB."
        raise bad_request(text) from unfit
    with Pillow.open(io.BytesIO(content)) as whole:
        dot = whole.convert("RGB").resize((1, 1)).tobytes()
    return picture, (dot[0], dot[1], dot[2])


def _check_room(listing: Listing, sent: dict[str, Any]) -> None:
    replaces = sent.get("overwrite") and sent.get("rank", 1) <= len(listing.image_ids)
    again = sent.get("listing_image_id") in listing.image_ids
    if len(listing.image_ids) >= MAX_IMAGES and not replaces and not again:
        raise bad_request(f"A listing may have at most {MAX_IMAGES} images.")


def _stored(call: Call, listing: Listing, picture: Picture, colour: tuple[int, int, int]) -> Image:
    image_id = call.state.next_id("image", FIRST_IMAGE)
    call.state.images[image_id] = Image(
        image_id=image_id,
        shop_id=listing.shop_id,
        format=picture.format,
        width=picture.width,
        height=picture.height,
        sha256=picture.sha256,
        colour=colour,
        created_at=call.now,
    )
    call.sandbox.keep_picture(str(image_id), picture.content)
    return call.state.images[image_id]


def _known(call: Call, listing: Listing, sent: dict[str, Any]) -> Image:
    image = call.state.images.get(sent["listing_image_id"])
    if image is None or image.shop_id != listing.shop_id:
        raise not_found("Image")
    return image


def _place(listing: Listing, image_id: int, rank: int, overwrite: bool) -> None:
    """Put it at `rank`; what stands there moves on, or goes where it is to be overwritten."""
    order = [one for one in listing.image_ids if one != image_id]
    if overwrite and rank <= len(order):
        order[rank - 1] = image_id
    else:
        order.insert(rank - 1, image_id)
    listing.image_ids = order


_PATH = "/listings/{listing_id}/images"
_OF_SHOP = "/shops/{shop_id}" + _PATH

IMAGE_OPERATIONS = (
    Operation("getListingImages", "GET", _PATH, None, _images),
    Operation("getListingImage", "GET", _PATH + "/{listing_image_id}", None, _image),
    Operation("uploadListingImage", "POST", _OF_SHOP, "listings_w", _upload),
    Operation(
        "deleteListingImage", "DELETE", _OF_SHOP + "/{listing_image_id}", "listings_w", _delete
    ),
)
