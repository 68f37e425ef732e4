"""A live listing as its channel shows it, in words that all channels share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from models.selling.catalog import Product
from shared.money import Money

Shown: TypeAlias = str | int | bool | list[int | str] | None
"""A side of a difference, as JSON."""


@dataclass(frozen=True, slots=True)
class LiveVariant:
    """One SKU. What the channel does not say is None, and no difference."""

    price: Money | None
    quantity: int | None
    published: bool = True


@dataclass(frozen=True, slots=True)
class LivePhoto:
    """A photo of a listing."""

    remote: str
    """The channel's own name of it."""
    sha256: str | None
    """Content hash of the photo of ours that it is; None: not known here."""


@dataclass(frozen=True, slots=True)
class LiveListing:
    """What buyers see."""

    live: bool
    """Whether they can order it."""
    listing_id: str | None = None
    url: str | None = None
    title: str | None = None
    photos: Sequence[LivePhoto] = ()
    """In order; none: not told."""
    variants: Mapping[str, LiveVariant] = field(default_factory=dict)
    """By our key."""

    def as_json(self) -> dict[str, Any]:
        """How it is stored with the listing."""
        return {
            "title": self.title,
            "photos": [[photo.remote, photo.sha256] for photo in self.photos],
            "variants": {
                sku: {
                    "price": None
                    if each.price is None
                    else [each.price.minor, each.price.currency],
                    "quantity": each.quantity,
                    "published": each.published,
                }
                for sku, each in self.variants.items()
            },
        }

    @classmethod
    def stored(cls, body: Mapping[str, Any]) -> "LiveListing":
        """Read what `as_json` made."""
        return cls(
            live=True,
            title=body["title"],
            photos=[LivePhoto(remote, sha256) for remote, sha256 in body["photos"]],
            variants={
                sku: LiveVariant(
                    None if each["price"] is None else Money(*each["price"]),
                    each["quantity"],
                    each["published"],
                )
                for sku, each in body["variants"].items()
            },
        )


TITLE, PRICE, QUANTITY, PHOTOS = "title", "price", "quantity", "photos"
PUBLISHED = "published"
"""Of a variant that buyers cannot order while the listing itself is live."""
STATUS = "status"
"""Of a listing that seems to have ended, and waits for the seller's word."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a listing differs from our record."""

    field: str
    sku: str | None
    ours: Shown
    """A photo of ours by its number in the product."""
    live: Shown
    """A photo that is not the product's by the channel's own name of it."""

    @property
    def key(self) -> str:
        """Its name within the listing: `title`, `price:SF-1`."""
        return self.field if self.sku is None else f"{self.field}:{self.sku}"

    @property
    def can_take(self) -> bool:
        """Whether our record can be made to say the same."""
        if self.field == PHOTOS:
            return isinstance(self.live, list) and all(isinstance(one, int) for one in self.live)
        return self.field != PUBLISHED

    def as_json(self) -> dict[str, Any]:
        """How it is stored with the listing."""
        return {"field": self.field, "sku": self.sku, "ours": self.ours, "live": self.live}


HAS_ENDED = Difference(STATUS, None, "live", "ended")


def differences(product: Product, seen: LiveListing) -> list[Difference]:
    """How what buyers see differs from our record; what the channel does not say does not."""
    found = [*_of_page(product, seen)]
    for variant in product.variants:
        live = seen.variants.get(variant.channel_key)
        if live is None:
            continue
        price = Money(variant.price_minor, product.currency)
        pairs: dict[str, tuple[Shown, Shown]] = {
            PUBLISHED: (variant.quantity > 0 or live.published, live.published),
            PRICE: (str(price), None if live.price is None else str(live.price)),
            QUANTITY: (variant.quantity, live.quantity),
        }
        found += _differing(pairs, variant.channel_key)
    return found


def _of_page(product: Product, seen: LiveListing) -> list[Difference]:
    numbers = {image.sha256: image.id for image in product.images}
    ours: list[int | str] = [image.id for image in product.images]
    live: list[int | str] = [numbers.get(photo.sha256 or "", photo.remote) for photo in seen.photos]
    return _differing({TITLE: (product.title, seen.title), PHOTOS: (ours, live or None)}, None)


def _differing(pairs: Mapping[str, tuple[Shown, Shown]], sku: str | None) -> list[Difference]:
    return [
        Difference(name, sku, ours, live)
        for name, (ours, live) in pairs.items()
        if live is not None and ours != live
    ]
