"""What stands between an offer and a live listing: every complaint at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.ebay.catalogue import MAX_ASPECT_VALUE, Aspect, Catalogue
from sandbox.ebay.errors import ErrorItem, error, numbered, user_error
from sandbox.ebay.media_rules import is_known_picture
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.shapes import amount, at
from sandbox.ebay.state import Seller
from sandbox.ebay.values import MAX_PICTURES, SITES

POLICY_ERRORS = {
    "fulfillmentPolicyId": ("fulfillment", 25007, "Invalid shipping policy."),
    "paymentPolicyId": ("payment", 25008, "Invalid payment policy."),
    "returnPolicyId": ("return", 25009, "Invalid return policy."),
}


@dataclass(frozen=True)
class Candidate:
    """An offer with its item (and group), as it would be listed."""

    marketplace_id: str
    offer: dict[str, Any]
    item: dict[str, Any]
    group: dict[str, Any] | None = None
    live: bool = False
    """Already listed: stock may then fall to nothing."""

    @property
    def product(self) -> dict[str, Any]:
        """The item's product."""
        found: dict[str, Any] = self.item.get("product", {})
        return found

    @property
    def aspects(self) -> dict[str, list[str]]:
        """Item specifics, the group's shared ones included."""
        return {**(self.group or {}).get("aspects", {}), **self.product.get("aspects", {})}

    @property
    def pictures(self) -> list[str]:
        """The pictures buyers see first."""
        return list((self.group or {}).get("imageUrls") or self.product.get("imageUrls") or [])


def complaints(sandbox: EbaySandbox, seller: Seller, candidate: Candidate) -> list[ErrorItem]:
    """Everything that keeps `candidate` from being listed, or from staying listed."""
    category_id = candidate.offer.get("categoryId", "")
    found = [
        *_about_text(candidate),
        *_about_pictures(sandbox, candidate),
        *_about_price_and_stock(candidate),
        *_about_policies(seller, candidate),
        *_about_location(seller, candidate),
    ]
    catalogue = sandbox.catalogue_of(candidate.marketplace_id)
    if category_id not in catalogue.leaves:
        detail = f"Invalid category. Category {category_id or '(none)'} is not a leaf category."
        return [*found, error(25005, detail, categoryId=category_id)]
    return [
        *found,
        *_about_condition(catalogue, candidate, category_id),
        *_about_aspects(catalogue, candidate, category_id),
    ]


def _about_text(candidate: Candidate) -> Iterator[ErrorItem]:
    group = candidate.group or {}
    if not (group.get("title") or candidate.product.get("title")):
        yield error(25016, "The title value is invalid. A title is required.", fieldName="title")
    described = (
        candidate.offer.get("listingDescription")
        or group.get("description")
        or candidate.product.get("description")
    )
    if not described:
        text = "The description value is invalid. A description is required."
        yield error(25016, text, fieldName="description")


def _about_pictures(sandbox: EbaySandbox, candidate: Candidate) -> Iterator[ErrorItem]:
    if not candidate.pictures:
        yield user_error("Add at least one picture to the listing.", **numbered("pictures"))
    if len(candidate.pictures) > MAX_PICTURES:
        yield error(25014, f"Invalid pictures. At most {MAX_PICTURES} are allowed.")
    for url in candidate.pictures:
        if not is_known_picture(sandbox, url):
            yield error(25015, f"Invalid picture URL. {url}", imageUrl=url)


def _about_price_and_stock(candidate: Candidate) -> Iterator[ErrorItem]:
    price = at(candidate.offer, "pricingSummary", "price")
    value = amount(price)
    if value is None or value <= 0:
        yield error(25003, "Invalid price. A price above zero is required.")
    elif price.get("currency") != SITES[candidate.marketplace_id].currency:
        yield error(25003, f"Invalid price. {price.get('currency')} is not the site's currency.")
    stock = at(candidate.item, "availability", "shipToLocationAvailability", "quantity")
    own = candidate.offer.get("availableQuantity")
    if not candidate.live and (own == 0 or (own is None and not stock) or stock == 0):
        yield error(25004, "Invalid quantity. At least one unit is required.")


def _about_policies(seller: Seller, candidate: Candidate) -> Iterator[ErrorItem]:
    for name, (kind, error_id, text) in POLICY_ERRORS.items():
        policy_id = at(candidate.offer, "listingPolicies", name)
        policy = seller.policies.get(kind, {}).get(policy_id or "")
        if policy is None or policy["marketplaceId"] != candidate.marketplace_id:
            yield error(error_id, f"{text} {name} is missing or unknown.", fieldName=name)


def _about_location(seller: Seller, candidate: Candidate) -> Iterator[ErrorItem]:
    key = candidate.offer.get("merchantLocationKey")
    if not key:
        yield user_error("The item's country is missing.", **numbered("Item.Country"))
    elif key not in seller.locations:
        yield error(25012, f"Invalid inventory location. {key}", merchantLocationKey=key)


def _about_condition(
    catalogue: Catalogue, candidate: Candidate, category_id: str
) -> Iterator[ErrorItem]:
    condition_id = catalogue.condition_words.get(candidate.item.get("condition", ""))
    allowed = {one.condition_id for one in catalogue.allowed_conditions(category_id)}
    if allowed and condition_id not in allowed:
        text = "Invalid item condition. The category does not allow it, or it is missing."
        yield error(25021, text, condition=candidate.item.get("condition", ""))


def _about_aspects(
    catalogue: Catalogue, candidate: Candidate, category_id: str
) -> Iterator[ErrorItem]:
    given = candidate.aspects
    for name, values in given.items():
        if any(len(value) > MAX_ASPECT_VALUE for value in values):
            yield _about_aspect(name, "is too long.", str(MAX_ASPECT_VALUE))
    for aspect in catalogue.aspects(category_id):
        values = [value for value in given.get(aspect.name, []) if value.strip()]
        if aspect.required and not values:
            yield _about_aspect(aspect.name, "is missing.")
        if aspect.cardinality == "SINGLE" and len(values) > 1:
            yield _about_aspect(aspect.name, "takes one value only.")
        for value in _unlisted(aspect, values):
            yield _about_aspect(aspect.name, f"does not allow {value}.", value)


def _unlisted(aspect: Aspect, values: list[str]) -> list[str]:
    closed = aspect.mode == "SELECTION_ONLY" and aspect.values
    return [value for value in values if closed and value not in aspect.values]


def _about_aspect(name: str, complaint: str, *more: str) -> ErrorItem:
    return user_error(f"The item specific {name} {complaint}", **numbered(name, *more))
