"""A listing as a channel tells it, in the words of all channels, and where a channel is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from models.selling.catalog import Product, ProductStatus, ProductVariant
from models.selling.publishing import Channel
from repositories.selling.catalog import StoredPhoto
from services.selling.catalog.drafts import ProductDraft, VariantDraft
from services.selling.publishing.handlers import Cancel, Journal
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class ToldVariant:
    """What a buyer can order. A quantity that the channel does not say is no variant at all."""

    sku: str | None
    price_minor: int
    quantity: int
    option_values: tuple[str, ...] = ()
    weight_grams: int | None = None
    remote_id: str | None = None
    """The channel's own id of it, such as an offer's."""


@dataclass(frozen=True, slots=True)
class ToldPhoto:
    """Where a photo can be fetched, and the channel's own id of it."""

    url: str
    alt_text: str = ""
    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToldListing:
    """A live listing."""

    listing_id: str
    url: str | None
    title: str
    description: str
    """Plain text."""
    currency: str
    variants: tuple[ToldVariant, ...]
    option_names: tuple[str, ...] = ()
    photos: tuple[ToldPhoto, ...] = ()
    tags: tuple[str, ...] = ()
    brand: str | None = None
    condition: str | None = None
    """Our grade, where the channel's word has exactly one."""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remote_category: str | None = None
    """The channel's category."""
    remote: Mapping[str, Any] = field(default_factory=dict)
    """What only the channel's own room understands, as JSON."""
    unclear: Mapping[str, str] = field(default_factory=dict)
    """What the product will lack, by field, and why we do not guess it."""

    @property
    def skus(self) -> list[str]:
        """Of all variants that have one, in order."""
        return [variant.sku for variant in self.variants if variant.sku]

    def as_json(self) -> dict[str, Any]:
        """How it is kept until the seller has decided."""
        return {
            "listing_id": self.listing_id,
            "url": self.url,
            "title": self.title,
            "description": self.description,
            "currency": self.currency,
            "variants": [
                [each.sku, each.price_minor, each.quantity, list(each.option_values),
                 each.weight_grams, each.remote_id]
                for each in self.variants
            ],
            "option_names": list(self.option_names),
            "photos": [[each.url, each.alt_text, each.remote_id] for each in self.photos],
            "tags": list(self.tags),
            "brand": self.brand,
            "condition": self.condition,
            "attributes": {name: list(values) for name, values in self.attributes.items()},
            "remote_category": self.remote_category,
            "remote": dict(self.remote),
            "unclear": dict(self.unclear),
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ToldListing":
        """Undo `as_json`."""
        return cls(
            **{name: kept[name] for name in _PLAIN},
            option_names=tuple(kept["option_names"]),
            tags=tuple(kept["tags"]),
            variants=tuple(
                ToldVariant(sku, price, quantity, tuple(values), weight, remote_id)
                for sku, price, quantity, values, weight, remote_id in kept["variants"]
            ),
            photos=tuple(ToldPhoto(*each) for each in kept["photos"]),
            attributes={name: tuple(values) for name, values in kept["attributes"].items()},
        )

    def draft(self, category: str | None, department: str | None) -> ProductDraft:
        """The product that it becomes, which is for sale."""
        return ProductDraft(
            title=self.title,
            description=self.description,
            currency=self.currency,
            status=ProductStatus.ACTIVE,
            brand=self.brand,
            category=category,
            department=department,
            condition=self.condition,
            attributes=self.attributes,
            tags=self.tags,
            option_names=self.option_names,
            variants=tuple(
                VariantDraft(
                    price_minor=each.price_minor,
                    quantity=each.quantity,
                    option_values=each.option_values,
                    sku=each.sku,
                    weight_grams=each.weight_grams,
                )
                for each in self.variants
            ),
        )


_PLAIN = (
    "listing_id", "url", "title", "description", "currency", "brand", "condition",
    "remote_category", "remote", "unclear",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NotImported:
    """A row that does not become a product, and why."""

    code: str
    reason: str
    title: str | None = None
    listing_id: str | None = None
    skipped: bool = False
    """It is nothing that buyers can order, rather than something we cannot read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a channel's list, before anything is made of it."""

    key: str
    """What the channel calls it: the snapshot is proven by these."""
    row_key: str
    """What it is listed by; rows that are variants of one listing share it."""
    body: Any
    """For the source that made it."""


@dataclass(frozen=True, slots=True)
class SnapshotPage:
    """Part of a channel's list, as it was at the moment of the answer."""

    entries: Sequence[Entry]
    total: int
    """Rows of the whole list, by the channel's own count."""
    nameless: int = 0
    """Rows that do not even say what they are."""
    last: bool = True
    """Whether there is no page behind it."""
    out_of_reach: bool = False
    """Whether there are further rows that the channel does not show."""


class ListingSource(Protocol):
    """A channel account, read by one attempt at a job. Raises what its gateway raises."""

    def page(self, number: int) -> SnapshotPage:
        """A page of all that is for sale, from 0 on."""
        ...

    def look(self, entry: Entry) -> ToldListing | NotImported:
        """What a row is; may ask the channel for more."""
        ...

    def note(self, name: str, **detail: Any) -> None:
        """Tell the job's story. Raises when the job must stop."""
        ...


@dataclass(frozen=True, slots=True)
class Pairing:
    """A listing and the product that it is of: each of its variants has its own there."""

    told: ToldListing
    product: Product
    variants: Sequence[tuple[ToldVariant, ProductVariant]]
    photos: Mapping[str, StoredPhoto]
    """Those that the product has from this listing, by the address they were fetched from."""
    created: bool
    """Whether the product was made of the listing, so that nothing differs."""
    at: datetime
    """Just before the listing was read."""


class ImportBooks(Protocol):
    """How a channel's room writes down a listing that was there before us. Asks nobody."""

    channel: Channel
    names_by_sku: bool
    """Whether the channel knows a live listing's variants by their SKUs, so that ours must be
    theirs."""

    def place(self, session: TenantSession, told: ToldListing) -> tuple[str | None, str | None]:
        """Our category and department, where they follow from the channel's category."""
        ...

    def record(self, session: TenantSession, pairing: Pairing) -> None:
        """Write the listing down as live, and what an update of it needs."""
        ...


class ImportRoom(Protocol):
    """A channel whose listings can be imported. Holds no state between jobs."""

    @property
    def books(self) -> ImportBooks:
        """Where its listings are written down."""
        ...

    def refusal(self, session: TenantSession) -> Cancel | None:
        """Why its account cannot be read now."""
        ...

    def source(self, session: TenantSession) -> Callable[[Journal], ListingSource]:
        """How the account is read; called while a session is there, used when there is none."""
        ...
