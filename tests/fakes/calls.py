"""A ledger for clients that are tried without a database."""

from collections.abc import Sequence

from services.gateways.ebay.quotas import EbayQuotas
from services.gateways.ebay.transport import CallBook
from services.gateways.quotas import Quota


class UncountedCalls:
    """Lets every call through and remembers which quotas were closed."""

    def __init__(self) -> None:
        self.closed: list[tuple[str, float]] = []

    def pay(self, quotas: Sequence[Quota], account: str) -> None:
        """Pass."""

    def close(self, quotas: Sequence[Quota], account: str, seconds: float) -> None:
        """Remember."""
        self.closed += [(quota.name, seconds) for quota in quotas]


def uncounted() -> CallBook:
    """A book without a memory."""
    return CallBook(UncountedCalls(), EbayQuotas())
