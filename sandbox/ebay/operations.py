"""What an operation is, what it is given, and what it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sandbox.answers import Answer
from sandbox.ebay.apis import Api
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.state import AccessToken, EbayState, Seller


@dataclass(frozen=True)
class Call:
    """One authorised call: who, on what, with which body."""

    sandbox: EbaySandbox
    token: AccessToken
    path: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    """Lower-case names."""
    body: Any
    """The parsed JSON, or the raw bytes where the operation does not take JSON."""
    base_url: str

    @property
    def state(self) -> EbayState:
        """All state."""
        return self.sandbox.state

    @property
    def seller(self) -> Seller:
        """Whose inventory this is. Raises EbayError 403 for an application token."""
        if self.token.seller is None:
            raise EbayError(403, insufficient_permissions())
        return self.state.sellers[self.token.seller]


Handler = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True)
class Operation:
    """One call of eBay's documents, by its operationId, and who answers it."""

    operation_id: str
    method: str
    path: str
    api: Api
    scopes: frozenset[str]
    """Any one of these opens it."""
    handler: Handler
    json_body: bool = False
    content_language: bool = False
    lock: str | None = None
    """Path parameter naming what two calls may not write at once."""

    @property
    def full_path(self) -> str:
        """Path on the server."""
        return self.api.base_path + self.path


def insufficient_permissions() -> dict[str, Any]:
    """1100: the token lacks the scope."""
    return error(
        1100,
        "Access denied. Insufficient permissions to fulfill the request.",
        domain="ACCESS",
    )
