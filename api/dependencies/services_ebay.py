"""The eBay room's services, for its routes."""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Depends

from api.dependencies.container import Container, TheContainer
from services.selling.ebay.access import EbayAccess
from services.selling.ebay.account import EbayAccountDesk
from services.selling.ebay.choices import EbayChoices
from services.selling.ebay.connecting import EbayConnecting
from services.selling.ebay.preflight import EbayPreflight
from services.selling.quotas.ledger import QuotaState
from shared.database import TenantSchema


async def _connecting(container: TheContainer) -> EbayConnecting:
    return EbayConnecting(container.database, container.ebay, container.secret_box, container.clock)


async def _account_desk(container: TheContainer) -> EbayAccountDesk:
    return EbayAccountDesk(container.database, container.ebay, _access(container), container.clock)


async def _choices(container: TheContainer) -> EbayChoices:
    preflight = EbayPreflight(container.ebay.marketplace)
    return EbayChoices(container.database, container.ebay, preflight, container.clock)


async def _calls(container: TheContainer) -> Callable[[TenantSchema], Sequence[QuotaState]]:
    return container.ebay_calls


def _access(container: Container) -> EbayAccess:
    return EbayAccess(
        container.database, container.ebay.oauth, container.secret_box, container.clock
    )


Connecting = Annotated[EbayConnecting, Depends(_connecting)]
AccountDesk = Annotated[EbayAccountDesk, Depends(_account_desk)]
Choices = Annotated[EbayChoices, Depends(_choices)]
Calls = Annotated[Callable[[TenantSchema], Sequence[QuotaState]], Depends(_calls)]
