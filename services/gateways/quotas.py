"""What a marketplace lets us ask of it, and the port through which each call is paid for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `limit` calls in any `window`, of each shop's account or of the application."""

    name: str
    """Channel and API, such as `ebay.media`."""
    limit: int
    window: timedelta
    per_shop: bool = False


class CallLedger(Protocol):
    """Keeps account of calls, for all processes of the installation."""

    def pay(self, quotas: Sequence[Quota], account: str) -> None:
        """Count one call against every one of these quotas, or against none.

        Raises `QuotaSpent` with the seconds until there is room again.
        """
        ...

    def close(self, quotas: Sequence[Quota], account: str, seconds: float) -> None:
        """The marketplace refused for that long, whatever we had counted."""
        ...
