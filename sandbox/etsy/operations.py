"""What an operation is, and what it is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sandbox.answers import Answer
from sandbox.etsy.errors import EtsyError, not_found
from sandbox.etsy.fields import Field
from sandbox.etsy.sandbox import EtsySandbox
from sandbox.etsy.state import App, EtsyState, Shop, Token

BASE = "/v3/application"


@dataclass(frozen=True)
class Call:
    """One admitted call: by which application, for whom, on what, with which values."""

    sandbox: EtsySandbox
    app: App
    token: Token | None
    """None where the operation is public and nobody signed in."""
    path: dict[str, Any]
    query: dict[str, Any]
    form: dict[str, Any]
    """What a form operation was sent, read; else empty."""
    body: Any
    """The parsed JSON, or the raw bytes of a multipart body."""
    headers: dict[str, str]
    """Lower-case names."""

    @property
    def state(self) -> EtsyState:
        """All state."""
        return self.sandbox.state

    @property
    def now(self) -> int:
        """The sandbox's time in epoch seconds."""
        return int(self.sandbox.clock.now().timestamp())

    @property
    def shop(self) -> Shop:
        """The path's shop, whoever asks. Raises EtsyError 404."""
        shop = self.state.shops.get(self.path["shop_id"])
        if shop is None:
            raise not_found("Shop")
        return shop

    @property
    def own_shop(self) -> Shop:
        """The path's shop, of which the caller must be the owner. Raises EtsyError 403."""
        shop = self.state.shops.get(self.path["shop_id"])
        if shop is None or not self.is_owner(shop):
            raise EtsyError(403, "The user does not own this shop.")
        return shop

    def is_owner(self, shop: Shop) -> bool:
        """Whether the caller is signed in as the shop's owner."""
        return self.token is not None and self.token.user_id == shop.user_id


Handler = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True)
class Operation:
    """One call of Etsy's document, by its operationId, and who answers it."""

    operation_id: str
    method: str
    path: str
    scope: str | None
    """What the token must have been granted; None where no token is needed."""
    handler: Handler
    query: tuple[Field, ...] = ()
    form: tuple[Field, ...] | None = None
    """Fields of an application/x-www-form-urlencoded body."""
    json_body: bool = False
    path_words: frozenset[str] = frozenset()
    """Path parameters that are not numbers."""
    lock: str | None = None
    """Path parameter naming what two calls may not write at once."""

    @property
    def full_path(self) -> str:
        """Path on the server."""
        return BASE + self.path


def listed(rows: list[dict[str, Any]], total: int | None = None) -> Answer:
    """200 with a list; `count` is how many there are in all."""
    return Answer(200, {"count": len(rows) if total is None else total, "results": rows})


def page(call: Call, rows: list[Any]) -> list[Any]:
    """The rows that `limit` (25) and `offset` (0) of the query ask for."""
    start = call.query.get("offset", 0)
    return rows[start : start + call.query.get("limit", 25)]
