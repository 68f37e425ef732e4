"""The orders room's services, for its routes."""

from typing import Annotated

from fastapi import Depends

from api.dependencies.container import TheContainer
from services.selling.orders.reading import OrderReading
from services.selling.orders.returning import OrderReturns
from services.selling.orders.shipping import OrderShipping
from services.selling.orders.syncing import OrderSyncing


async def _reading() -> OrderReading:
    return OrderReading()


async def _syncing(container: TheContainer) -> OrderSyncing:
    return OrderSyncing(container.clock)


async def _shipping(container: TheContainer) -> OrderShipping:
    return OrderShipping(container.clock)


async def _returns(container: TheContainer) -> OrderReturns:
    return OrderReturns(container.work_requests, container.clock)


Reading = Annotated[OrderReading, Depends(_reading)]
Syncing = Annotated[OrderSyncing, Depends(_syncing)]
Shipping = Annotated[OrderShipping, Depends(_shipping)]
Returns = Annotated[OrderReturns, Depends(_returns)]
