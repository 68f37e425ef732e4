"""Pictures: uploaded one by one, then given to an item."""

import asyncio
from typing import Any

from starlette.datastructures import UploadFile

from sandbox import pictures
from sandbox.pictures import Picture, PictureRules
from sandbox.vinted.errors import validation_error
from sandbox.vinted.item_form import Wrong, is_uuid, is_whole
from sandbox.vinted.operations import JSON, Call, Operation
from sandbox.vinted.state import Item, Photo, VintedState

FIRST_PHOTO = 34_000_000_001
MAX_BYTES = 20 * 1024 * 1024
MAX_PHOTOS = 20
RULES = PictureRules(MAX_BYTES, 15_000, frozenset({"JPEG", "MPO", "PNG", "WEBP"}))
THUMBNAILS = {
    "thumb20": (20, 20),
    "thumb50": (50, 50),
    "thumb70x100": (70, 100),
    "thumb100": (100, 100),
    "thumb150x210": (150, 210),
    "thumb175x224": (175, 224),
    "thumb310x430": (310, 430),
    "thumb364x428": (364, 428),
    "thumb428x624": (428, 624),
}
"""Most of a row in a wardrobe is addresses of these."""


async def _upload(call: Call) -> JSON:
    content, temp_uuid = await _form(call)
    try:
        picture = await asyncio.to_thread(pictures.examined, content, RULES)
    except pictures.UnfitPictureError as unfit:
        raise validation_error([("file", "Cette photo ne peut pas être lue.")]) from unfit
    photo = _stored(call, picture, temp_uuid)
    return {**photo_view(photo, call.origin), "temp_uuid": temp_uuid}


async def _form(call: Call) -> tuple[bytes, str]:
    """The picture's bytes and the uuid it was sent under. Raises VintedError 400."""
    try:
        form = await pictures.multipart_form(call.headers, call.content, MAX_BYTES + 1)
    except pictures.NoFormError as wrong:
        raise validation_error([("base", "Le formulaire ne peut pas être lu.")]) from wrong
    upload, temp_uuid = form.get("photo[file]"), form.get("photo[temp_uuid]")
    content = await upload.read() if isinstance(upload, UploadFile) else None
    kind = form.get("photo[type]")
    await form.close()
    wrong_fields = [
        (name, "Cette information est manquante ou incorrecte.")
        for name, fits in (
            ("type", kind == "item"),
            ("temp_uuid", is_uuid(temp_uuid)),
            ("file", content is not None),
        )
        if not fits
    ]
    if wrong_fields or content is None:
        raise validation_error(wrong_fields)
    return content, str(temp_uuid)


def _stored(call: Call, picture: Picture, temp_uuid: str) -> Photo:
    photo_id = call.state.next_id("photo", FIRST_PHOTO)
    photo = Photo(
        photo_id=photo_id,
        user_id=call.account.user_id,
        temp_uuid=temp_uuid,
        format=picture.format,
        width=picture.width,
        height=picture.height,
        sha256=picture.sha256,
        created_at=call.now,
    )
    call.state.photos[photo_id] = photo
    call.sandbox.keep_picture(str(photo_id), picture.content)
    return photo


def photo_view(photo: Photo, origin: str, image_no: int = 1) -> JSON:
    """A photo as Vinted answers it, its addresses as long as the real ones."""
    uploaded_at = int(photo.created_at.timestamp())

    def address(size: str) -> str:
        return f"{origin}/t/{photo.photo_id}/{size}?t={uploaded_at}&s={photo.sha256}"

    url = address("f800")
    return {
        "id": photo.photo_id,
        "image_no": image_no,
        "width": photo.width,
        "height": photo.height,
        "url": url,
        "full_size_url": url,
        "is_main": image_no == 1,
        "orientation": 0,
        "thumbnails": [
            {"type": name, "url": address(name), "width": w, "height": h, "original_size": None}
            for name, (w, h) in THUMBNAILS.items()
        ],
        "high_resolution": {
            "id": f"t_{photo.photo_id}",
            "timestamp": uploaded_at,
            "orientation": None,
        },
    }


def assigned(rows: Any) -> list[int]:
    """The numbers of `[{id, orientation}]`, in their order; nothing where nothing was sent.

    Raises VintedError 400 where it is something else.
    """
    if rows is None:
        return []
    fits = isinstance(rows, list) and all(
        isinstance(row, dict)
        and is_whole(row.get("id"))
        and (row.get("orientation") is None or is_whole(row["orientation"]))
        for row in rows
    )
    if not fits:
        raise validation_error([("photos", "Ce n'est pas une liste de photos.")])
    return [row["id"] for row in rows]


def unfit_photos(call: Call, photo_ids: list[int], item: Item | None, temp_uuid: Any) -> Wrong:
    """What is wrong with giving these photos to `item` (None: a new one)."""
    if len(photo_ids) > MAX_PHOTOS:
        yield "photos", f"{MAX_PHOTOS} photos au plus."
    if len(set(photo_ids)) < len(photo_ids):
        yield "photos", "Chaque photo une seule fois."
    number = item.item_id if item else None
    for photo_id in photo_ids:
        photo = call.state.photos.get(photo_id)
        if photo is None or photo.user_id != call.account.user_id:
            yield "photos", f"La photo {photo_id} n'existe pas."
        elif photo.item_id not in (None, number):
            yield "photos", f"La photo {photo_id} est celle d'un autre article."
        elif photo.item_id is None and photo.temp_uuid != temp_uuid:
            yield "photos", f"La photo {photo_id} a été envoyée sous un autre temp_uuid."


def give(state: VintedState, item: Item, photo_ids: list[int]) -> None:
    """These are the item's photos from now on; others it had are lost."""
    for photo_id in item.photo_ids:
        state.photos[photo_id].item_id = None
    for photo_id in photo_ids:
        state.photos[photo_id].item_id = item.item_id
    item.photo_ids = list(photo_ids)


PHOTO_OPERATIONS = (Operation("uploadPhoto", "POST", "/photos", _upload),)
