"""How eBay calls our categories, conditions and attributes, and what it asks of a category.

The first five tables are filled from files checked by hand. The last three are a cache of eBay's
own answers and are filled from eBay alone.
"""

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Moment, PlatformBase
from models.reference.attributes import SCHEMA


class EbayCategory(PlatformBase):
    """The eBay US category of one of ours, for one department or for all."""

    __tablename__ = "ebay_categories"
    __table_args__ = (
        Index("ix_ebay_categories_ebay_category_id", "ebay_category_id"),
        {"schema": SCHEMA},
    )

    category_code: Mapped[str] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)
    """A department's code; empty where eBay does not tell them apart."""
    ebay_category_id: Mapped[str]
    ebay_path: Mapped[str]
    with_children: Mapped[bool]
    """Whether the row speaks for the categories below as well."""


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
    """When eBay was last asked about a category."""

    __tablename__ = "ebay_category_refreshes"
    __table_args__ = {"schema": SCHEMA}

    category_id: Mapped[str] = mapped_column(primary_key=True)
    fetched_at: Mapped[Moment]


class EbayCategoryAspect(PlatformBase):
    """An item specific that eBay knows in a category, as eBay said it."""

    __tablename__ = "ebay_category_aspects"
    __table_args__ = {"schema": SCHEMA}

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

    category_id: Mapped[str] = mapped_column(primary_key=True)
    condition_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    fetched_at: Mapped[Moment]
