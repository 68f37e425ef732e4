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
    requests: list[Request] = field(default_factory=list)
    per_second: int = 150
    per_day: int = 100_000
    used_by_hour: dict[str, dict[int, int]] = field(default_factory=dict)
    """Calls by keystring and hour since 1970."""

    def shop_of(self, user_id: int) -> Shop | None:
        """A user's shop."""
        return next((shop for shop in self.shops.values() if shop.user_id == user_id), None)

    def shop_named(self, login_name: str) -> Shop | None:
        """The shop of a login name."""
        return next((one for one in self.shops.values() if one.login_name == login_name), None)
