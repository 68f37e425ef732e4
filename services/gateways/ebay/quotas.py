"""eBay's call quotas, by the API that an operation belongs to.

The daily numbers are the defaults that eBay documents for an application; a keyset that was given
less is limited as a whole. Photos are also limited per seller.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from services.gateways.quotas import DAY, Quota

DAILY = {
    "sell/inventory": 2_000_000,
    "sell/account": 25_000,
    "sell/fulfillment": 100_000,
    "commerce/taxonomy": 5_000,
    "commerce/identity": 5_000,
    "commerce/media": 1_000_000,
}
"""Calls of the application in a day, by the first two words of an API's path."""

UPLOADS = Quota("ebay.uploads", 45, timedelta(seconds=5), per_shop=True)
"""eBay takes 50 photos of one seller in 5 seconds."""


REVISIONS = Quota("ebay.revisions", 250, DAY, per_shop=True)
"""Changes of one listing in a day. Its account is a shop's listing, see `listing_account`."""


def listing_account(account: str, listing_id: str) -> str:
    """Under which name the changes of a shop's listing are counted."""
    return f"{account}/{listing_id}"


class EbayQuotas:
    """Which quotas a call counts against."""

    def __init__(self, daily_calls: int | None = None) -> None:
        """`daily_calls` limits all APIs together to so many calls a day."""
        self._together = () if daily_calls is None else (Quota("ebay.calls", daily_calls, DAY),)
        self._by_api: Mapping[str, Quota] = {
            api: Quota(f"ebay.{api.partition('/')[2]}", limit, DAY) for api, limit in DAILY.items()
        }

    def of(self, method: str, path: str) -> Sequence[Quota]:
        """The quotas of one request."""
        api = "/".join(path.strip("/").split("/")[:2])
        quotas = [*self._together]
        if api in self._by_api:
            quotas.append(self._by_api[api])
        if api == "commerce/media" and method == "POST":
            quotas.append(UPLOADS)
        return quotas

    def of_api(self, api: str) -> Quota | None:
        """The daily quota of an API by the first two words of its path, if it has one."""
        return self._by_api.get(api)

    @property
    def all(self) -> Sequence[Quota]:
        """Every quota, the widest first."""
        return (*self._together, *self._by_api.values(), UPLOADS)
