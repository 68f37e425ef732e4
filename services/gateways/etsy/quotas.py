"""Etsy's call quotas: of the application as a whole, in a second and in a day.

Etsy gives a new application 10 calls a second and 10,000 a day, and an upgraded one more; the day
slides over 24 hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.gateways.quotas import DAY, CallLedger, Quota

SECOND = timedelta(seconds=1)


class EtsyQuotas:
    """Every call counts against both."""

    def __init__(self, calls_per_second: int = 10, calls_per_day: int = 10_000) -> None:
        self.all: Sequence[Quota] = (
            Quota("etsy.day", calls_per_day, DAY),
            Quota("etsy.second", calls_per_second, SECOND),
        )
        """The widest first."""

    @property
    def narrowest(self) -> Sequence[Quota]:
        """What is closed when Etsy itself says that it is too much."""
        return self.all[-1:]


@dataclass(frozen=True, slots=True)
class EtsyCallBook:
    """Where each call is paid for, and against which quotas."""

    ledger: CallLedger
    quotas: EtsyQuotas
