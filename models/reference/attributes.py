"""Our catalogues: categories, conditions, departments, and the words that mean them."""

import re
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import PlatformBase
from shared.text import fold

SCHEMA = "product_attributes"

_DASHES = re.compile("[-_\u2013\u2014]")


def word_key(text: str) -> str:
    """The form in which words of sellers are compared: lower case, dashes are spaces.

    `Used - Good`, `used_good` and `USED GOOD` are one word.
    """
    return fold(_DASHES.sub(" ", text))


def category_and_ancestors(code: str) -> tuple[str, ...]:
    """A category's code and those above it, nearest first: `aa-1-4` gives aa-1-4, aa-1, aa."""
    parts = code.split("-")
    return tuple("-".join(parts[:depth]) for depth in range(len(parts), 0, -1))


class Category(PlatformBase):
    """A node of the category tree that our products are filed under."""

    __tablename__ = "categories"
    __table_args__ = (
        Index("uq_categories_path_key", "path_key", unique=True),
        {"schema": SCHEMA},
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    """Path of numbers, such as `aa-1-13-8`; its ancestors are its prefixes."""
    parent_code: Mapped[str | None]
    level: Mapped[int]
    """0 for a root."""
    name: Mapped[str]
    full_path: Mapped[str]
    """Names from the root down, joined by ` > `."""
    path_key: Mapped[str]
    """`full_path` as `word_key`."""
    google_category_id: Mapped[int | None]
    is_leaf: Mapped[bool]


class Condition(PlatformBase):
    """A grade of wear."""

    __tablename__ = "conditions"
    __table_args__ = {"schema": SCHEMA}

    code: Mapped[str] = mapped_column(primary_key=True)
    name_en: Mapped[str]
    name_fr: Mapped[str]
    description: Mapped[str]
    rank: Mapped[int]
    """1 is best."""


class Department(PlatformBase):
    """Whom a garment is made for."""

    __tablename__ = "departments"
    __table_args__ = {"schema": SCHEMA}

    code: Mapped[str] = mapped_column(primary_key=True)
    name_en: Mapped[str]
    name_fr: Mapped[str]


class ValueAlias(PlatformBase):
    """A word met in files of sellers and the one value it means.

    `attribute` is `category`, `condition`, `department` or a product attribute such as `color`;
    under `attribute` itself stand the names that columns and options give to our attributes.
    """

    __tablename__ = "value_aliases"
    __table_args__ = {"schema": SCHEMA}

    attribute: Mapped[str] = mapped_column(primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    """As `word_key`."""
    code: Mapped[str]


class LoadedFile(PlatformBase):
    """Which version of a data file the catalogues hold."""

    __tablename__ = "loaded_files"
    __table_args__ = {"schema": SCHEMA}

    name: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[str]
    row_count: Mapped[int] = mapped_column(BigInteger)
    loaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
