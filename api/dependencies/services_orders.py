"""The orders room's services, for its routes."""

from typing import Annotated

from fastapi import Depends

from services.selling.orders.reading import OrderReading


async def _reading() -> OrderReading:
    return OrderReading()


Reading = Annotated[OrderReading, Depends(_reading)]
