"""What a listing may say, and what it must have to be sold."""

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.etsy.errors import bad_request
from sandbox.etsy.sandbox import EtsySandbox
from sandbox.etsy.shops import EU
from sandbox.etsy.state import Listing, Shop
from sandbox.etsy.values import when_made_words

MAX_TITLE, MAX_TAGS, MAX_TAG = 140, 13, 20
MAX_MATERIALS, MAX_STYLES, MAX_WORD = 13, 2, 45
MAX_QUANTITY = 999
"""Of a listing, all its variants together."""
MIN_PRICE, MAX_PRICE = Decimal("0.20"), Decimal(50_000)
MAX_IMAGES = 20
ONCE_ONLY = "%:&+"
MARKS = "™©®"
PHYSICAL = "physical"


def check_said(sandbox: EtsySandbox, shop: Shop, form: dict[str, Any]) -> None:
    """Whatever of `form` is there must be acceptable. Raises EtsyError 400."""
    if "title" in form:
        check_title(form["title"])
    if "description" in form and not form["description"].strip():
        raise bad_request("description must not be empty.")
    _check_words("tags", form.get("tags"), (MAX_TAGS, MAX_TAG), "-'" + MARKS)
    _check_words("materials", form.get("materials"), (MAX_MATERIALS, MAX_WORD), "")
    _check_words("styles", form.get("styles"), (MAX_STYLES, MAX_WORD), "")
    _check_era(form.get("when_made"), sandbox.clock.now())
    _check_known(sandbox, shop, form)
    _check_images(sandbox, shop, form.get("image_ids"))
    for name in ("item_weight", "item_length", "item_width", "item_height"):
        if form.get(name) == 0:
            raise bad_request(f"{name} must be greater than 0.")


def check_title(title: str) -> None:
    """1 to 140 characters of those Etsy allows. Raises EtsyError 400."""
    if not 0 < len(title.strip()) <= MAX_TITLE:
        raise bad_request(f"title must have 1 to {MAX_TITLE} characters.")
    strange = "".join(sorted(set(_strange(title, ("L", "Nd", "P", "Sm", "Zs"), MARKS))))
    if strange:
        raise bad_request(f"title contains invalid characters: {strange}")
    for sign in ONCE_ONLY:
        if title.count(sign) > 1:
            raise bad_request(f"title may contain the character {sign} only once.")


def check_quantity(quantity: int) -> None:
    """1 to 999. Raises EtsyError 400."""
    if not 0 < quantity <= MAX_QUANTITY:
        raise bad_request(f"quantity must be between 1 and {MAX_QUANTITY}.")


def check_price(price: Decimal) -> None:
    """Within Etsy's bounds. Raises EtsyError 400."""
    if not MIN_PRICE <= price <= MAX_PRICE:
        raise bad_request(f"price must be between {MIN_PRICE} and {MAX_PRICE}.")


def check_sellable(listing: Listing, shop: Shop, units: int) -> None:
    """What an active listing of `units` must have. Raises EtsyError 400 naming all that lacks."""
    missing = list(_missing(listing, shop, units))
    if missing:
        raise bad_request(f"The listing cannot be active: {'; '.join(missing)}.")


def _missing(listing: Listing, shop: Shop, units: int) -> Iterator[str]:
    said = listing.content
    if not listing.image_ids:
        yield "it needs at least one image"
    if units < 1:
        yield "its quantity is 0"
    if said["type"] == "download":
        yield "a digital listing needs a file"
        return
    if said.get("shipping_profile_id") is None:
        yield "it needs a shipping_profile_id"
    if any(one.offering.readiness_state_id is None for one in listing.current):
        yield "it needs a readiness_state_id"
    if said.get("return_policy_id") is None and shop.country not in EU:
        yield "it needs a return_policy_id"


def _check_era(era: str | None, now: datetime) -> None:
    words = when_made_words(now)
    if era is not None and era not in words:
        raise bad_request(f"Invalid value for when_made: one of {', '.join(words)}.")


def _check_known(sandbox: EtsySandbox, shop: Shop, form: dict[str, Any]) -> None:
    known: dict[str, Mapping[int, Any]] = {
        "taxonomy_id": sandbox.taxonomy.nodes,
        "shipping_profile_id": shop.shipping_profiles,
        "return_policy_id": shop.return_policies,
        "readiness_state_id": shop.readiness_states,
        "shop_section_id": shop.sections,
    }
    for name, rows in known.items():
        if form.get(name) is not None and form[name] not in rows:
            raise bad_request(f"Invalid value for {name}: {form[name]} does not exist.")
    if form.get("production_partner_ids"):
        raise bad_request("The shop has no production partners.")


def _check_images(sandbox: EtsySandbox, shop: Shop, image_ids: list[int] | None) -> None:
    if image_ids is None:
        return
    if len(image_ids) > MAX_IMAGES or len(set(image_ids)) < len(image_ids):
        raise bad_request(f"image_ids must be at most {MAX_IMAGES} different images.")
    for image_id in image_ids:
        image = sandbox.state.images.get(image_id)
        if image is None or image.shop_id != shop.shop_id:
            raise bad_request(f"Invalid value for image_ids: {image_id} does not exist.")


def _check_words(name: str, words: list[str] | None, most: tuple[int, int], signs: str) -> None:
    count, length = most
    if words is None:
        return
    if len(words) > count:
        raise bad_request(f"{name} may have at most {count} values.")
    for each in words:
        if not 0 < len(each) <= length:
            raise bad_request(f"Each of {name} must have 1 to {length} characters.")
        if any(_strange(each, ("L", "Nd", "Zs"), signs)):
            raise bad_request(f"{name} contains invalid characters: {each}")


def _strange(text: str, categories: tuple[str, ...], signs: str) -> Iterator[str]:
    """Characters of other Unicode categories than those, unless they are in `signs`."""
    for character in text:
        if character not in signs and not unicodedata.category(character).startswith(categories):
            yield character
