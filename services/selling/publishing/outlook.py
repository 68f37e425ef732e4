"""When work would be done on a channel, and why not sooner; what a channel says of it itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.selling.quotas.ledger import QuotaForecast


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code, and a sentence for the seller."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """Between when and when everything is done, if nothing goes wrong."""

    earliest: datetime
    latest: datetime | None
    """None: nobody can say, for something is in the way; the reasons tell what."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a channel that is worked on at a pace of its own says of work that is not queued yet."""

    estimate: Estimate
    forecasts: Sequence[QuotaForecast]
    """Of the rules of its pace, for this work and what is in front of it."""
    jobs_before: int
    """Jobs on the channel that go first."""


def together(estimates: Sequence[Estimate]) -> Estimate:
    """When the last of several pieces of work is done; there must be one."""
    latest = [each.latest for each in estimates if each.latest is not None]
    return Estimate(
        earliest=max(each.earliest for each in estimates),
        latest=max(latest) if len(latest) == len(estimates) else None,
        reasons=tuple(reason for each in estimates for reason in each.reasons),
    )


def in_words(moment: datetime) -> str:
    """As sellers read it."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
