"""Everything the sandbox Vinted remembers, as plain records that fit into one JSON file."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.state import SandboxState

STANDARD_PASSWORD = "sandbox"  # noqa: S105 - opens nothing but a sandbox


@dataclass
class Account:
    """A member."""

    user_id: int
    login: str
    password: str
    created_at: datetime
    challenge: str | None = None
    """The word a person must type before anything is answered again; None when all is well."""


@dataclass
class Session:
    """One browser's visit, signed in or not."""

    session_id: str
    csrf_token: str
    user_id: int | None = None
    ended: bool = False
    serial: int = 1
    """Of the newest access token; a refresh counts it up."""
    least_serial: int = 1
    """Access tokens below it are dead before their time."""


@dataclass
class Photo:
    """An uploaded picture; its bytes are kept beside the state."""

    photo_id: int
    user_id: int
    temp_uuid: str
    format: str
    width: int
    height: int
    sha256: str
    created_at: datetime
    item_id: int | None = None


@dataclass
class Item:
    """One item that ever was, draft or published; the price in cents."""

    item_id: int
    user_id: int
    created_at: datetime
    updated_at: datetime
    is_draft: bool
    content: dict[str, Any] = field(default_factory=dict)
    """What the form said of it, by its names, photos left out."""
    photo_ids: list[int] = field(default_factory=list)
    """The first is the cover."""
    published_at: datetime | None = None
    is_hidden: bool = False
    is_reserved: bool = False
    sold_at: datetime | None = None
    deleted_at: datetime | None = None
    changes: int = 0

    @property
    def state(self) -> str:
        """In one word: deleted, sold, reserved, draft, hidden or active."""
        for word, holds in (
            ("deleted", self.deleted_at is not None),
            ("sold", self.sold_at is not None),
            ("reserved", self.is_reserved),
            ("draft", self.is_draft),
            ("hidden", self.is_hidden),
        ):
            if holds:
                return word
        return "active"


@dataclass
class Message:
    """What stands in a conversation; `kind` is Vinted's entity_type, `user_id` None is Vinted."""

    message_id: int
    kind: str
    user_id: int | None
    at: datetime
    body: str
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Offer:
    """A price that was offered, in cents; `state` is pending, accepted or rejected."""

    offer_id: int
    user_id: int
    price: int
    at: datetime
    state: str = "pending"


@dataclass
class Transaction:
    """What a buyer and a seller have to do with each other about some items."""

    transaction_id: int
    conversation_id: int
    seller_id: int
    buyer_id: int
    item_ids: list[int]
    created_at: datetime
    state: str = "asked"
    """asked, paid, shipped, delivered, completed or cancelled."""
    price: int = 0
    bought_at: datetime | None = None
    changed_at: datetime | None = None
    shipment_id: int | None = None
    offers: list[Offer] = field(default_factory=list)
    terse: bool = False
    """Its own address names the first item alone; the conversation names them all."""


@dataclass
class Conversation:
    """Messages between two members about some items."""

    conversation_id: int
    transaction_id: int
    seller_id: int
    buyer_id: int
    updated_at: datetime
    messages: list[Message] = field(default_factory=list)
    unread_by: list[int] = field(default_factory=list)


@dataclass
class Oddity:
    """How reading a wardrobe's page goes wrong; see the guide for each kind in words."""

    kind: str
    page: int
    times: int | None = None


@dataclass
class Request:
    """One call as it came in; `status` is None where no answer was given."""

    at: datetime
    operation: str
    method: str
    path: str
    login: str | None = None
    status: int | None = None


@dataclass(kw_only=True)
class VintedState(SandboxState):
    """The whole of it."""

    key: str = field(default_factory=lambda: secrets.token_hex(32))
    """Signs the tokens in the cookies."""
    accounts: dict[int, Account] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    photos: dict[int, Photo] = field(default_factory=dict)
    items: dict[int, Item] = field(default_factory=dict)
    transactions: dict[int, Transaction] = field(default_factory=dict)
    conversations: dict[int, Conversation] = field(default_factory=dict)
    oddities: list[Oddity] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    escaped_csrf: bool = False
    """Pages write the token as it stands inside a JavaScript string."""
    legacy_form: bool = False
    """Size and condition are read from size_id and status_id, as on some of Vinted's sites."""
    all_photos: bool = False
    """Wardrobes show more than an item's cover, as was seen on some of Vinted's sites."""
    currency: str = "EUR"
    """Of every price: each of Vinted's sites has one."""

    def account_named(self, login: str) -> Account | None:
        """The member of a login name."""
        return next((one for one in self.accounts.values() if one.login == login), None)

    def wardrobe(self, user_id: int) -> list[Item]:
        """What a member has, drafts, hidden and sold ones included; the newest first."""
        own = [
            item
            for item in self.items.values()
            if item.user_id == user_id and item.deleted_at is None
        ]
        return sorted(own, key=lambda item: item.item_id, reverse=True)
