"""How marketplaces call our categories and values, and what eBay asks of a category.

All tables but the last three are filled from files checked by hand. The last three are a cache of
eBay's own answers and are filled from eBay alone.
"""

from datetime import date
from enum import StrEnum

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Moment, PlatformBase
from models.reference.attributes import SCHEMA


class Platform(StrEnum):
    """A site of a marketplace whose ids our values are mapped to."""

    EBAY_US = "ebay_us"
    ETSY = "etsy"
    VINTED = "vinted"

    @property
    def spoken(self) -> str:
        """As sellers call it."""
        return {"ebay_us": "eBay", "etsy": "Etsy", "vinted": "Vinted"}[self.value]


class PlatformMappingVersion(PlatformBase):
    """Which version of the mapping to a marketplace is in use."""

    __tablename__ = "platform_mappings"
    __table_args__ = {"schema": SCHEMA}

    platform: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    """Grows whenever a row of the mapping changes its meaning."""
    checked_on: Mapped[date]
    """When its rows were last gone through by hand."""
    tree: Mapped[str]
    """The tree of categories that it was checked against."""
    leaves_only: Mapped[bool]
    """Whether the marketplace lists in leaves alone."""


class PlatformCategory(PlatformBase):
    """A marketplace's category for one of ours, for one department or for all."""

    __tablename__ = "platform_categories"
    __table_args__ = (
        Index("ix_platform_categories_platform_remote_id", "platform", "remote_id"),
        {"schema": SCHEMA},
    )

    platform: Mapped[str] = mapped_column(primary_key=True)
    category_code: Mapped[str] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)
    """A department's code; empty where the marketplace does not tell them apart."""
    remote_id: Mapped[str]
    remote_path: Mapped[str]
    with_children: Mapped[bool]
    """Whether the row speaks for the categories below as well."""


class PlatformNode(PlatformBase):
    """A category of a marketplace itself; of eBay none, since eBay is asked."""

    __tablename__ = "platform_nodes"
    __table_args__ = {"schema": SCHEMA}

    platform: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    is_leaf: Mapped[bool]


class PlatformValue(PlatformBase):
    """A marketplace's value for one of ours."""

    __tablename__ = "platform_values"
    __table_args__ = {"schema": SCHEMA}

    platform: Mapped[str] = mapped_column(primary_key=True)
    attribute: Mapped[str] = mapped_column(primary_key=True)
    """`condition`, `color`, `material`, `size`, `brand` or `decade`."""
    scope: Mapped[str] = mapped_column(primary_key=True)
    """A size's size group; empty where one answer holds everywhere."""
    code: Mapped[str] = mapped_column(primary_key=True)
    """Our code; of a brand its name, folded."""
    remote_id: Mapped[str]
    remote_name: Mapped[str]


class CategoryAudience(PlatformBase):
    """For whom a category and those below it exist: what a mapping has to cover."""

    __tablename__ = "category_audiences"
    __table_args__ = {"schema": SCHEMA}

    category_code: Mapped[str] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)


class EbayCondition(PlatformBase):
    """eBay conditions that truthfully say one of ours, best first."""

    __tablename__ = "ebay_conditions"
    __table_args__ = {"schema": SCHEMA}

    condition_code: Mapped[str] = mapped_column(primary_key=True)
    preference: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """1 is tried first."""
    ebay_condition_id: Mapped[int]
    inventory_api_enum: Mapped[str]
    """The same condition as the Inventory API spells it, such as `USED_EXCELLENT`."""


class EbayAspect(PlatformBase):
    """Which of our attributes feeds which item specific."""

    __tablename__ = "ebay_aspects"
    __table_args__ = {"schema": SCHEMA}

    attribute: Mapped[str] = mapped_column(primary_key=True)
    aspect_name: Mapped[str] = mapped_column(primary_key=True)
    preference: Mapped[int]
    """1 is asked first; the first attribute that has a value is used."""


class EbayAspectValue(PlatformBase):
    """eBay's word for a value of ours."""

    __tablename__ = "ebay_aspect_values"
    __table_args__ = {"schema": SCHEMA}

    attribute: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    """As `word_key`."""
    value: Mapped[str]


class EbayImpliedAspect(PlatformBase):
    """What an item is by being in a category: a beanie's style is Beanie."""

    __tablename__ = "ebay_implied_aspects"
    __table_args__ = {"schema": SCHEMA}

    category_code: Mapped[str] = mapped_column(primary_key=True)
    aspect_name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class EbayCategoryRefresh(PlatformBase):
    """When eBay was last asked about a category of one of its sites."""

    __tablename__ = "ebay_category_refreshes"
    __table_args__ = {"schema": SCHEMA}

    marketplace_id: Mapped[str] = mapped_column(primary_key=True)
    """Such as `EBAY_FR`: each site has categories, numbers and words of its own."""
    category_id: Mapped[str] = mapped_column(primary_key=True)
    fetched_at: Mapped[Moment]


class EbayCategoryAspect(PlatformBase):
    """An item specific that eBay knows in a category, as eBay said it."""

    __tablename__ = "ebay_category_aspects"
    __table_args__ = {"schema": SCHEMA}

    marketplace_id: Mapped[str] = mapped_column(primary_key=True)
    category_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    required: Mapped[bool]
    mode: Mapped[str]
    """`FREE_TEXT` or `SELECTION_ONLY`."""
    cardinality: Mapped[str]
    """`SINGLE` or `MULTI`."""
    values: Mapped[list[str]] = mapped_column(JSONB)
    """eBay's own words; suggestions only under `FREE_TEXT`."""
    enabled_for_variations: Mapped[bool]
    max_length: Mapped[int | None]
    """Characters a value may have, where eBay says so."""
    fetched_at: Mapped[Moment]


class EbayCategoryCondition(PlatformBase):
    """A condition that eBay accepts in a category."""

    __tablename__ = "ebay_category_conditions"
    __table_args__ = {"schema": SCHEMA}

    marketplace_id: Mapped[str] = mapped_column(primary_key=True)
    category_id: Mapped[str] = mapped_column(primary_key=True)
    condition_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    fetched_at: Mapped[Moment]
