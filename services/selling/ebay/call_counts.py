"""Holds our count of calls against eBay's own: neither a restart nor a stranger hides any."""

from dataclasses import dataclass

from services.gateways.ebay.gateway import EbayGateway
from services.gateways.ebay.quotas import EbayQuotas
from services.gateways.quotas import DAY
from services.selling.quotas.ledger import DatabaseLedger, ToldQuota


@dataclass(frozen=True, slots=True)
class CountsChecked:
    """What came of it."""

    told: int
    """Quotas that eBay told about."""
    added: int
    """Calls that eBay had counted and we had not."""


class EbayCallCounts:
    """Asks eBay once for all its APIs; a call that eBay did not count stays counted."""

    def __init__(self, gateway: EbayGateway, quotas: EbayQuotas, ledger: DatabaseLedger) -> None:
        self._gateway = gateway
        self._quotas = quotas
        self._ledger = ledger

    def check(self) -> CountsChecked:
        """Take eBay's figures over where they leave less. Raises what the gateway raises."""
        added = told = 0
        for rate in self._gateway.public.analytics.rates():
            quota = self._quotas.of_api(rate.api)
            if quota is None or rate.window != DAY:
                continue
            said = ToldQuota(rate.remaining, rate.limit, rate.since, rate.resets_at)
            added += self._ledger.take_over(quota, said)
            told += 1
        return CountsChecked(told, added)
