"""Which conditions eBay accepts in which category."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from services.gateways.ebay.reading import optional_text, rows, text
from services.gateways.ebay.transport import EbayRequest, EbayTransport

BASE = "/sell/metadata/v1"

_MOST_CATEGORIES = 50
"""eBay ignores the ones beyond (warning 46004)."""


class EbayMetadataClient:
    """`/sell/metadata/v1`, under the application's own token."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    def conditions_of(self, category_ids: Collection[str]) -> Mapping[str, list[int]]:
        """Accepted condition ids by category; a category without conditions has an empty list.

        Asks for 50 categories at a time.
        """
        found: dict[str, list[int]] = {category_id: [] for category_id in category_ids}
        waiting = iter(category_ids)
        while part := list(islice(waiting, _MOST_CATEGORIES)):
            found |= self._some(part)
        return found

    def _some(self, category_ids: Iterable[str]) -> dict[str, list[int]]:
        marketplace = self._transport.marketplace.id
        answer = self._transport.send(
            EbayRequest(
                "getItemConditionPolicies",
                "GET",
                f"{BASE}/marketplace/{marketplace}/get_item_condition_policies",
                params={"filter": f"categoryIds:{{{'|'.join(category_ids)}}}"},
            )
        )
        return {
            text(policy, "categoryId"): [
                int(number)
                for number in (
                    optional_text(row, "conditionId") for row in rows(policy, "itemConditions")
                )
                if number is not None and number.isdigit()
            ]
            for policy in rows(answer.body, "itemConditionPolicies")
        }
