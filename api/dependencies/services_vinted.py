"""The Vinted room's services, for its routes."""

from typing import Annotated

from fastapi import Depends

from api.dependencies.container import TheContainer
from services.accounts.identity.issuing import TokenIssuing
from services.accounts.identity.pairing import DevicePairings
from services.selling.vinted.account import VintedAccountDesk


async def _pairings(container: TheContainer) -> DevicePairings:
    clock = container.clock
    issuing = TokenIssuing(container.access_tokens, container.refresh_ttl, clock)
    return DevicePairings(issuing, clock)


async def _account_desk(container: TheContainer) -> VintedAccountDesk:
    return VintedAccountDesk(container.vinted_sites, container.clock)


Pairings = Annotated[DevicePairings, Depends(_pairings)]
AccountDesk = Annotated[VintedAccountDesk, Depends(_account_desk)]
