"""The category choices room's service, for its routes."""

from typing import Annotated

from fastapi import Depends

from api.dependencies.container import TheContainer
from models.reference.marketplace_mappings import Platform
from models.selling.publishing import Channel
from services.selling.category_choices.choosing import (
    CategoryChoices,
    Check,
    EbayCheck,
    NodeCheck,
)


async def _choosing(container: TheContainer) -> CategoryChoices:
    database = container.database
    checks: dict[Channel, Check] = {
        Channel.EBAY: EbayCheck(database, container.ebay.public, container.clock),
        Channel.ETSY: NodeCheck(database, Platform.ETSY),
        Channel.VINTED: NodeCheck(database, Platform.VINTED),
    }
    return CategoryChoices(database, checks, container.clock)


Choosing = Annotated[CategoryChoices, Depends(_choosing)]
