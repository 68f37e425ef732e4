"""The reference wing's services, for its routes."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends

from api.dependencies.sessions import Platform
from models.reference.marketplace_mappings import Platform as Marketplace
from repositories.reference.attributes import CatalogueSearchRepository
from services.reference.attributes.browsing import CatalogueBrowsing
from services.reference.marketplace_mappings.places import PlatformMapping


async def _browsing(session: Platform) -> CatalogueBrowsing:
    return CatalogueBrowsing(CatalogueSearchRepository(session))


async def _mappings(session: Platform) -> Sequence[PlatformMapping]:
    return [PlatformMapping.on(session, each) for each in Marketplace]


Browsing = Annotated[CatalogueBrowsing, Depends(_browsing, scope="function")]
Mappings = Annotated[Sequence[PlatformMapping], Depends(_mappings, scope="function")]
