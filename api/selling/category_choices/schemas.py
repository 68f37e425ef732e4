"""A shop's own places for categories, as the API takes and shows them."""

from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from models.reference.marketplace_mappings import PlatformNode
from models.selling.category_choices import CategoryChoice
from models.selling.publishing import Channel
from shared.text import one_line


class CategoryChoiceIn(BaseModel):
    """Where a category belongs on a channel."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"department": "men", "category_id": "2661"}]},
    )

    department: Annotated[str, AfterValidator(one_line)] | None = Field(
        default=None, max_length=40, description="For whom; null: for anybody else."
    )
    category_id: str = Field(
        pattern=r"^[0-9]{1,12}$", description="The channel's own id, of a category it lists in."
    )


class CategoryChoiceOut(BaseModel):
    """A place that the shop chose; it goes before the mapping that ships."""

    channel: Channel
    site: str | None = Field(description="eBay's site, such as EBAY_FR, whose category it is.")
    category: str
    department: str | None
    category_id: str
    path: str = Field(description="As the channel calls it, where that is known.")
    chosen_at: AwareDatetime

    @classmethod
    def of(cls, choice: CategoryChoice) -> Self:
        """Show a choice."""
        return cls(
            channel=choice.channel,
            site=choice.site or None,
            category=choice.category_code,
            department=choice.department or None,
            category_id=choice.remote_id,
            path=choice.remote_path,
            chosen_at=choice.chosen_at,
        )


class ChannelCategoryOut(BaseModel):
    """A category of a channel that can be chosen."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"category_id": "2661", "path": "Men > Shoes > Boots > Chelsea & slip-on boots"}
            ]
        }
    )

    category_id: str
    path: str

    @classmethod
    def of(cls, node: PlatformNode) -> Self:
        """Show a category."""
        return cls(category_id=node.remote_id, path=node.path)


class ChannelCategoriesOut(BaseModel):
    """Categories of a channel, by path."""

    items: list[ChannelCategoryOut]


class CategoryChoicesOut(BaseModel):
    """Every choice of the shop."""

    items: list[CategoryChoiceOut]
