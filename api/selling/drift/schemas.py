"""What goes in and out of the drift routes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.selling.catalog.etags import etag, versions_named_by
from api.selling.publishing.preflight_schemas import EstimateOut
from api.selling.publishing.schemas import ProblemOut, ProductId
from models.selling.drift import DriftDecision, Keep
from models.selling.publishing import Channel
from services.selling.drift.mending import Mended, MendedListing, Wish
from services.selling.drift.reading import Drifted
from services.selling.drift.requesting import Comparisons
from services.selling.drift.seen import Difference
from services.selling.publishing.planning import Answer
from shared.errors import PreconditionRequired

Side = str | int | bool | list[int | str] | None

ItemKey = Annotated[str, Field(min_length=1, max_length=100)]

IfMatch = Annotated[
    str | None,
    Field(
        max_length=200,
        description='The product\'s ETag you read, such as `"3"`, or `*`: needed for `theirs`.',
    ),
]


class DifferenceOut(BaseModel):
    """One thing in which a listing differs from our record."""

    key: str
    field: str = Field(description="title, photos, price, quantity, published or status.")
    sku: str | None
    ours: Side = Field(description="Photos of the product by their numbers, in order.")
    live: Side = Field(description="A photo that the product lacks by the channel's own name.")
    can_take: bool = Field(description="Whether `theirs` is possible.")

    @classmethod
    def of(cls, item: Difference) -> "DifferenceOut":
        """Show a difference."""
        return cls(key=item.key, can_take=item.can_take, **item.as_json())


class DriftedOut(BaseModel):
    """A live listing that differs from our record."""

    product_id: int
    product_etag: str
    channel: Channel
    listing_id: str
    url: str | None
    drift: list[DifferenceOut]
    held_back: bool = Field(
        description="It seems to have ended with many others, and waits for your word."
    )
    not_sent_yet: bool = Field(description="The product was changed and not sent since.")
    checked_at: datetime

    @classmethod
    def of(cls, found: Drifted) -> "DriftedOut":
        """Show a listing."""
        listing = found.listing
        return cls(
            product_id=listing.product_id,
            product_etag=etag(found.product.version),
            channel=listing.channel,
            listing_id=listing.listing_id,
            url=listing.url,
            drift=[DifferenceOut.of(item) for item in found.items],
            held_back=found.held_back,
            not_sent_yet=found.not_sent_yet,
            checked_at=listing.checked_at,
        )


class WishIn(BaseModel):
    """A listing, and which of its differences."""

    model_config = ConfigDict(extra="forbid")

    product_id: ProductId
    channel: Channel
    items: list[ItemKey] | None = Field(
        default=None, min_length=1, max_length=1_000, description="Keys; left out: all."
    )
    if_match: IfMatch = None


class MendIn(BaseModel):
    """Whose word counts, and for which listings."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"keep": "ours", "listings": [{"product_id": 1, "channel": "ebay"}]},
                {"keep": "theirs", "channel": "etsy", "if_match": "*"},
            ]
        },
    )

    keep: Keep
    listings: list[WishIn] | None = Field(
        default=None, min_length=1, max_length=500, description="Left out: all that differ."
    )
    channel: Channel | None = Field(default=None, description="Only of all that differ there.")
    if_match: IfMatch = None

    @model_validator(mode="after")
    def _either(self) -> "MendIn":
        if self.listings is not None and self.channel is not None:
            raise ValueError("name listings or a channel, not both")
        return self

    def wishes(self) -> list[Wish] | None:
        """The decisions; None: about all. Raises `PreconditionRequired`."""
        if self.listings is None:
            # Versions that nobody named cannot be told apart: all or none.
            if self.keep is Keep.THEIRS and self.if_match != "*":
                raise PreconditionRequired("Send if_match * to change all products regardless.")
            return None
        return [self._wish(each) for each in self.listings]

    def _wish(self, each: WishIn) -> Wish:
        named = each.if_match or self.if_match
        if named is None:
            if self.keep is Keep.THEIRS:
                raise PreconditionRequired(
                    "Send if_match with the product's ETag you read, or * to go ahead anyway."
                )
            named = "*"
        items = None if each.items is None else frozenset(each.items)
        return Wish(each.product_id, each.channel, items, versions_named_by(named))


class MendedListingOut(BaseModel):
    """What became of one listing."""

    product_id: int
    channel: Channel
    answer: Mended
    items: list[DifferenceOut] = Field(
        description="What was decided; with `undecided`, what still is to be."
    )
    product_etag: str | None = Field(description="Where the product was or would be changed.")
    job_id: int | None
    problems: list[ProblemOut]

    @classmethod
    def of(cls, found: MendedListing) -> "MendedListingOut":
        """Show it."""
        return cls(
            product_id=found.product_id,
            channel=found.channel,
            answer=found.answer,
            items=[DifferenceOut.of(item) for item in found.items],
            product_etag=None if found.version is None else etag(found.version),
            job_id=found.job_id,
            problems=[ProblemOut.model_validate(each.as_json()) for each in found.problems],
        )


class MendedOut(BaseModel):
    """Each listing with its own answer."""

    listings: list[MendedListingOut]

    @classmethod
    def of(cls, found: Sequence[MendedListing]) -> "MendedOut":
        """Show a request's answers."""
        return cls(listings=[MendedListingOut.of(each) for each in found])


class DecisionOut(BaseModel):
    """One difference, and who decided what about it and when."""

    id: int
    product_id: int
    channel: Channel
    listing_id: str
    field: str
    sku: str | None
    keep: Keep
    ours: Side
    live: Side
    job_id: int | None
    decided_by: int
    decided_at: datetime

    @classmethod
    def of(cls, decision: DriftDecision) -> "DecisionOut":
        """Show a decision."""
        return cls.model_validate(decision, from_attributes=True)


class SyncListingsIn(BaseModel):
    """Which listings to compare."""

    model_config = ConfigDict(extra="forbid")

    channels: list[Channel] | None = Field(
        default=None, min_length=1, max_length=len(Channel), description="Left out: all connected."
    )
    product_ids: list[ProductId] | None = Field(
        default=None, min_length=1, max_length=500, description="Left out: all that are listed."
    )
    confirm_ended: bool = Field(
        default=False, description="Believe that listings have ended, however many at once."
    )

    @model_validator(mode="after")
    def _either(self) -> "SyncListingsIn":
        if self.product_ids is not None and self.confirm_ended:
            raise ValueError("confirm_ended is about all listings; name no products")
        return self


class ComparisonOut(BaseModel):
    """The job that compares; `product_id` null: all listings of the channel."""

    channel: Channel
    product_id: int | None
    answer: Answer
    job_id: int | None


class SyncListingsOut(BaseModel):
    """The jobs, and between when and when they are done."""

    jobs: list[ComparisonOut]
    estimate: EstimateOut | None = Field(description="Null when nothing is to be compared.")

    @classmethod
    def of(cls, found: Comparisons) -> "SyncListingsOut":
        """Show what was asked for."""
        return cls(
            jobs=[ComparisonOut.model_validate(job, from_attributes=True) for job in found.jobs],
            estimate=EstimateOut.of(found.estimate) if found.estimate else None,
        )
