"""One tree of errors for the whole house.

    StoflowError
    ├── BadInput                  422  the caller's data is wrong; names the field or row
    │   ├── MalformedRequest      400
    │   └── PayloadTooLarge       413
    ├── Unauthenticated           401
    │   └── SignedOut             401  the sign-in behind a valid token was ended
    ├── Forbidden                 403
    ├── NotFound                  404
    ├── Conflict                  409
    ├── PreconditionFailed        412
    ├── PreconditionRequired      428
    ├── TooManyRequests           429
    ├── Misconfigured             500  the operator must change a setting
    ├── DatabaseError             500
    │   ├── SchemaCreationError
    │   ├── DatabaseUnavailable   503  away, or all connections are in use: try again
    │   └── TenantUnavailable     403  unknown, suspended or retired
    │       └── ShopBeingUpgraded 503  its schema is not what this version works with
    ├── APIError                  502  an outside system answered badly
    │   ├── APIConnectionError
    │   └── APITimeoutError       504  the answer never came: what happened is unknown
    └── MarketplaceError          502
        ├── EbayError, EtsyError, VintedError

`status` is the HTTP status of the problem and `code` its stable name: clients may branch on the
code, never on the wording. `api/problems.py` alone turns these into answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing that is wrong: `field` is a dotted path or `row 7, Variant Price`."""

    field: str
    message: str
    code: str = "invalid"
    choices: tuple[str, ...] = ()
    """What would be accepted, where that is a short list."""

    def as_json(self) -> dict[str, Any]:
        """How it is stored with a job and shown in a problem."""
        return {
            "field": self.field,
            "message": self.message,
            "code": self.code,
            "choices": list(self.choices),
        }


class StoflowError(Exception):
    """Anything the house can say went wrong. Raise a subclass."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self,
        detail: str | None = None,
        *,
        fields: Sequence[FieldProblem] = (),
        **extra: Any,
    ) -> None:
        self.detail = detail or self.title
        self.fields = tuple(fields)
        self.extra = extra
        super().__init__(self.detail)


class BadInput(StoflowError):
    """The data sent cannot be accepted as it is."""

    status, code, title = 422, "invalid-input", "Some of what was sent is not valid"


class MalformedRequest(BadInput):
    """The request cannot even be read."""

    status, code, title = 400, "malformed-request", "The request could not be read"


class PayloadTooLarge(BadInput):
    """More bytes than this address takes."""

    status, code, title = 413, "payload-too-large", "The request is too large"


class Unauthenticated(StoflowError):
    """Nobody is signed in, or the proof has expired."""

    status, code, title = 401, "unauthenticated", "Please sign in"


class SignedOut(Unauthenticated):
    """The access token is genuine, but its sign-in was ended."""

    code, title = "signed-out", "You were signed out; please sign in again"


class Forbidden(StoflowError):
    """Signed in, but not allowed."""

    status, code, title = 403, "forbidden", "You are not allowed to do this"


class NotFound(StoflowError):
    """There is no such thing, or not for you."""

    status, code, title = 404, "not-found", "There is nothing here"


class Conflict(StoflowError):
    """The thing is not in a state that allows this."""

    status, code, title = 409, "conflict", "That is not possible at the moment"


class PreconditionFailed(StoflowError):
    """Somebody changed the thing since it was read."""

    status, code, title = 412, "precondition-failed", "It was changed in the meantime"


class PreconditionRequired(StoflowError):
    """The change must say which version it was based on."""

    status, code, title = 428, "precondition-required", "Say which version you are changing"


class TooManyRequests(StoflowError):
    """Slow down."""

    status, code, title = 429, "too-many-requests", "Too many requests"


class Misconfigured(StoflowError):
    """The installation lacks a setting; the detail names it."""

    code, title = "misconfigured", "The installation is not set up for this"


class DatabaseError(StoflowError):
    """The database refused."""

    code, title = "database-error", "The database refused"


class SchemaCreationError(DatabaseError):
    """A tenant's schema could not be made; nothing of it was left behind."""

    code, title = "schema-creation-failed", "The shop could not be set up"


class DatabaseUnavailable(DatabaseError):
    """The database is away, or has no room for another request; trying again helps."""

    status, code, title = 503, "database-unavailable", "The database cannot serve this right now"


class TenantUnavailable(DatabaseError):
    """The tenant is unknown, suspended or retired."""

    status, code, title = 403, "tenant-unavailable", "This shop is not available"


class ShopBeingUpgraded(TenantUnavailable):
    """The shop lacks a table or a column: it is behind this version, or ahead of it."""

    status, code, title = 503, "shop-being-upgraded", "This shop is being upgraded; try again soon"


class APIError(StoflowError):
    """An outside system answered in a way we cannot use."""

    status, code, title = 502, "outside-error", "An outside system did not answer properly"


class APIConnectionError(APIError):
    """The outside system could not be reached; nothing was sent or the line dropped before."""

    code, title = "outside-unreachable", "An outside system could not be reached"


class APITimeoutError(APIError):
    """The request went out and no answer came: whether it was carried out is unknown."""

    status, code, title = 504, "outside-timeout", "An outside system did not answer in time"


class Remedy(StrEnum):
    """What helps against a marketplace's refusal."""

    WAIT = "wait"
    """Transient: the same call may work later."""
    FIX_DATA = "fix-data"
    """The seller must change the product or a setting."""
    RECONNECT = "reconnect"
    """The marketplace no longer accepts our tokens."""
    ASK_MARKETPLACE = "ask-marketplace"
    """The account is blocked or limited; only the marketplace can lift it."""


class MarketplaceError(StoflowError):
    """A marketplace refused. `remedy` decides what the job does next."""

    status, code, title = 502, "marketplace-error", "The marketplace refused"

    http_status: int = 0
    """How it answered; 0 where the refusal is not an answer of its own."""

    def __init__(
        self,
        detail: str | None = None,
        *,
        remedy: Remedy = Remedy.WAIT,
        retry_after: float | None = None,
        fields: Sequence[FieldProblem] = (),
        **extra: Any,
    ) -> None:
        super().__init__(detail, fields=fields, **extra)
        self.remedy = remedy
        self.retry_after = retry_after
        """Seconds the marketplace asked us to wait, when it did."""


class EbayError(MarketplaceError):
    """eBay refused."""

    code, title = "ebay-error", "eBay refused"


class EtsyError(MarketplaceError):
    """Etsy refused."""

    code, title = "etsy-error", "Etsy refused"


class VintedError(MarketplaceError):
    """Vinted refused."""

    code, title = "vinted-error", "Vinted refused"
