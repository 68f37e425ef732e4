"""What eBay itself says of our calls: how many it counted, and how many it still takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.gateways.ebay.reading import moment, rows, text, whole
from services.gateways.ebay.transport import EbayRequest, EbayTransport

BASE = "/developer/analytics/v1_beta"


@dataclass(frozen=True, slots=True)
class CallRate:
    """The calls of one API in eBay's present window."""

    api: str
    """The first two words of the API's path, such as `sell/inventory`."""
    limit: int
    remaining: int
    resets_at: datetime
    """When eBay counts from nothing again."""
    window: timedelta

    @property
    def since(self) -> datetime:
        """When eBay began to count."""
        return self.resets_at - self.window


class EbayAnalyticsClient:
    """`/developer/analytics/v1_beta`, under the application's own token."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    def rates(self) -> Sequence[CallRate]:
        """Of each API the rate of the application: one call.

        Where eBay tells an API's methods apart, the widest limit is that of the whole.
        """
        request = EbayRequest("getRateLimits", "GET", f"{BASE}/rate_limit/")
        found = rows(self._transport.send(request).body, "rateLimits")
        known = ((_api(row), _rates(row)) for row in found)
        return [max(rates, key=_widest) for rates in (_read(api, r) for api, r in known) if rates]


def _api(row: Mapping[str, Any]) -> str:
    return f"{text(row, 'apiContext')}/{text(row, 'apiName')}".lower()


def _rates(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [rate for resource in rows(row, "resources") for rate in rows(resource, "rates")]


def _read(api: str, rates: Sequence[Mapping[str, Any]]) -> Sequence[CallRate]:
    return [rate for each in rates if (rate := _rate(api, each)) is not None]


def _rate(api: str, row: Mapping[str, Any]) -> CallRate | None:
    """A rate, or None where eBay leaves out what it would say."""
    limit, remaining = whole(row, "limit"), whole(row, "remaining")
    seconds = whole(row, "timeWindow")
    if limit is None or remaining is None or not seconds:
        return None
    resets_at = moment(row, "reset")
    return CallRate(api, limit, remaining, resets_at, timedelta(seconds=seconds))


def _widest(rate: CallRate) -> tuple[int, int]:
    return rate.limit, -rate.remaining
