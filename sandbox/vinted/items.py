"""Items: drafted, completed, published, changed, hidden, deleted, read."""

from typing import Any

from sandbox.vinted.errors import access_denied, gone, validation_error
from sandbox.vinted.item_form import ItemForm
from sandbox.vinted.item_views import upload_view, wardrobe_row
from sandbox.vinted.operations import JSON, Call, Operation
from sandbox.vinted.photos import assigned, give, unfit_photos
from sandbox.vinted.state import Item

FIRST_ITEM = 7_300_000_001


def _draft(call: Call) -> JSON:
    form = call.body.get("draft")
    content, photo_ids = _read(call, form, "assigned_photos", None, for_sale=False)
    item = _made(call, content, photo_ids, is_draft=True)
    return {"draft": {"id": item.item_id}}


def _complete(call: Call) -> JSON:
    item = call.own_item
    if not item.is_draft:
        raise gone()
    form = call.body.get("draft")
    content, photo_ids = _read(call, form, "photos", item)
    item.is_draft, item.published_at = False, call.now
    _change(call, item, content, photo_ids)
    return {"item": upload_view(call, item)}


def _delete_draft(call: Call) -> JSON:
    item = call.own_item
    if not item.is_draft:
        raise access_denied()
    item.deleted_at = call.now
    return {}


def _publish(call: Call) -> JSON:
    form = call.body.get("item")
    content, photo_ids = _read(call, form, "assigned_photos", None)
    return {"item": upload_view(call, _made(call, content, photo_ids, is_draft=False))}


def _edit(call: Call) -> JSON:
    item = call.changeable_item
    if item.is_draft:
        raise access_denied()
    form = call.body.get("item")
    content, photo_ids = _read(call, form, "assigned_photos", item)
    _change(call, item, content, photo_ids)
    return {"item": upload_view(call, item)}


def _read(
    call: Call, form: Any, photos: str, item: Item | None, *, for_sale: bool = True
) -> tuple[JSON, list[int]]:
    """What the form says, and its photos. Raises VintedError 400 with all that is wrong."""
    read = ItemForm(call.sandbox.catalogue, form, call.state)
    photo_ids, temp_uuid = assigned(form.get(photos)), form.get("temp_uuid")
    number = item.item_id if item else None
    wrong = [*read.unfit(), *unfit_photos(call, photo_ids, item, temp_uuid)]
    if form.get("id") != number:
        wrong.append(("id", "Ce numéro n'est pas celui de l'article."))
    if for_sale:
        wrong += read.missing()
        if not photo_ids:
            wrong.append(("photos", "Ajoutez au moins une photo."))
    if wrong:
        raise validation_error(wrong)
    return read.content, photo_ids


def _made(call: Call, content: JSON, photo_ids: list[int], *, is_draft: bool) -> Item:
    item_id = call.state.next_id("item", FIRST_ITEM)
    item = Item(item_id, call.account.user_id, call.now, call.now, is_draft, content)
    item.published_at = None if is_draft else call.now
    call.state.items[item_id] = item
    give(call.state, item, photo_ids)
    return item


def _change(call: Call, item: Item, content: JSON, photo_ids: list[int]) -> None:
    item.content, item.updated_at, item.changes = content, call.now, item.changes + 1
    give(call.state, item, photo_ids)


def _item(call: Call) -> JSON:
    return {"item": upload_view(call, call.changeable_item), "parcel": None}


def _delete(call: Call) -> JSON:
    call.changeable_item.deleted_at = call.now
    return {}


def _hide(call: Call) -> JSON:
    wanted = call.body.get("is_hidden")
    if not isinstance(wanted, bool):
        raise validation_error([("is_hidden", "Cette information est obligatoire.")])
    item = call.changeable_item
    if item.is_draft:
        raise access_denied()
    item.is_hidden = wanted
    return {"item": wardrobe_row(call, item)}


_UPLOAD = "/item_upload"

ITEM_OPERATIONS = (
    Operation("createDraft", "POST", _UPLOAD + "/drafts", _draft),
    Operation("completeDraft", "POST", _UPLOAD + "/drafts/{item_id:int}/completion", _complete),
    Operation("deleteDraft", "DELETE", _UPLOAD + "/drafts/{item_id:int}", _delete_draft),
    Operation("createItem", "POST", _UPLOAD + "/items", _publish),
    Operation("updateItem", "PUT", _UPLOAD + "/items/{item_id:int}", _edit),
    Operation("getItem", "GET", _UPLOAD + "/items/{item_id:int}", _item),
    Operation("deleteItem", "POST", "/items/{item_id:int}/delete", _delete),
    Operation("hideItem", "PUT", "/items/{item_id:int}/is_hidden", _hide),
)
