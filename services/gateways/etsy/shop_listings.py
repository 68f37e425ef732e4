"""All that a shop has for sale, page by page, with photos and inventory: how it is taken over."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateways.calls import UnreadableAnswer
from services.gateways.etsy.listings import MAX_OFFSET, MAX_PAGE, ListingState
from services.gateways.etsy.reading import (
    flag,
    money,
    number,
    optional_text,
    results,
    rows,
    texts,
    whole,
)
from services.gateways.etsy.transport import EtsyRequest, EtsyTransport
from shared.money import Money


@dataclass(frozen=True, slots=True)
class ShopOffering:
    """At what price a variant can be had, and how many there are."""

    price: Money
    quantity: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class ShopVariant:
    """A product of a listing's inventory."""

    sku: str | None
    values: Mapping[str, str]
    """In what it differs, by Etsy's name of the property."""
    offerings: Sequence[ShopOffering]


@dataclass(frozen=True, slots=True)
class ShopImage:
    """A photo at its full size."""

    image_id: int
    url: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class ShopListing:
    """A listing, whole."""

    listing_id: int
    url: str | None
    title: str
    description: str
    digital: bool
    taxonomy_id: int | None
    who_made: str | None
    when_made: str | None
    is_supply: bool | None
    tags: tuple[str, ...]
    variants: Sequence[ShopVariant]
    images: Sequence[ShopImage]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "ShopListing":
        """Read a row of a page. Raises `UnreadableAnswer`, naming what is missing."""
        title = optional_text(body, "title")
        if title is None:
            raise UnreadableAnswer("Etsy does not say what its title is.")
        taxonomy_id = whole(body, "taxonomy_id")
        products = rows(body.get("inventory"), "products")
        kept = [row for row in products if flag(row, "is_deleted") is not True]
        if not kept:
            raise UnreadableAnswer("Etsy does not say what it offers.")
        images = sorted(rows(body, "images"), key=lambda row: whole(row, "rank") or 0)
        return cls(
            listing_id=number(body, "listing_id"),
            url=optional_text(body, "url"),
            title=html.unescape(title),
            description=html.unescape(optional_text(body, "description") or ""),
            digital=optional_text(body, "listing_type") == "download",
            taxonomy_id=taxonomy_id,
            who_made=optional_text(body, "who_made"),
            when_made=optional_text(body, "when_made"),
            is_supply=flag(body, "is_supply"),
            tags=tuple(html.unescape(tag) for tag in texts(body, "tags") or ()),
            variants=[_variant(row) for row in kept],
            images=[
                ShopImage(
                    number(row, "listing_image_id"), url, optional_text(row, "alt_text") or ""
                )
                for row in images
                if (url := optional_text(row, "url_fullxfull"))
            ],
        )


@dataclass(frozen=True, slots=True)
class ShopPage:
    """Part of a shop's list, unread rows and all, as it was at the moment of the answer."""

    rows: Sequence[Mapping[str, Any]]
    total: int
    offset: int

    @property
    def last(self) -> bool:
        """Whether there is nothing behind it, as far as Etsy shows."""
        behind = self.offset + len(self.rows)
        return not self.rows or behind >= self.total or behind > MAX_OFFSET

    @property
    def out_of_reach(self) -> bool:
        """Whether Etsy does not show all of the list."""
        return self.total > MAX_OFFSET + MAX_PAGE


class EtsyShopListingClient:
    """Reads one shop."""

    def __init__(self, transport: EtsyTransport, shop_id: int) -> None:
        self._transport = transport
        self._path = f"/shops/{shop_id}/listings"

    def active(self, offset: int, limit: int = MAX_PAGE) -> ShopPage:
        """Listings for sale, newest first, from `offset` rows on; read with `ShopListing.of`."""
        params = (
            ("state", ListingState.ACTIVE.value),
            ("limit", str(limit)),
            ("offset", str(offset)),
            ("includes", "Images"),
            ("includes", "Inventory"),
            ("legacy", "false"),
        )
        body = self._transport.send(EtsyRequest("getListingsByShop", "GET", self._path, params))
        total = whole(body, "count")
        if total is None:
            raise UnreadableAnswer("Etsy does not say how many listings there are.")
        return ShopPage(results(body), total, offset)


def _variant(row: Mapping[str, Any]) -> ShopVariant:
    sku = row.get("sku")
    return ShopVariant(
        sku=sku if isinstance(sku, str) and sku else None,
        values={
            html.unescape(name): ", ".join(
                html.unescape(one) for one in texts(each, "values") or ()
            )
            for each in rows(row, "property_values")
            if (name := optional_text(each, "property_name"))
        },
        offerings=[
            _offering(each)
            for each in rows(row, "offerings")
            if flag(each, "is_deleted") is not True
        ],
    )


def _offering(row: Mapping[str, Any]) -> ShopOffering:
    price, quantity = money(row, "price"), whole(row, "quantity")
    if price is None:
        raise UnreadableAnswer("Etsy does not say what it costs.")
    if quantity is None:
        raise UnreadableAnswer("Etsy does not say how many there are.")
    return ShopOffering(price, quantity, flag(row, "is_enabled") is not False)
