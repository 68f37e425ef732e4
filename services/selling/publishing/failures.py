"""What an exception in an attempt means for the job."""

from datetime import timedelta
from typing import assert_never

import structlog

from models.selling.publishing import JobOutcome
from services.selling.publishing.handlers import Cancel, Problem, Retry, Unknown, Verdict
from shared.database.outages import outage_in
from shared.errors import (
    APIError,
    APITimeoutError,
    DatabaseError,
    DatabaseUnavailable,
    MarketplaceError,
    Remedy,
    ShopBeingUpgraded,
    StoflowError,
)

log = structlog.get_logger(__name__)

UPGRADE_PAUSE = timedelta(seconds=30)
"""After which a shop that is being upgraded is looked at again; costs its jobs no attempt."""


def verdict_on(error: Exception, *, outside: bool) -> Verdict:
    """Expected failures say themselves what helps; anything else is a bug and is tried again.

    `outside` says that the attempt had got beyond `prepare`: what it may have done on the channel
    before it broke is not known.
    """
    match error:
        case MarketplaceError():
            return _on_marketplace(error)
        case APITimeoutError():
            return Unknown(Problem.of(error), {"error": error.code})
        case DatabaseUnavailable():
            return Unknown(Problem.of(error))
        case ShopBeingUpgraded():
            return (
                Unknown(Problem.of(error)) if outside else Retry(Problem.of(error), UPGRADE_PAUSE)
            )
        case APIError() | DatabaseError():
            return Retry(Problem.of(error))
        case StoflowError() if error.status < 500:
            return Cancel(Problem.of(error))
        case _ if outage_in(error) is not None:
            log.warning("job.database_away", error=type(error).__name__)
            return _broken_off("database-away", "Our database was away; we try again.", outside)
        case _:
            log.exception("job.unexpected_error")
            said = "Something went wrong on our side; we try again."
            return _broken_off("internal-error", said, outside)


def _broken_off(code: str, detail: str, outside: bool) -> Verdict:
    problem = Problem(code, detail)
    return Unknown(problem) if outside else Retry(problem)


def _on_marketplace(error: MarketplaceError) -> Verdict:
    problem = Problem.of(error)
    match error.remedy:
        case Remedy.WAIT:
            after = error.retry_after
            return Retry(problem, None if after is None else timedelta(seconds=after))
        case Remedy.FIX_DATA:
            return Cancel(problem)
        case Remedy.RECONNECT | Remedy.ASK_MARKETPLACE:
            return Cancel(problem, JobOutcome.BLOCKED)
        case _:
            assert_never(error.remedy)
