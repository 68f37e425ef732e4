"""Items as Vinted answers them."""

from typing import Any

from sandbox.vinted.catalogue import CONDITIONS, Catalogue
from sandbox.vinted.item_form import attribute, cents, chosen
from sandbox.vinted.operations import JSON, Call
from sandbox.vinted.photos import photo_view
from sandbox.vinted.state import Item, VintedState


def money(state: VintedState, amount: int) -> JSON:
    """An amount of cents as Vinted writes it: text."""
    return {"amount": f"{amount // 100}.{amount % 100:02d}", "currency_code": state.currency}


def price_of(item: Item) -> int:
    """In cents; 0 for a draft without one."""
    return cents(item.content.get("price", 0))


def size_id(state: VintedState, item: Item) -> int | None:
    """The item's size."""
    return chosen(item.content, "size", "size_id", state.legacy_form)


def condition_id(state: VintedState, item: Item) -> int | None:
    """The item's condition."""
    return chosen(item.content, "condition", "status_id", state.legacy_form)


def brand_of(catalogue: Catalogue, content: JSON) -> str:
    """The name of the item's brand; empty where it has none."""
    return str(catalogue.brands.get(content.get("brand_id", 0)) or content.get("brand", ""))


def slug(title: str) -> str:
    """A title as it stands in an address."""
    words = "".join(one if one.isalnum() else " " for one in title.lower()).split()
    return "-".join(words)[:80]


def photos_of(call: Call, item: Item) -> list[JSON]:
    """All photos in their order."""
    photos = [call.state.photos[photo_id] for photo_id in item.photo_ids]
    return [photo_view(photo, call.origin, number) for number, photo in enumerate(photos, 1)]


def wardrobe_row(call: Call, item: Item) -> JSON:
    """An item in a list. Of its photos only the cover is there, or all, as the site has it."""
    state, catalogue, content = call.state, call.sandbox.catalogue, item.content
    brand, title = brand_of(catalogue, content), str(content.get("title", ""))
    size = catalogue.sizes.get(size_id(state, item) or 0)
    path = f"/items/{item.item_id}-{slug(title)}"
    seller = state.accounts[item.user_id]
    return {
        "id": item.item_id,
        "title": title,
        "price": money(state, price_of(item)),
        "brand": brand,
        "brand_title": brand,
        "size": size.title if size else "",
        "status": CONDITIONS.get(condition_id(state, item) or 0, ""),
        "url": call.origin + path,
        "path": path,
        "photos": photos_of(call, item)[: None if state.all_photos else 1],
        "favourite_count": 0,
        "view_count": 0,
        "is_draft": item.is_draft,
        "is_closed": item.sold_at is not None,
        "is_reserved": item.is_reserved,
        "is_hidden": item.is_hidden,
        "item_closing_action": "sold" if item.sold_at is not None else None,
        "user": {
            "id": seller.user_id,
            "login": seller.login,
            "profile_url": f"{call.origin}/member/{seller.user_id}-{seller.login}",
            "photo": None,
            "business": False,
        },
    }


def upload_view(call: Call, item: Item) -> JSON:
    """An item in its editable shape, for its owner."""
    state, content = call.state, item.content
    colors: list[Any] = [*content.get("color_ids", []), None, None]
    brand = brand_of(call.sandbox.catalogue, content)
    brand_id = content.get("brand_id")
    return {
        **{name: content.get(name) for name in _AS_SENT},
        "id": item.item_id,
        "title": content.get("title", ""),
        "description": content.get("description", ""),
        "price": money(state, price_of(item)) if "price" in content else None,
        "currency": state.currency,
        "brand_id": brand_id,
        "brand": brand,
        "brand_dto": {"id": brand_id, "title": brand} if brand else None,
        "item_attributes": content.get("item_attributes", []),
        "size_id": size_id(state, item),
        "status_id": condition_id(state, item),
        "material_ids": attribute(content, "material"),
        "color_ids": [color for color in colors if color is not None],
        "color1_id": colors[0],
        "color2_id": colors[1],
        "photos": photos_of(call, item),
        "is_draft": item.is_draft,
        "is_hidden": item.is_hidden,
        "can_edit": True,
        "user_id": item.user_id,
    }


_AS_SENT = (
    "catalog_id", "package_size_id", "is_unisex", "isbn", "measurement_length",
    "measurement_width", "manufacturer", "manufacturer_labelling",
)  # fmt: skip
