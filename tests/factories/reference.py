"""Catalogues as the product ships them, and products described for the mapping."""

from dataclasses import replace

from models.reference.marketplace_mappings import Platform
from repositories.reference.marketplace_mappings import PlatformMappingRepository
from services.reference.attributes.loading import CatalogueLoading
from services.reference.marketplace_mappings.facts import ProductFacts
from shared.clock import Clock
from shared.database import Database, PlatformSession


def load_catalogues(database: Database, clock: Clock) -> None:
    """Bring the catalogues to the shipped files; they stay when a test's shops are removed."""
    with database.platform() as session:
        CatalogueLoading(clock).load(session)


def mapped_ids(session: PlatformSession) -> list[str]:
    """Every eBay category that a category of ours leads to."""
    return list(PlatformMappingRepository(session, Platform.EBAY_US).mapped_category_ids())


A_SHIRT = ProductFacts(
    category_code="aa-1-13-8",
    condition_code="good",
    department_code="men",
    brand="Patagonia",
    attributes={
        "color": ["Blue"],
        "size": ["M"],
        "size_type": ["Regular"],
        "sleeve_length": ["Short"],
    },
)
"""A man's t-shirt that lacks nothing for eBay US."""


def shirt_without(*attributes: str) -> ProductFacts:
    """The shirt, saying nothing of some attributes."""
    left = {name: words for name, words in A_SHIRT.attributes.items() if name not in attributes}
    return replace(A_SHIRT, attributes=left)


def shirt_with(**attributes: list[str]) -> ProductFacts:
    """The shirt with other or more attributes."""
    return replace(A_SHIRT, attributes={**A_SHIRT.attributes, **attributes})
