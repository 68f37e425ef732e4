"""Our catalogues: categories, conditions, departments, attribute tables, and words for them."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import PlatformBase
from shared.text import fold

SCHEMA = "product_attributes"

CATEGORIES = "categories"
"""What search keys of categories are filed under."""

LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pl", "pt")
"""Languages that names can be in. English is always there; others where their source has them."""

_NO_WORD = re.compile(r"[^\w]|_")
_DASHES = re.compile("[-_\u2013\u2014]")


def word_key(text: str) -> str:
    """The form in which words of sellers are compared: lower case, dashes are spaces.

    `Used - Good`, `used_good` and `USED GOOD` are one word.
    """
    return fold(_DASHES.sub(" ", text))


def search_key(text: str) -> str:
    """The form in which names are searched: words alone, without case, accents and punctuation.

    `Levi's Été` and `levi s ete` are one key.
    """
    letters = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L"))
    plain = "".join(each for each in letters if not unicodedata.combining(each))
    return " ".join(_NO_WORD.sub(" ", plain.casefold()).split())


def category_and_ancestors(code: str) -> tuple[str, ...]:
    """A category's code and those above it, nearest first: `aa-1-4` gives aa-1-4, aa-1, aa."""
    parts = code.split("-")
    return tuple("-".join(parts[:depth]) for depth in range(len(parts), 0, -1))


class Translated:
    """Names beside the English one, where the source has them."""

    name_fr: Mapped[str | None]
    name_de: Mapped[str | None]
    name_es: Mapped[str | None]
    name_it: Mapped[str | None]
    name_nl: Mapped[str | None]
    name_pl: Mapped[str | None]
    name_pt: Mapped[str | None]

    def name_in(self, language: str) -> str:
        """The name in one of `LANGUAGES`, or in English where the source has none."""
        names: dict[str, str | None] = {each: getattr(self, f"name_{each}") for each in LANGUAGES}
        return names[language] or names["en"] or ""


class Category(Translated, PlatformBase):
    """A node of the category tree that our products are filed under."""

    __tablename__ = "categories"
    __table_args__ = (
        Index("uq_categories_path_key", "path_key", unique=True),
        Index("ix_categories_parent_code", "parent_code"),
        {"schema": SCHEMA},
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    """Path of numbers, such as `aa-1-13-8`; its ancestors are its prefixes."""
    parent_code: Mapped[str | None]
    level: Mapped[int]
    """0 for a root."""
    name_en: Mapped[str]
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


class AttributeValue(Translated, PlatformBase):
    """A value of an attribute, such as a colour or a brand: one shape for all tables."""

    __abstract__ = True

    code: Mapped[str] = mapped_column(primary_key=True)
    name_en: Mapped[str]
    position: Mapped[int]
    """Its place in the source, from 1."""
    group_code: Mapped[str | None]
    """What it belongs to inside the table: a size's size group."""
    source_id: Mapped[str | None]
    """The source's own id, see the table's row in `attribute_tables`."""


VALUE_TABLE_NAMES = (
    "accessory_sizes",
    "activewear_features",
    "activities",
    "age_groups",
    "alpha_sizes",
    "bag_closures",
    "bag_features",
    "bag_materials",
    "boot_styles",
    "bra_closures",
    "bra_coverages",
    "bra_straps",
    "brands",
    "care_instructions",
    "carry_options",
    "closures",
    "clothing_features",
    "colors",
    "costume_themes",
    "cup_sizes",
    "decades",
    "dress_occasions",
    "dress_styles",
    "fits",
    "footwear_materials",
    "genders",
    "headwear_features",
    "heel_heights",
    "intimate_apparel_features",
    "jewelry_materials",
    "jewelry_types",
    "materials",
    "maternity_features",
    "necklines",
    "occasion_styles",
    "one_piece_styles",
    "origins",
    "outerwear_features",
    "pants_lengths",
    "patterns",
    "ring_sizes",
    "scarf_styles",
    "seasons",
    "shoe_features",
    "shoe_fits",
    "shoe_sizes",
    "size_groups",
    "size_types",
    "sizes",
    "skirt_dress_lengths",
    "skirt_styles",
    "sleeve_lengths",
    "swimwear_features",
    "toe_styles",
    "top_lengths",
    "underwear_styles",
    "waist_rises",
)


def _value_table(name: str) -> type[AttributeValue]:
    columns = {"__tablename__": name, "__table_args__": {"schema": SCHEMA}, "__module__": __name__}
    return type("".join(map(str.capitalize, name.split("_"))), (AttributeValue,), columns)


VALUE_TABLES: Mapping[str, type[AttributeValue]] = {
    name: _value_table(name) for name in VALUE_TABLE_NAMES
}
"""The attribute tables by name; each is filled from the file of its name in `data/values`."""


class AttributeTable(PlatformBase):
    """Which attribute table there is, what it is called, and whom it is owed to."""

    __tablename__ = "attribute_tables"
    __table_args__ = {"schema": SCHEMA}

    name: Mapped[str] = mapped_column(primary_key=True)
    title_en: Mapped[str]
    title_fr: Mapped[str]
    source: Mapped[str]
    licence: Mapped[str]


class SearchKey(PlatformBase):
    """A name, or its end from one of its words on, by which a value or a category is found.

    Ordered by bytes, so that a prefix is a range of the primary key.
    """

    __tablename__ = "search_keys"
    __table_args__ = {"schema": SCHEMA}

    attribute: Mapped[str] = mapped_column(primary_key=True)
    """An attribute table's name, or `categories`."""
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    """As `search_key`."""
    code: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int]
    """0 where the key is a whole name, 1 where it begins at a later word."""
