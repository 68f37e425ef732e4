"""What the routes of every channel answer with: consents, gaps, call quotas."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from services.accounts.channel_consents.consents import ConsentRequest
from services.selling.quotas.ledger import QuotaState
from shared.errors import FieldProblem


class ConsentOut(BaseModel):
    """Send the seller's browser to `authorize_url`."""

    authorize_url: str
    expires_at: datetime

    @classmethod
    def of(cls, consent: ConsentRequest) -> Self:
        """Show a consent request."""
        return cls(authorize_url=consent.authorize_url, expires_at=consent.expires_at)


class GapOut(BaseModel):
    """One thing that is missing, and how to mend it."""

    field: str
    rule: str
    mend: str
    choices: list[str] = Field(description="What would be accepted, where that is a short list.")

    @classmethod
    def all_of(cls, gaps: Sequence[FieldProblem]) -> list[Self]:
        """Show gaps."""
        return [
            cls(field=gap.field, rule=gap.code, mend=gap.message, choices=list(gap.choices))
            for gap in gaps
        ]


class QuotaOut(BaseModel):
    """One of a marketplace's call quotas; jobs wait by themselves when it is used up."""

    name: str
    limit: int = Field(description="Calls in any stretch of `window_seconds`.")
    window_seconds: int
    of_this_shop: bool = Field(description="Counted for this shop alone, not for all together.")
    used: int
    left: int
    open_at: datetime | None = Field(description="When there is room again; null: now.")
    told_left: int | None = Field(
        description="What the marketplace itself last said was left; null: it was not asked."
    )
    told_at: datetime | None = Field(description="When it said so.")

    @classmethod
    def of(cls, state: QuotaState) -> Self:
        """Show a quota."""
        return cls(
            name=state.quota.name,
            limit=state.quota.limit,
            window_seconds=int(state.quota.window.total_seconds()),
            of_this_shop=state.quota.per_shop,
            used=state.used,
            left=state.left,
            open_at=state.open_at,
            told_left=state.told_left,
            told_at=state.told_at,
        )
