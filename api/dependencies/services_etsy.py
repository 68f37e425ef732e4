"""The Etsy room's services, for its routes."""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import Depends

from api.dependencies.container import Container, TheContainer
from services.selling.etsy.access import EtsyAccess
from services.selling.etsy.account import EtsyAccountDesk
from services.selling.etsy.choices import EtsyChoices
from services.selling.etsy.connecting import EtsyConnecting
from services.selling.etsy.preflight import EtsyPreflight
from services.selling.quotas.ledger import QuotaState
from shared.database import TenantSchema


async def _connecting(container: TheContainer) -> EtsyConnecting:
    return EtsyConnecting(container.database, container.etsy, container.secret_box, container.clock)


async def _account_desk(container: TheContainer) -> EtsyAccountDesk:
    return EtsyAccountDesk(container.database, container.etsy, _access(container), container.clock)


async def _choices(container: TheContainer) -> EtsyChoices:
    return EtsyChoices(container.database, container.etsy, _access(container), EtsyPreflight())


async def _calls(container: TheContainer) -> Callable[[TenantSchema], Sequence[QuotaState]]:
    return container.etsy_calls


def _access(container: Container) -> EtsyAccess:
    return EtsyAccess(
        container.database, container.etsy.oauth, container.secret_box, container.clock
    )


Connecting = Annotated[EtsyConnecting, Depends(_connecting)]
AccountDesk = Annotated[EtsyAccountDesk, Depends(_account_desk)]
Choices = Annotated[EtsyChoices, Depends(_choices)]
Calls = Annotated[Callable[[TenantSchema], Sequence[QuotaState]], Depends(_calls)]
