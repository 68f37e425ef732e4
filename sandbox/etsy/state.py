"""Everything the sandbox Etsy remembers, as plain records that fit into one JSON file."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.state import SandboxState

CALLBACK = "http://127.0.0.1:8000/api/v1/channels/etsy/callback"


@dataclass
class App:
    """An application's keys and the addresses it may be called back at."""

    keystring: str = "stoflowsandboxkeystring1"
    shared_secret: str = "sandboxsec"  # noqa: S105 - opens nothing but a sandbox
    redirect_uris: list[str] = field(default_factory=lambda: [CALLBACK])
    """Compared letter by letter, as Etsy does."""
    application_id: int = 900_000_001


@dataclass
class Code:
    """An authorization code: what a seller consented to, and the challenge it is bound to."""

    keystring: str
    user_id: int
    scopes: list[str]
    expires_at: datetime
    redirect_uri: str
    challenge: str


@dataclass
class Token:
    """An access or refresh token; `revoked` ones are kept to say so."""

    keystring: str
    user_id: int
    scopes: list[str]
    expires_at: datetime
    revoked: bool = False


@dataclass
class Shop:
    """One seller's account and shop."""

    shop_id: int
    user_id: int
    login_name: str
    currency: str
    country: str
    created_at: datetime
    shipping_profiles: dict[int, dict[str, Any]] = field(default_factory=dict)
    return_policies: dict[int, dict[str, Any]] = field(default_factory=dict)
    readiness_states: dict[int, dict[str, Any]] = field(default_factory=dict)
    sections: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Offering:
    """What a product costs and how many there are; the price in cents of the shop's currency."""

    offering_id: int
    price: int
    quantity: int
    is_enabled: bool = True
    readiness_state_id: int | None = None


@dataclass
class Product:
    """One variant of a listing; `is_deleted` ones were replaced by a later inventory."""

    product_id: int
    sku: str
    offering: Offering
    property_values: list[dict[str, Any]] = field(default_factory=list)
    is_deleted: bool = False


@dataclass
class Listing:
    """One listing that ever was; times in epoch seconds."""

    listing_id: int
    shop_id: int
    created_at: int
    updated_at: int
    state_at: int
    ends_at: int
    state: str
    content: dict[str, Any]
    """What forms said of it, by their names."""
    products: list[Product] = field(default_factory=list)
    on_property: dict[str, list[int]] = field(default_factory=dict)
    """Which properties price, quantity, sku and readiness_state depend on."""
    image_ids: list[int] = field(default_factory=list)
    """By rank."""
    properties: dict[int, dict[str, Any]] = field(default_factory=dict)
    translations: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted_at: int | None = None

    @property
    def current(self) -> list[Product]:
        """The products of today's inventory."""
        return [product for product in self.products if not product.is_deleted]

    @property
    def on_sale(self) -> list[Offering]:
        """What buyers can choose from, sold out ones included."""
        return [one.offering for one in self.current if one.offering.is_enabled]

    @property
    def quantity(self) -> int:
        """Units that can be bought."""
        return sum(offering.quantity for offering in self.on_sale)

    @property
    def price(self) -> int:
        """The lowest price, in cents."""
        offerings = self.on_sale or [product.offering for product in self.current]
        return min(offering.price for offering in offerings)


@dataclass
class Image:
    """A picture of a shop; its bytes are kept beside the state."""

    image_id: int
    shop_id: int
    format: str
    width: int
    height: int
    sha256: str
    colour: tuple[int, int, int]
    created_at: int
    alt_text: str = ""


@dataclass
class Fee:
    """What Etsy bills a seller for a listing; `kind` is listing, renewal or auto_renewal."""

    at: datetime
    shop_id: int
    listing_id: int
    kind: str
    amount: int
    currency: str


@dataclass
class Transaction:
    """One product of one receipt, as it was when it was bought; money in cents."""

    transaction_id: int
    listing_id: int
    product_id: int
    sku: str
    title: str
    description: str
    quantity: int
    price: int
    shipping_cost: int
    shipping_profile_id: int | None
    image_id: int | None
    is_digital: bool
    processing_days: tuple[int, int] | None
    property_values: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Shipment:
    """A parcel that the buyer was told of."""

    shipment_id: int
    at: int
    carrier: str
    tracking_code: str


@dataclass
class Refund:
    """Money sent back, in cents."""

    at: int
    amount: int
    reason: str


@dataclass
class Receipt:
    """What one buyer bought of one shop at once; times in epoch seconds."""

    receipt_id: int
    shop_id: int
    buyer: str
    buyer_user_id: int
    country: str
    created_at: int
    updated_at: int
    transactions: list[Transaction]
    paid_at: int | None = None
    shipped_at: int | None = None
    delivered_at: int | None = None
    canceled_at: int | None = None
    message: str = ""
    shipments: list[Shipment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)

    @property
    def goods(self) -> int:
        """What all products cost, in cents."""
        return sum(one.price * one.quantity for one in self.transactions)

    @property
    def shipping(self) -> int:
        """What shipping costs, in cents."""
        return sum(one.shipping_cost for one in self.transactions)

    @property
    def refunded(self) -> int:
        """What was sent back, in cents."""
        return sum(refund.amount for refund in self.refunds)


@dataclass
class Email:
    """A message that Etsy sent; `to` is buyer or seller."""

    at: datetime
    kind: str
    to: str
    receipt_id: int
    carrier: str
    tracking_code: str
    note: str


@dataclass
class Request:
    """One call as it came in; `status` is None where no answer was given."""

    at: datetime
    operation: str
    method: str
    path: str
    status: int | None = None


@dataclass(kw_only=True)
class EtsyState(SandboxState):
    """The whole of it."""

    apps: dict[str, App] = field(default_factory=dict)
    shops: dict[int, Shop] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    access_tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, Token] = field(default_factory=dict)
    listings: dict[int, Listing] = field(default_factory=dict)
    images: dict[int, Image] = field(default_factory=dict)
    receipts: dict[int, Receipt] = field(default_factory=dict)
    buyers: dict[str, int] = field(default_factory=dict)
    """User numbers by name."""
    emails: list[Email] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    unlike: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Fields of listings that are told in another way than they are, by listing."""
    miscounted_by: int = 0
    """How many more listings a shop's list speaks of than it has."""
    per_second: int = 150
    per_day: int = 100_000
    used_by_hour: dict[str, dict[int, int]] = field(default_factory=dict)
    """Calls by keystring and hour since 1970."""

    def shop_of(self, user_id: int) -> Shop | None:
        """A user's shop."""
        return next((shop for shop in self.shops.values() if shop.user_id == user_id), None)

    def active_listings(self, shop_id: int) -> list[Listing]:
        """What a shop has for sale."""
        return [
            one
            for one in self.listings.values()
            if one.shop_id == shop_id and one.state == "active" and one.deleted_at is None
        ]

    def shop_named(self, login_name: str) -> Shop | None:
        """The shop of a login name."""
        return next((one for one in self.shops.values() if one.login_name == login_name), None)
