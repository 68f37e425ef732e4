"""What goes in and out of the Etsy routes."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.channel_shapes import GapOut
from models.selling.etsy import EtsyAccountStatus
from services.gateways.etsy.shop import TaxonomyNode, TaxonomyProperty
from services.selling.etsy.account import WHEN_MADE, EtsyAccountView
from services.selling.etsy.choices import EtsyProductView
from services.selling.etsy.readiness import KINDS, chosen, profiles_of
from services.selling.etsy.rules import usable_tags
from shared.text import one_line

EtsyId = Annotated[int, Field(gt=0, lt=2**53)]
Words = Annotated[str, AfterValidator(one_line)]
PropertyValue = Annotated[Words, Field(min_length=1, max_length=100)]
WhoMade = Literal["i_did", "someone_else", "collective"]
WhenMade = Annotated[
    str, Field(pattern=f"^({WHEN_MADE.pattern})$", max_length=20, examples=["2020_2026", "1990s"])
]


class ProfileOut(BaseModel):
    """A delivery profile, return policy or processing profile of the shop."""

    id: int
    name: str
    chosen: bool = Field(description="Whether listings use it.")


class EtsyChannelOut(BaseModel):
    """The Etsy account of the shop."""

    status: EtsyAccountStatus | Literal["not_connected"]
    ready: bool = Field(description="Whether products can be listed.")
    missing: list[GapOut]
    shop_name: str | None = None
    shop_id: int | None = None
    currency: str | None = None
    scopes: list[str] = []
    profiles: dict[str, list[ProfileOut]] = {}
    who_made: str | None = None
    when_made: str | None = None
    is_supply: bool | None = None
    connected_at: datetime | None = None
    checked_at: datetime | None = None
    refresh_expires_at: datetime | None = Field(
        default=None,
        description="When the seller must agree anew, unless something is sold before.",
    )

    @classmethod
    def of(cls, view: EtsyAccountView) -> Self:
        """Show an account."""
        account, missing = view.account, GapOut.all_of(view.gaps)
        if account is None:
            return cls(status="not_connected", ready=False, missing=missing)
        return cls(
            status=account.status,
            ready=view.ready,
            missing=missing,
            shop_name=account.shop_name,
            shop_id=account.remote_shop_id,
            currency=account.readiness.get("currency"),
            scopes=account.scopes,
            profiles={
                kind: [
                    ProfileOut(
                        id=profile.id, name=profile.name, chosen=profile.id == chosen(account, kind)
                    )
                    for profile in profiles_of(account, kind)
                ]
                for kind in KINDS
            },
            who_made=account.choices.get("who_made"),
            when_made=account.choices.get("when_made"),
            is_supply=account.choices.get("is_supply"),
            connected_at=account.connected_at,
            checked_at=account.checked_at,
            refresh_expires_at=account.refresh_expires_at,
        )


class TermsIn(BaseModel):
    """What listings use, unless a product says otherwise; replaces what was chosen before.

    Etsy asks for every listing who made the thing and when. Nothing is assumed: what is neither
    chosen here nor for the product is missing.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"who_made": "someone_else", "when_made": "1990s", "is_supply": False}]
        },
    )

    shipping_profile_id: EtsyId | None = Field(
        default=None, description="Of the shop's own; null: its first."
    )
    return_policy_id: EtsyId | None = None
    processing_profile_id: EtsyId | None = None
    who_made: WhoMade | None = None
    when_made: WhenMade | None = None
    is_supply: bool | None = None

    def choices(self) -> dict[str, Any]:
        """As the account keeps them."""
        return {
            "shipping_profile": self.shipping_profile_id,
            "return_policy": self.return_policy_id,
            "processing_profile": self.processing_profile_id,
            "who_made": self.who_made,
            "when_made": self.when_made,
            "is_supply": self.is_supply,
        }


class PropertyIn(BaseModel):
    """Something said of a listing as a whole, in Etsy's own ids."""

    model_config = ConfigDict(extra="forbid")

    property_id: EtsyId
    value_ids: list[EtsyId] = Field(min_length=1, max_length=30)
    values: list[PropertyValue] = Field(min_length=1, max_length=30)


class EtsyChoiceIn(BaseModel):
    """What to decide for Etsy alone; replaces what was chosen before."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"taxonomy_id": 482, "when_made": "1990s"}]},
    )

    taxonomy_id: EtsyId | None = Field(default=None, description="Etsy's category.")
    who_made: WhoMade | None = Field(default=None, description="Null: as in the channel's terms.")
    when_made: WhenMade | None = None
    is_supply: bool | None = None
    properties: list[PropertyIn] = Field(default=[], max_length=30)

    def values(self) -> dict[str, Any]:
        """As the choice keeps them."""
        return self.model_dump()


class EtsyProductOut(BaseModel):
    """A product as it would go to Etsy."""

    product_id: int
    ready: bool = Field(description="Whether it can be published now.")
    missing: list[GapOut]
    left_out: list[GapOut] = Field(description="Tags that Etsy would not take.")
    advice: list[GapOut] = Field(
        description="What would serve the listing better; it can be sent as it is."
    )
    taxonomy_id: int | None
    taxonomy_path: str | None = Field(description="Null where the seller chose the category.")
    who_made: str | None
    when_made: str | None
    is_supply: bool | None
    properties: list[dict[str, Any]]
    tags: list[str]

    @classmethod
    def of(cls, view: EtsyProductView) -> Self:
        """Show a product."""
        examined, facts = view.examined, view.examined.facts
        return cls(
            product_id=examined.product.id,
            ready=not examined.gaps,
            missing=GapOut.all_of(examined.gaps),
            left_out=GapOut.all_of(examined.hints),
            advice=GapOut.all_of(examined.advice),
            taxonomy_id=facts.taxonomy_id,
            taxonomy_path=facts.taxonomy_path,
            who_made=facts.who_made,
            when_made=facts.when_made,
            is_supply=facts.is_supply,
            properties=view.choice.properties if view.choice else [],
            tags=usable_tags(examined.product.tags),
        )


class TaxonomyOut(BaseModel):
    """A category of Etsy's."""

    taxonomy_id: int
    path: list[str]

    @classmethod
    def of(cls, node: TaxonomyNode) -> Self:
        """Show a category."""
        return cls(taxonomy_id=node.id, path=list(node.path))


class PropertyValueOut(BaseModel):
    """A value that Etsy knows."""

    id: int
    name: str


class TaxonomyPropertyOut(BaseModel):
    """What can be said of a listing in a category."""

    property_id: int
    name: str
    required: bool
    values: list[PropertyValueOut]

    @classmethod
    def of(cls, found: TaxonomyProperty) -> Self:
        """Show a property."""
        return cls(
            property_id=found.id,
            name=found.name,
            required=found.required,
            values=[PropertyValueOut(id=number, name=name) for number, name in found.values],
        )


class EtsyConnectedOut(BaseModel):
    """What came of a consent."""

    connected: bool
    channel: EtsyChannelOut
