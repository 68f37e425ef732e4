"""What clients of every marketplace have in common: tokens, who watches, what can be read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from shared.errors import APIError


@dataclass(frozen=True, slots=True, repr=False)
class AccessGrant:
    """A token that opens a marketplace's APIs until `expires_at`."""

    token: str
    expires_at: datetime


class TokenSource(Protocol):
    """Where a transport gets its bearer token."""

    @property
    def account(self) -> str:
        """Whose token it is: a shop's schema name, or empty for the application."""
        ...

    def current(self) -> str:
        """A token that should be good. Raises `MarketplaceError` when there is none to be had."""
        ...

    def replacing(self, rejected: str) -> str:
        """Another token, after the marketplace refused this one."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it, for a job's story. Holds no headers, hence no token."""

    operation: str
    request: bytes
    status: int | None
    """HTTP status; None when no answer came."""
    response: bytes


Observer = Callable[[Exchange], None]


def nobody_watches(exchange: Exchange) -> None:
    """The observer of calls that belong to no job."""


class UnreadableAnswer(APIError):
    """An answer lacks a value it must have; whether a change was made has to be looked up."""

    code, title = "outside-unreadable", "An outside system's answer could not be understood"


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """What a Retry-After header asks for, in seconds, be it a number or a date."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        wanted, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (wanted - now).total_seconds())
    except (TypeError, ValueError):
        return None
