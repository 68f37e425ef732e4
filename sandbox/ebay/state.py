"""Everything the sandbox remembers, as plain records that fit into one JSON file."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.state import SandboxState

OPT_IN_DEFAULT = "SELLING_POLICY_MANAGEMENT"


@dataclass
class Keyset:
    """An application's keys and the addresses its RuName stands for."""

    client_id: str = "StoFlow-Sandbox-ClientId"
    client_secret: str = "StoFlow-Sandbox-CertId"  # noqa: S105 - opens nothing but a sandbox
    ru_name: str = "StoFlow-Sandbox-RuName"
    accepted_url: str = "http://127.0.0.1:8000/api/v1/channels/ebay/callback"
    declined_url: str = ""
    """Where a refusal is sent; empty means the accepted URL."""


@dataclass
class Grant:
    """An authorization code or a refresh token: what a seller consented to."""

    client_id: str
    seller: str
    scopes: list[str]
    expires_at: datetime


@dataclass
class AccessToken:
    """A bearer token; `seller` is None for an application token."""

    client_id: str
    seller: str | None
    scopes: list[str]
    expires_at: datetime


@dataclass
class Item:
    """An inventory item as last put."""

    sku: str
    locale: str
    content: dict[str, Any]


@dataclass
class Group:
    """An inventory item group as last put."""

    key: str
    content: dict[str, Any]


@dataclass
class Offer:
    """An offer; `listing_id` is set exactly while it is published."""

    offer_id: str
    sku: str
    marketplace_id: str
    content: dict[str, Any]
    listing_id: str | None = None

    @property
    def published(self) -> bool:
        """Whether a live listing stands behind it."""
        return self.listing_id is not None


@dataclass
class Seller:
    """One eBay account with its whole selling inventory."""

    name: str
    user_id: str
    programs: list[str] = field(default_factory=list)
    policies: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """By kind (fulfillment, payment, return), then by policy id."""
    locations: dict[str, dict[str, Any]] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)

    def offers_of(self, sku: str) -> list[Offer]:
        """Every offer of `sku`, oldest first."""
        return [offer for offer in self.offers.values() if offer.sku == sku]

    def groups_of(self, sku: str) -> list[str]:
        """Keys of the groups `sku` belongs to."""
        return [key for key, group in self.groups.items() if sku in group.content["variantSKUs"]]


@dataclass
class Listing:
    """One listing that ever was: the ledger's row."""

    listing_id: str
    seller: str
    marketplace_id: str
    sku: str | None
    group_key: str | None
    created_at: datetime
    offer_ids: list[str] = field(default_factory=list)
    title: str = ""
    price: str = ""
    """A decimal amount in `currency`; of several variations the lowest."""
    currency: str = ""
    quantity: int = 0
    image_urls: list[str] = field(default_factory=list)
    variations: list[dict[str, Any]] = field(default_factory=list)
    status: str = "ACTIVE"
    ended_at: datetime | None = None
    revisions: dict[str, int] = field(default_factory=dict)
    """Revisions by UTC day."""


@dataclass
class OrderLine:
    """One line of an order. Amounts are decimal texts in the order's currency."""

    line_id: str
    listing_id: str
    offer_id: str
    sku: str
    title: str
    quantity: int
    price: str
    """Of one unit."""
    aspects: dict[str, list[str]] = field(default_factory=dict)
    """In what the variation differs; empty without variations."""
    sent: int = 0
    """Units in parcels."""


@dataclass
class Parcel:
    """One shipping fulfillment."""

    fulfillment_id: str
    shipped_at: datetime
    units: dict[str, int]
    """By line id."""
    carrier: str | None = None
    tracking: str | None = None


@dataclass
class Refund:
    """Money that went back."""

    refund_id: str
    amount: str
    made_at: datetime


@dataclass
class Order:
    """What a buyer bought, and what became of it."""

    order_id: str
    seller: str
    buyer: str
    marketplace_id: str
    currency: str
    created_at: datetime
    modified_at: datetime
    lines: list[OrderLine]
    shipping: str
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    refunds: list[Refund] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)

    @property
    def sent(self) -> str:
        """NOT_STARTED, IN_PROGRESS or FULFILLED."""
        if all(line.sent >= line.quantity for line in self.lines):
            return "FULFILLED"
        return "IN_PROGRESS" if self.parcels else "NOT_STARTED"


@dataclass
class Image:
    """A picture held by the picture service; its bytes are kept beside the state."""

    image_id: str
    seller: str
    format: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    expires_at: datetime


@dataclass(kw_only=True)
class EbayState(SandboxState):
    """The whole of it."""

    keysets: dict[str, Keyset] = field(default_factory=dict)
    sellers: dict[str, Seller] = field(default_factory=dict)
    codes: dict[str, Grant] = field(default_factory=dict)
    refresh_tokens: dict[str, Grant] = field(default_factory=dict)
    access_tokens: dict[str, AccessToken] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    unlike: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Fields of items that lists tell in another way than they are, by SKU."""
    miscounted_by: int = 0
    """How many more items a list speaks of than there are."""
    quota_limits: dict[str, int] = field(default_factory=dict)
    quota_used: dict[str, int] = field(default_factory=dict)
    """By `client id|resource|UTC day`."""

    def next_number(self, name: str, first: int) -> str:
        """The next id of the series `name`, which starts at `first`."""
        return str(self.next_id(name, first))
