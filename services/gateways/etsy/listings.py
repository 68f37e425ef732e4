"""Listings: drafts, what buyers read, photos, inventory, and whether they are for sale."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from services.gateways.etsy.errors import EtsyRefusal
from services.gateways.etsy.inventory import Inventory, ListingProperty, StoredProduct
from services.gateways.etsy.reading import money, number, optional_text, results, texts, whole
from services.gateways.etsy.transport import EtsyRequest, EtsyTransport
from shared.money import Money

MAX_PAGE = 100
MAX_OFFSET = 12_000
"""Etsy shows no row beyond."""

_GONE = (404, 410)


class ListingState(StrEnum):
    """Where a listing is in its life."""

    DRAFT = "draft"
    ACTIVE = "active"
    INACTIVE = "inactive"
    SOLD_OUT = "sold_out"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ItemSize:
    """How large a thing is, in one of Etsy's units."""

    length: Decimal
    width: Decimal
    height: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class ListingText:
    """What a listing says of itself, beside photos and inventory."""

    title: str
    description: str
    taxonomy_id: int
    who_made: str
    when_made: str
    is_supply: bool
    shipping_profile_id: int
    return_policy_id: int | None
    tags: Sequence[str] = ()
    materials: Sequence[str] = ()
    weight_grams: int | None = None
    size: ItemSize | None = None

    def as_form(self) -> list[tuple[str, str]]:
        """The fields of a form; lists are repeated names."""
        found = [
            ("title", self.title),
            ("description", self.description),
            ("taxonomy_id", str(self.taxonomy_id)),
            ("who_made", self.who_made),
            ("when_made", self.when_made),
            ("is_supply", _word(self.is_supply)),
            ("shipping_profile_id", str(self.shipping_profile_id)),
            *(("tags", tag) for tag in self.tags),
            *(("materials", material) for material in self.materials),
            *self._measures(),
        ]
        if self.return_policy_id is not None:
            found.append(("return_policy_id", str(self.return_policy_id)))
        return found

    def _measures(self) -> Iterator[tuple[str, str]]:
        """What is not known here is left as it is at Etsy."""
        if self.weight_grams is not None:
            yield "item_weight", str(self.weight_grams)
            yield "item_weight_unit", "g"
        if self.size is not None:
            yield "item_length", str(self.size.length)
            yield "item_width", str(self.size.width)
            yield "item_height", str(self.size.height)
            yield "item_dimensions_unit", self.size.unit


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A listing to begin. Price and quantity are replaced by the inventory later."""

    words: ListingText
    price: Money
    quantity: int
    processing_profile_id: int


@dataclass(frozen=True, slots=True)
class StoredListing:
    """A listing as Etsy has it. What Etsy does not say is None."""

    listing_id: int
    state: ListingState | None
    """None for a state that we do not know."""
    title: str | None
    description: str | None
    url: str | None
    quantity: int | None
    price: Money | None
    """The lowest of its variants."""
    skus: tuple[str, ...]
    products: tuple[StoredProduct, ...]
    """Empty where they were not asked for."""

    @classmethod
    def of(cls, body: Any) -> "StoredListing":
        """Read an answer."""
        said = optional_text(body, "state")
        inventory = body.get("inventory") if isinstance(body, dict) else None
        products = tuple(StoredProduct.all_in(inventory))
        own = tuple(product.sku for product in products if product.sku)
        return cls(
            listing_id=number(body, "listing_id"),
            state=ListingState(said) if said in set(ListingState) else None,
            title=optional_text(body, "title"),
            description=optional_text(body, "description"),
            url=optional_text(body, "url"),
            quantity=whole(body, "quantity"),
            price=money(body, "price"),
            skus=own or texts(body, "skus") or (),
            products=products,
        )

    @property
    def active(self) -> bool:
        """Whether buyers can order it."""
        return self.state is ListingState.ACTIVE


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A photo of a listing; rank 1 is the main one."""

    image_id: int
    rank: int


