"""What goes in and out of the eBay routes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from api.channel_shapes import GapOut
from models.selling.ebay import ConnectionStatus
from services.gateways.ebay.inventory import Address
from services.gateways.ebay.taxonomy import CategorySuggestion
from services.selling.ebay.account import EbayAccountView
from services.selling.ebay.choices import EbayProductView
from shared.text import one_line, without_control_characters


def _clean(text: str) -> str:
    if without_control_characters(text) != text:
        raise ValueError("control characters are not allowed")
    cleaned = one_line(text)
    if not cleaned:
        raise ValueError("must not be blank")
    return cleaned


Words = Annotated[str, AfterValidator(_clean)]
AspectName = Annotated[Words, Field(min_length=1, max_length=65)]
AspectValue = Annotated[Words, Field(min_length=1, max_length=65)]
EbayCategoryId = Annotated[str, Field(pattern=r"^[0-9]{1,12}$")]


class PolicyOut(BaseModel):
    """A business policy that listings use."""

    id: str
    name: str


class LocationOut(BaseModel):
    """Where goods are sent from."""

    key: str
    name: str | None
    country: str | None
    postal_code: str | None
    city: str | None


class EbayChannelOut(BaseModel):
    """The eBay account of the shop."""

    status: ConnectionStatus | Literal["not_connected"]
    ready: bool = Field(description="Whether products can be listed.")
    missing: list[GapOut]
    username: str | None = None
    marketplace_id: str | None = Field(default=None, description="The site that is sold on.")
    scopes: list[str] = []
    uses_policies: bool | None = None
    policies: dict[str, PolicyOut] = {}
    location: LocationOut | None = None
    connected_at: datetime | None = None
    checked_at: datetime | None = Field(default=None, description="When eBay was last asked.")

    @classmethod
    def of(cls, view: EbayAccountView) -> Self:
        """Show the account."""
        missing = GapOut.all_of(view.gaps)
        connection = view.account
        if connection is None:
            return cls(status="not_connected", ready=False, missing=missing)
        told: Mapping[str, Any] = connection.readiness
        return cls(
            status=connection.status,
            ready=view.ready,
            missing=missing,
            username=connection.username,
            marketplace_id=connection.marketplace_id,
            scopes=connection.scopes,
            uses_policies=told.get("uses_policies"),
            policies=told.get("policies", {}),
            location=told.get("location"),
            connected_at=connection.connected_at,
            checked_at=connection.checked_at,
        )


MarketplaceId = Annotated[
    str,
    Field(
        max_length=32,
        description="eBay's id of a site: EBAY_US, EBAY_GB, EBAY_FR, EBAY_DE and more.",
        examples=["EBAY_FR"],
    ),
]


class SiteIn(BaseModel):
    """Where to sell."""

    model_config = ConfigDict(extra="forbid")

    marketplace_id: MarketplaceId


class ConnectIn(BaseModel):
    """How to connect."""

    model_config = ConfigDict(extra="forbid")

    marketplace_id: MarketplaceId | None = None


class CheckIn(BaseModel):
    """How to check the account."""

    model_config = ConfigDict(extra="forbid")

    opt_in: bool = Field(
        default=False, description="Switch on business policies first; eBay may take a day."
    )


class LocationIn(BaseModel):
    """Where goods are sent from: a postal code, or a city and its state."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Home", "country": "US", "postal_code": "94103"}]},
    )

    name: Annotated[Words, Field(max_length=100)] = "Home"
    country: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1, two letters.")
    postal_code: Annotated[Words, Field(max_length=16)] | None = None
    city: Annotated[Words, Field(max_length=128)] | None = None
    state: Annotated[Words, Field(max_length=128)] | None = None
    address_line1: Annotated[Words, Field(max_length=128)] | None = None

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.postal_code is None and (self.city is None or self.state is None):
            raise ValueError("give postal_code, or city and state")
        return self

    def address(self) -> Address:
        """The address in it."""
        return Address(self.country, self.postal_code, self.city, self.state, self.address_line1)


class ChoiceIn(BaseModel):
    """What to decide for eBay alone; replaces what was chosen before."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"category_id": "15687", "aspects": {"Sleeve Length": ["Short Sleeve"]}}]
        },
    )

    category_id: EbayCategoryId | None = Field(
        default=None, description="eBay's id; null leaves it to the mapping of our category."
    )
    aspects: dict[AspectName, Annotated[list[AspectValue], Field(min_length=1, max_length=30)]] = (
        Field(default={}, max_length=60, description="Item specifics by eBay's own name.")
    )


class EbayProductOut(BaseModel):
    """A product as it would go to eBay."""

    product_id: int
    chosen_category_id: str | None
    chosen_aspects: dict[str, list[str]]
    ready: bool = Field(description="Whether it can be published now.")
    missing: list[GapOut]
    left_out: list[GapOut] = Field(description="Item specifics that eBay would not take.")
    advice: list[GapOut] = Field(
        description="What would serve the listing better; it can be sent as it is."
    )
    category_id: str | None
    category_path: str | None
    condition: str | None
    aspects: dict[str, list[str]]
    variant_aspects: list[dict[str, str]]
    asks_ebay_first: bool = Field(
        description="eBay has not been asked yet what this category needs; a publish asks."
    )

    @classmethod
    def of(cls, view: EbayProductView) -> Self:
        """Show a product."""
        found, choice = view.examined.resolution, view.choice
        return cls(
            product_id=view.examined.product.id,
            chosen_category_id=choice.category_id if choice else None,
            chosen_aspects=choice.aspects if choice else {},
            ready=not view.examined.gaps,
            missing=GapOut.all_of(view.examined.gaps),
            left_out=GapOut.all_of(view.examined.hints),
            advice=GapOut.all_of(view.examined.advice),
            category_id=found.category_id,
            category_path=found.category_path,
            condition=found.condition_enum,
            aspects={name: list(values) for name, values in found.aspects.items()},
            variant_aspects=[dict(each) for each in found.variant_aspects],
            asks_ebay_first=view.examined.category_to_learn is not None,
        )


class SuggestionOut(BaseModel):
    """A category of eBay's."""

    category_id: str
    path: list[str]

    @classmethod
    def of(cls, suggestion: CategorySuggestion) -> Self:
        """Show a suggestion."""
        return cls(category_id=suggestion.category_id, path=list(suggestion.path))


class ConnectedOut(BaseModel):
    """What came of a consent."""

    connected: bool
    channel: EbayChannelOut
