"""The eBay room's services, for its routes."""

from typing import Annotated

from fastapi import Depends

from api.dependencies.actors import CurrentAccount
from api.dependencies.container import Container, TheContainer
from api.dependencies.sessions import TenantTransactions
from services.selling.ebay.access import EbayAccess
from services.selling.ebay.account import EbayAccountDesk
from services.selling.ebay.choices import EbayChoices
from services.selling.ebay.connecting import EbayConnecting
from services.selling.ebay.preflight import EbayPreflight
from shared.database import TenantSchema


def _own_shop(actor: CurrentAccount, transactions: TenantTransactions) -> TenantSchema:
    """The shop, after asking whether the sign-in still holds.

    For routes whose services open transactions of their own around calls to the outside.
    """
    with transactions() as session:
        session.connection()
    return actor.shop


async def _connecting(container: TheContainer) -> EbayConnecting:
    return EbayConnecting(container.database, container.ebay, container.secret_box, container.clock)


async def _account_desk(container: TheContainer) -> EbayAccountDesk:
    return EbayAccountDesk(container.database, container.ebay, _access(container), container.clock)


async def _choices(container: TheContainer) -> EbayChoices:
    preflight = EbayPreflight(container.ebay.marketplace)
    return EbayChoices(container.database, container.ebay, preflight, container.clock)


def _access(container: Container) -> EbayAccess:
    return EbayAccess(
        container.database, container.ebay.oauth, container.secret_box, container.clock
    )


OwnShop = Annotated[TenantSchema, Depends(_own_shop)]
Connecting = Annotated[EbayConnecting, Depends(_connecting)]
AccountDesk = Annotated[EbayAccountDesk, Depends(_account_desk)]
Choices = Annotated[EbayChoices, Depends(_choices)]
