"""A product ready for eBay, and how it becomes items, offers and a group."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.gateways.ebay.inventory import InventoryItem, ItemGroup
from services.gateways.ebay.marketplaces import Marketplace
from services.gateways.ebay.offers import Offer, SellingPolicies
from shared.money import Money
from shared.text import paragraphs_as_html, shorten

ITEM_DESCRIPTION_LIMIT = 4_000
"""eBay's limit for an item; the offer carries the whole text."""


@dataclass(frozen=True, slots=True)
class DraftPhoto:
    """A photo in our store."""

    sha256: str
    object_key: str


@dataclass(frozen=True, slots=True)
class DraftVariant:
    """One SKU."""

    sku: str
    price: Money
    quantity: int
    aspects: Mapping[str, str]
    """In what it differs from the other variants; empty for a single one."""
    weight_grams: int | None
    barcode: str | None


@dataclass(frozen=True, slots=True)
class ListingDraft:
    """Everything eBay needs for one listing; complete, or it would not exist."""

    site: Marketplace
    product_id: int
    product_version: int
    title: str
    description: str
    """Plain text."""
    photos: Sequence[DraftPhoto]
    """In the order buyers see them."""
    category_id: str
    condition: str
    """Word of the Inventory API."""
    aspects: Mapping[str, Sequence[str]]
    variants: Sequence[DraftVariant]
    policies: SellingPolicies
    location_key: str
    group_key: str | None
    """Key of the inventory item group; None for a single variant."""

    @property
    def skus(self) -> list[str]:
        """Of all variants, in order."""
        return [variant.sku for variant in self.variants]

    def content_hash(self, image_urls: Sequence[str]) -> str:
        """Changes with all that eBay is sent but prices and quantities."""
        items = [self.item(variant, image_urls).as_body() for variant in self.variants]
        offers = [self.offer(variant).as_body() for variant in self.variants]
        group = self.group(image_urls)
        sent = {
            "skus": self.skus,
            "items": [{**item, "availability": None} for item in items],
            "offers": [{**offer, "availableQuantity": 0, "pricingSummary": 0} for offer in offers],
            "group": None if group is None else group.as_body(),
        }
        return hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()

    def in_stock(self) -> "ListingDraft":
        """Without the variants of which there are none."""
        return replace(self, variants=[each for each in self.variants if each.quantity > 0])

    def item(self, variant: DraftVariant, image_urls: Sequence[str]) -> InventoryItem:
        """The inventory item of a variant."""
        own = {name: [value] for name, value in variant.aspects.items()}
        return InventoryItem(
            sku=variant.sku,
            title=self.title,
            description=shorten(self.description, ITEM_DESCRIPTION_LIMIT),
            aspects={**self.aspects, **own},
            image_urls=image_urls,
            condition=self.condition,
            quantity=variant.quantity,
            weight_grams=variant.weight_grams,
            barcodes=_barcodes(variant.barcode),
        )

    def offer(self, variant: DraftVariant) -> Offer:
        """The offer of a variant."""
        return Offer(
            sku=variant.sku,
            category_id=self.category_id,
            price=variant.price,
            quantity=variant.quantity,
            description=paragraphs_as_html(self.description),
            policies=self.policies,
            location_key=self.location_key,
        )

    def group(self, image_urls: Sequence[str]) -> ItemGroup | None:
        """The group of all variants; None for a single one."""
        if self.group_key is None:
            return None
        varies_by: dict[str, list[str]] = {}
        for variant in self.variants:
            for name, value in variant.aspects.items():
                values = varies_by.setdefault(name, [])
                if value not in values:
                    values.append(value)
        return ItemGroup(
            key=self.group_key,
            title=self.title,
            description=paragraphs_as_html(self.description),
            image_urls=image_urls,
            aspects=self.aspects,
            skus=self.skus,
            varies_by=varies_by,
        )


_KINDS_BY_LENGTH = {8: "ean", 12: "upc", 13: "ean"}


def _barcodes(barcode: str | None) -> dict[str, str]:
    """The barcode under eBay's name for its kind; one that cannot be right is left out."""
    digits = (barcode or "").replace("-", "").replace(" ", "")
    kind = _KINDS_BY_LENGTH.get(len(digits)) if digits.isascii() and digits.isdigit() else None
    return {kind: digits} if kind and _check_digit_fits(digits) else {}


def _check_digit_fits(digits: str) -> bool:
    """GS1: from the right, weights 1 and 3 in turn, a sum of whole tens."""
    return sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(digits[::-1])) % 10 == 0
