"""The category choices room's service, for its routes."""

from typing import Annotated

from fastapi import Depends

from api.dependencies.container import TheContainer
from models.reference.marketplace_mappings import Platform
from models.selling.publishing import Channel
from services.selling.category_choices.choosing import (
    CategoryChoices,
    EbayTree,
    ShippedTree,
    Tree,
)


async def _choosing(container: TheContainer) -> CategoryChoices:
    database = container.database
    trees: dict[Channel, Tree] = {
        Channel.EBAY: EbayTree(database, container.ebay, container.clock),
        Channel.ETSY: ShippedTree(database, Platform.ETSY),
        Channel.VINTED: ShippedTree(database, Platform.VINTED),
    }
    return CategoryChoices(database, trees, container.clock)


Choosing = Annotated[CategoryChoices, Depends(_choosing)]
