"""Catalogues as the API shows them."""

from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from models.reference.attributes import AttributeValue, Category
from models.reference.marketplace_mappings import PlatformCategory
from repositories.reference.attributes import TableSummary

Language = Annotated[
    Literal["en", "fr", "de", "es", "it", "nl", "pl", "pt"],
    Query(description="Of the names; English where a source has none."),
]


class AttributeTableOut(BaseModel):
    """An attribute table."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "colors",
                    "title": "Couleur",
                    "values": 31,
                    "source": "Shopify open product taxonomy; colours and materials of Vinted",
                    "licence": "MIT",
                }
            ]
        }
    )

    name: str
    title: str = Field(description="In French for `lang=fr`, else in English.")
    values: int
    source: str
    licence: str

    @classmethod
    def of(cls, found: TableSummary, language: str) -> Self:
        """Show a table."""
        table = found.table
        return cls(
            name=table.name,
            title=table.title_fr if language == "fr" else table.title_en,
            values=found.values,
            source=table.source,
            licence=table.licence,
        )


class AttributeTablesOut(BaseModel):
    """Every attribute table, by name."""

    items: list[AttributeTableOut]


class AttributeValueOut(BaseModel):
    """A value of an attribute table."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"code": "navy", "name": "Marine", "group": None, "source_id": "15"}]
        }
    )

    code: str = Field(description="Never changes its meaning.")
    name: str
    group: str | None = Field(description="The size group that a size is of.")
    source_id: str | None = Field(description="The id at the table's source.")

    @classmethod
    def of(cls, value: AttributeValue, language: str) -> Self:
        """Show a value."""
        return cls(
            code=value.code,
            name=value.name_in(language),
            group=value.group_code,
            source_id=value.source_id,
        )


class AttributeValuesOut(BaseModel):
    """Values, best first."""

    items: list[AttributeValueOut]


class CategoryOut(BaseModel):
    """A category of the tree that products are filed under."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "aa-1-4",
                    "name": "Robes",
                    "path": "Apparel & Accessories > Clothing > Dresses",
                    "parent": "aa-1",
                    "is_leaf": True,
                }
            ]
        }
    )

    code: str
    name: str
    path: str = Field(description="English names from the root down.")
    parent: str | None
    is_leaf: bool

    @classmethod
    def of(cls, category: Category, language: str) -> Self:
        """Show a category."""
        return cls(
            code=category.code,
            name=category.name_in(language),
            path=category.full_path,
            parent=category.parent_code,
            is_leaf=category.is_leaf,
        )


class CategoriesOut(BaseModel):
    """Categories: children by name, or what was found, best first."""

    items: list[CategoryOut]


class PlaceOut(BaseModel):
    """Where a marketplace keeps a category."""

    platform: str = Field(examples=["ebay_us"])
    department: str | None = Field(description="For whom; null: for anybody.")
    category_id: str
    path: str

    @classmethod
    def of(cls, row: PlatformCategory) -> Self:
        """Show a place."""
        return cls(
            platform=row.platform,
            department=row.department or None,
            category_id=row.remote_id,
            path=row.remote_path,
        )


class CategoryPlacesOut(CategoryOut):
    """A category and its places; a marketplace or department without one is not mapped."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "aa-1-4",
                    "name": "Dresses",
                    "path": "Apparel & Accessories > Clothing > Dresses",
                    "parent": "aa-1",
                    "is_leaf": True,
                    "places": [
                        {
                            "platform": "etsy",
                            "department": "women",
                            "category_id": "505",
                            "path": "Clothing > Women's Clothing > Dresses",
                        }
                    ],
                }
            ]
        }
    )

    places: list[PlaceOut]
