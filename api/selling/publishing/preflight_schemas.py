"""What preflight shows."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.selling.catalog.schemas import MoneyOut
from api.selling.publishing.schemas import ProblemOut
from models.selling.publishing import Channel
from services.selling.publishing.outlook import Estimate
from services.selling.publishing.planning import Answer
from services.selling.publishing.preflight import (
    FeeOutlook,
    Preflighted,
    PreflightItem,
    QuotaOutlook,
)
from shared.money import Money


class PreflightItemOut(BaseModel):
    """What would become of one product on one channel."""

    product_id: int
    channel: Channel
    answer: Answer
    job_id: int | None = Field(description="The job that does this already.")
    listing_id: str | None
    problems: list[ProblemOut]
    advice: list[ProblemOut] = Field(
        description="What would serve the listing better; it can be sent as it is."
    )
    calls: dict[str, int] = Field(description="What its job would take of each quota, by name.")

    @classmethod
    def of(cls, item: PreflightItem) -> "PreflightItemOut":
        """Show an item."""
        planned = item.planned
        return cls(
            product_id=planned.product_id,
            channel=planned.channel,
            answer=planned.answer,
            job_id=planned.job_id,
            listing_id=planned.listing_id,
            problems=[ProblemOut.model_validate(each.as_json()) for each in planned.problems],
            advice=[ProblemOut.model_validate(each.as_json()) for each in planned.advice],
            calls={quota.name: calls for quota, calls in item.calls.items()},
        )


class QuotaOutlookOut(BaseModel):
    """A call quota, and what would be taken of it."""

    name: str
    of_this_shop: bool = Field(description="Counted for this shop alone, not for all together.")
    limit: int = Field(description="Calls in any stretch of `window_seconds`.")
    window_seconds: int
    left: int
    needed: int = Field(description="By the jobs of this request.")
    needed_before: int = Field(description="By jobs that wait already, roughly.")
    open_at: datetime | None = Field(description="When there is room again; null: now.")
    enough_at: datetime | None = Field(
        description="When the last of these calls has room, if nobody else calls; null: now."
    )

    @classmethod
    def of(cls, outlook: QuotaOutlook) -> "QuotaOutlookOut":
        """Show a quota."""
        state = outlook.forecast.state
        return cls(
            name=state.quota.name,
            of_this_shop=state.quota.per_shop,
            limit=state.quota.limit,
            window_seconds=int(state.quota.window.total_seconds()),
            left=state.left,
            needed=outlook.needed,
            needed_before=outlook.before,
            open_at=state.open_at,
            enough_at=outlook.forecast.enough_at,
        )


class FeeOut(BaseModel):
    """A fee that a channel would charge for what is queued."""

    channel: Channel
    code: str
    message: str
    times: int = Field(description="For how many listings.")
    each: MoneyOut | None = Field(description="Null where only the channel knows.")
    total: MoneyOut | None

    @classmethod
    def of(cls, outlook: FeeOutlook) -> "FeeOut":
        """Show a fee."""
        fee, times = outlook.fee, outlook.times
        return cls(
            channel=outlook.channel,
            code=fee.code,
            message=fee.message,
            times=times,
            each=MoneyOut.of(fee.each) if fee.each else None,
            total=MoneyOut.of(Money(times * fee.each.minor, fee.each.currency))
            if fee.each
            else None,
        )


class ReasonOut(BaseModel):
    """Why it takes as long."""

    code: str = Field(
        description="pace-measured, pace-assumed, shop-cap, jobs-before, quota-opens, quota-fills; "
        "where the channel is worked on through the seller's browser also pace-kept, quiet-hours, "
        "and what is in the way: channel-stopped, channel-paused, channel-offline, "
        "channel-unreachable, channel-signed-out, channel-wrong-account, channel-other-site, "
        "channel-browser-paused, channel-challenged"
    )
    message: str


class EstimateOut(BaseModel):
    """Between when and when everything would be done, if nothing goes wrong."""

    earliest: datetime
    latest: datetime | None = Field(
        description="Null when nobody can say, for something is in the way; the reasons tell what."
    )
    reasons: list[ReasonOut]

    @classmethod
    def of(cls, estimate: Estimate) -> "EstimateOut":
        """Show an estimate."""
        return cls(
            earliest=estimate.earliest,
            latest=estimate.latest,
            reasons=[ReasonOut(code=each.code, message=each.message) for each in estimate.reasons],
        )


class PreflightOut(BaseModel):
    """What a request would come to."""

    answers: dict[Answer, int] = Field(description="How many would get which answer.")
    jobs_before: int = Field(description="Jobs of this shop that are due and go first.")
    fees: list[FeeOut] = Field(description="What the channels would charge, as far as is known.")
    quotas: list[QuotaOutlookOut]
    estimate: EstimateOut | None = Field(description="Null when no job would be queued.")
    items: list[PreflightItemOut]

    @classmethod
    def of(cls, found: Preflighted) -> "PreflightOut":
        """Show what preflight found."""
        answers: dict[Answer, int] = {}
        for item in found.items:
            answers[item.planned.answer] = answers.get(item.planned.answer, 0) + 1
        return cls(
            answers=answers,
            jobs_before=found.jobs_before,
            fees=[FeeOut.of(each) for each in found.fees],
            quotas=[QuotaOutlookOut.of(each) for each in found.quotas],
            estimate=EstimateOut.of(found.estimate) if found.estimate else None,
            items=[PreflightItemOut.of(each) for each in found.items],
        )
