"""A product ready for Vinted, and the forms that it fills in there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.gateways.vinted.transport import PhotoUpload
from services.selling.vinted.desk import JobKey
from shared.money import Money


@dataclass(frozen=True, slots=True)
class DraftPhoto:
    """A photo in our store."""

    sha256: str
    object_key: str
    content_type: str


@dataclass(frozen=True, slots=True)
class ListingDraft:
    """Everything Vinted needs for one item; complete, or it would not exist."""

    product_id: int
    product_version: int
    sku: str
    title: str
    description: str
    photos: Sequence[DraftPhoto]
    """In the order buyers see them."""
    price: Money
    quantity: int
    """1, or 0 when it is gone."""
    catalog_id: int
    condition_id: int
    size_id: int | None
    material_ids: Sequence[int]
    color_ids: Sequence[int]
    brand_id: int | None
    brand: str
    package_size_id: int
    old_fields: bool
    """Whether the site reads size and condition where they used to stand, too."""


def upload_id(key: JobKey) -> str:
    """The uuid that photos, draft and listing of one job share, the same at every attempt."""
    return str(uuid5(NAMESPACE_URL, f"{key.tenant.name}/{key.job_id}"))


def photo_upload(photo: DraftPhoto, temp_uuid: str) -> PhotoUpload:
    """How a photo is sent."""
    fields = {"photo[type]": "item", "photo[temp_uuid]": temp_uuid}
    return PhotoUpload(photo.object_key, photo.sha256, photo.content_type, fields)


def draft_form(draft: ListingDraft, temp_uuid: str, photo_ids: Sequence[int]) -> dict[str, Any]:
    """The body that begins a draft."""
    item = {**_said(draft, temp_uuid), "id": None, "assigned_photos": _photos(photo_ids)}
    return {"draft": item, "parcel": None, "upload_session_id": temp_uuid}


def completion_form(
    draft: ListingDraft, temp_uuid: str, item_id: int, photo_ids: Sequence[int]
) -> dict[str, Any]:
    """The body that puts a draft up for sale: judged by itself, so all of it is said again."""
    item = {**_said(draft, temp_uuid), "id": item_id, "photos": _photos(photo_ids)}
    return {"draft": item, "push_up": False, "parcel": None, "upload_session_id": temp_uuid}


def update_form(
    draft: ListingDraft, temp_uuid: str, item_id: int, photo_ids: Sequence[int]
) -> dict[str, Any]:
    """The body that replaces an item; photos that it does not name are lost."""
    item = {**_said(draft, temp_uuid), "id": item_id, "assigned_photos": _photos(photo_ids)}
    return {
        "item": item,
        "feedback_id": None,
        "push_up": False,
        "parcel": None,
        "upload_session_id": temp_uuid,
    }


def _said(draft: ListingDraft, temp_uuid: str) -> dict[str, Any]:
    old: Mapping[str, Any] = {"size_id": draft.size_id, "status_id": draft.condition_id}
    return {
        "temp_uuid": temp_uuid,
        "title": draft.title,
        "description": draft.description,
        "price": as_number(draft.price),
        "currency": draft.price.currency,
        "catalog_id": draft.catalog_id,
        "brand_id": draft.brand_id,
        "brand": draft.brand,
        "item_attributes": [
            {"code": "size", "ids": [] if draft.size_id is None else [draft.size_id]},
            {"code": "condition", "ids": [draft.condition_id]},
            {"code": "material", "ids": list(draft.material_ids)},
        ],
        "color_ids": list(draft.color_ids),
        "package_size_id": draft.package_size_id,
        "shipment_prices": {"domestic": None, "international": None},
        "is_unisex": False,
        "ai_photo": False,
        "isbn": None,
        "measurement_length": None,
        "measurement_width": None,
        "manufacturer": None,
        "manufacturer_labelling": None,
        **(old if draft.old_fields else {}),
    }


def as_number(price: Money) -> int | float:
    """The JSON number that Vinted wants: 12.5 for 12.50.

    It is written as the shortest digits that mean it, so that nothing is lost below 10^12.
    """
    text = price.amount()
    whole, _, rest = text.partition(".")
    return int(whole) if not rest.strip("0") else float(text)


def _photos(photo_ids: Sequence[int]) -> list[dict[str, int]]:
    return [{"id": photo_id, "orientation": 0} for photo_id in photo_ids]