class EtsyListingClient:
    """Listings of one shop.

    Not safe to repeat: `create_draft`, `upload_image` and `activate`, for which Etsy bills the
    seller. Everything else replaces, or does nothing when it is done already.
    """

    def __init__(self, transport: EtsyTransport, shop_id: int) -> None:
        self._transport = transport
        self._shop = f"/shops/{shop_id}"

    def create_draft(self, draft: NewDraft) -> int:
        """Begin a listing that only the seller sees; costs nothing. Returns its id."""
        form = [
            *draft.words.as_form(),
            ("quantity", str(draft.quantity)),
            ("price", draft.price.amount()),
            ("readiness_state_id", str(draft.processing_profile_id)),
            ("type", "physical"),
        ]
        request = EtsyRequest(
            "createDraftListing", "POST", f"{self._shop}/listings", _NEW, form=form
        )
        return number(self._transport.send(request), "listing_id")

    def get(self, listing_id: int) -> StoredListing | None:
        """A listing with its inventory, or None when Etsy does not have it."""
        params = (("includes", "Inventory"), *_NEW)
        request = EtsyRequest("getListing", "GET", f"/listings/{listing_id}", params)
        try:
            return StoredListing.of(self._transport.send(request))
        except EtsyRefusal as refused:
            if refused.http_status in _GONE:
                return None
            raise

    def rewrite(self, listing_id: int, words: ListingText) -> None:
        """Replace what it says."""
        self._patch(listing_id, _replacing(words))

    def activate(self, listing_id: int, words: ListingText) -> None:
        """Replace what it says and put it up for sale; Etsy bills the seller for it."""
        self._patch(listing_id, [*_replacing(words), ("state", ListingState.ACTIVE.value)])

    def deactivate(self, listing_id: int) -> None:
        """Take it out of sale. It can be put up again."""
        self._patch(listing_id, [("state", ListingState.INACTIVE.value)])

    def delete(self, listing_id: int) -> bool:
        """Delete it for good; False when there was none."""
        request = EtsyRequest("deleteListing", "DELETE", f"/listings/{listing_id}")
        try:
            self._transport.send(request)
        except EtsyRefusal as refused:
            if refused.http_status in _GONE:
                return False
            raise
        return True

    def put_inventory(self, listing_id: int, inventory: Inventory) -> None:
        """Replace all that it offers."""
        self._transport.send(
            EtsyRequest(
                "updateListingInventory",
                "PUT",
                f"/listings/{listing_id}/inventory",
                _NEW,
                body=inventory.as_body(),
            )
        )

    def put_property(self, listing_id: int, said: ListingProperty) -> None:
        """Say something of a listing as a whole."""
        form = [
            *(("value_ids", str(value_id)) for value_id in said.value_ids),
            *(("values", value) for value in said.values),
        ]
        path = f"{self._shop}/listings/{listing_id}/properties/{said.property_id}"
        self._transport.send(EtsyRequest("updateListingProperty", "PUT", path, form=form))

    def images(self, listing_id: int) -> Sequence[StoredImage]:
        """Its photos, the main one first."""
        request = EtsyRequest("getListingImages", "GET", f"/listings/{listing_id}/images")
        found = [
            StoredImage(number(row, "listing_image_id"), whole(row, "rank") or 0)
            for row in results(self._transport.send(request))
        ]
        return sorted(found, key=lambda image: image.rank)

    def upload_image(self, listing_id: int, content: bytes, rank: int, alt_text: str) -> int:
        """Add a photo at a place, from 1 on; returns its id."""
        form = [("rank", str(rank)), *([("alt_text", alt_text)] if alt_text else [])]
        path = f"{self._shop}/listings/{listing_id}/images"
        request = EtsyRequest("uploadListingImage", "POST", path, form=form, image=content)
        return number(self._transport.send(request), "listing_image_id")

    def delete_image(self, listing_id: int, image_id: int) -> None:
        """Take a photo away; it may be gone already."""
        path = f"{self._shop}/listings/{listing_id}/images/{image_id}"
        try:
            self._transport.send(EtsyRequest("deleteListingImage", "DELETE", path))
        except EtsyRefusal as refused:
            if refused.http_status not in _GONE:
                raise

    def order_images(self, listing_id: int, image_ids: Sequence[int]) -> None:
        """Show exactly these photos, in this order."""
        self._patch(listing_id, [("image_ids", str(image_id)) for image_id in image_ids])

    def find(
        self, keys: Sequence[str], states: Sequence[ListingState] = tuple(ListingState)
    ) -> StoredListing | None:
        """The first listing with one of these SKUs, or with one in the text of a draft.

        Etsy has no search by SKU: the shop's listings are read page by page, newest first, at
        most 12,100 of each state.
        """
        for state in states:
            for listing in self._all(state):
                begun = listing.description or "" if state is ListingState.DRAFT else ""
                if any(key in listing.skus or key in begun for key in keys):
                    return listing
        return None

    def _all(self, state: ListingState) -> Iterator[StoredListing]:
        for offset in range(0, MAX_OFFSET + 1, MAX_PAGE):
            params = (
                ("state", state.value),
                ("limit", str(MAX_PAGE)),
                ("offset", str(offset)),
                ("includes", "Inventory"),
                *_NEW,
            )
            request = EtsyRequest("getListingsByShop", "GET", f"{self._shop}/listings", params)
            page = results(self._transport.send(request))
            yield from (StoredListing.of(row) for row in page)
            if len(page) < MAX_PAGE:
                return

    def _patch(self, listing_id: int, form: Sequence[tuple[str, str]]) -> None:
        path = f"{self._shop}/listings/{listing_id}"
        self._transport.send(EtsyRequest("updateListing", "PATCH", path, _NEW, form=form))


_NEW = (("legacy", "false"),)
"""Have processing profiles; without it Etsy speaks of processing times as it did before."""


def _replacing(words: ListingText) -> list[tuple[str, str]]:
    """What is left out of a change stays as it was, so that no tags at all have to be said."""
    return [*words.as_form(), *([] if words.tags else [("tags", "")])]


def _word(value: bool) -> str:
    return "true" if value else "false"
