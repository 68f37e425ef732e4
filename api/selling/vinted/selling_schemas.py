"""What is said over HTTP of selling on Vinted."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.channel_shapes import GapOut
from services.selling.publishing.account_work import AccountJob
from services.selling.vinted.choices import VintedProductView
from services.selling.vinted.message import BODY_LIMIT

VintedId = Annotated[int, Field(gt=0, lt=2**31)]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not a time zone, such as Europe/Paris")
    return name


class VintedChoiceIn(BaseModel):
    """What to decide for Vinted alone; replaces what was chosen before."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"catalog_id": 221, "package_size_id": 1}]},
    )

    catalog_id: VintedId | None = Field(default=None, description="Vinted's category.")
    size_id: VintedId | None = Field(default=None, description="Vinted's size.")
    package_size_id: VintedId | None = Field(
        default=None, description="1 small, 2 medium, 3 large. Null: as in the terms."
    )
    color_ids: list[VintedId] = Field(default=[], max_length=2)

    def values(self) -> dict[str, Any]:
        """As the choice keeps them."""
        return self.model_dump()


class VintedProductOut(BaseModel):
    """A product as it would go to Vinted."""

    product_id: int
    ready: bool = Field(description="Whether it can be published now.")
    missing: list[GapOut]
    left_out: list[GapOut] = Field(description="What Vinted has no word or no room for.")
    advice: list[GapOut] = Field(
        description="What would serve the listing better; it can be sent as it is."
    )
    catalog_id: int | None
    catalog_path: str | None = Field(
        description="Null where the seller chose a category that is not known here."
    )
    condition_id: int | None
    size_id: int | None
    color_ids: list[int]
    brand_id: int | None = Field(description="Null: the brand goes as it is written.")
    package_size_id: int | None

    @classmethod
    def of(cls, view: VintedProductView) -> Self:
        """Show a product."""
        examined, facts = view.examined, view.examined.facts
        return cls(
            product_id=examined.product.id,
            ready=not examined.gaps,
            missing=GapOut.all_of(examined.gaps),
            left_out=GapOut.all_of(examined.hints),
            advice=GapOut.all_of(examined.advice),
            catalog_id=facts.catalog_id,
            catalog_path=facts.catalog_path,
            condition_id=facts.condition_id,
            size_id=facts.size_id,
            color_ids=list(facts.color_ids),
            brand_id=facts.brand_id,
            package_size_id=facts.package_size_id,
        )


class QuietHoursIn(BaseModel):
    """When nothing is sent that can wait; what was sold elsewhere comes down all the same."""

    model_config = ConfigDict(extra="forbid")

    begins: time = Field(description="By the clock of the time zone; to the minute.")
    ends: time = Field(description="Earlier than `begins` when midnight lies between.")
    time_zone: Annotated[str, Field(max_length=60), AfterValidator(_known_zone)]


class VintedTermsIn(BaseModel):
    """What all listings use; replaces what was there."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "package_size_id": 1,
                    "quiet_hours": {
                        "begins": "22:00",
                        "ends": "07:00",
                        "time_zone": "Europe/Paris",
                    },
                }
            ]
        },
    )

    package_size_id: VintedId | None = None
    old_fields: bool = Field(
        default=False, description="Say size and condition where they used to stand, too."
    )
    currency: str | None = Field(
        default=None,
        pattern=r"^[A-Z]{3}$",
        description="ISO 4217, where prices are in another one than your Vinted's site has.",
    )
    quiet_hours: QuietHoursIn | None = None

    def terms(self) -> dict[str, Any]:
        """As the account keeps them."""
        return self.model_dump(mode="json")


class VintedTermsOut(BaseModel):
    """What all listings use."""

    package_size_id: int | None
    old_fields: bool
    currency: str | None
    quiet_hours: QuietHoursIn | None

    @classmethod
    def of(cls, terms: Mapping[str, Any]) -> Self:
        """Show them."""
        return cls(
            package_size_id=terms.get("package_size_id"),
            old_fields=terms.get("old_fields") is True,
            currency=terms.get("currency"),
            quiet_hours=terms.get("quiet_hours"),
        )


class VintedSyncIn(BaseModel):
    """How to compare."""

    model_config = ConfigDict(extra="forbid")

    confirm_ended: bool = Field(
        default=False, description="It is true that so many listings are gone; write it down."
    )


class ReplyIn(BaseModel):
    """What to answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"body": "Yes!"}]})

    body: str = Field(min_length=1, max_length=BODY_LIMIT)


class VintedJobOut(BaseModel):
    """The job that does it; follow it under `/jobs`."""

    job_id: int
    already: bool = Field(description="It was asked for before and has not ended.")

    @classmethod
    def of(cls, asked: AccountJob) -> Self:
        """Show the job."""
        return cls(job_id=asked.job_id, already=asked.already)
