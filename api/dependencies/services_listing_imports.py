"""The services of imports from channels, for their routes."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends

from api.dependencies.container import TheContainer
from models.selling.publishing import Channel
from services.selling.ebay.importing import EbayImportBooks
from services.selling.etsy.importing import EtsyImportBooks
from services.selling.listing_imports.deciding import ImportDecisions
from services.selling.listing_imports.reading import ImportReading
from services.selling.listing_imports.starting import ListingImports
from services.selling.listing_imports.told import ImportBooks

BOOKS: Mapping[Channel, ImportBooks] = {
    Channel.EBAY: EbayImportBooks(),
    Channel.ETSY: EtsyImportBooks(),
}
"""The channels whose listings can be imported."""


async def _imports(container: TheContainer) -> ListingImports:
    lets_us_in = {
        each.channel: each.lets_us_in for each in container.polled if each.channel in BOOKS
    }
    return ListingImports(lets_us_in, container.clock)


async def _reading() -> ImportReading:
    return ImportReading()


async def _decisions(container: TheContainer) -> ImportDecisions:
    return ImportDecisions(BOOKS, container.clock)


Imports = Annotated[ListingImports, Depends(_imports)]
Reading = Annotated[ImportReading, Depends(_reading)]
Decisions = Annotated[ImportDecisions, Depends(_decisions)]
