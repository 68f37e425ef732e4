"""The account book of calls, in the database: shared by all workers, exact when they meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.accounts.call_budgets import CallBudget
from repositories.accounts.call_budgets import BudgetKey, CallBudgetRepository
from services.gateways.quotas import DAY, Quota
from services.selling.quotas.window import CallWindow
from shared.clock import Clock
from shared.database import Database
from shared.errors import MarketplaceError, Remedy


class QuotaSpent(MarketplaceError):
    """Our own count says that the marketplace would refuse; nothing was sent."""

    status, code, title = 503, "quota-spent", "No more calls to the marketplace for now"


@dataclass(frozen=True, slots=True)
class ToldQuota:
    """What the marketplace itself says of a quota."""

    left: int
    limit: int
    since: datetime
    """When it began to count."""
    resets_at: datetime
    """When it begins anew."""


@dataclass(frozen=True, slots=True)
class QuotaState:
    """How much of a quota is left."""

    quota: Quota
    used: int
    open_at: datetime | None
    """When there is room again; None: now."""
    told_left: int | None = None
    """What the marketplace itself last said was left; None where it was not asked."""
    told_at: datetime | None = None

    @property
    def left(self) -> int:
        """Calls that may be made at once."""
        return 0 if self.open_at is not None else max(0, self.quota.limit - self.used)


@dataclass(frozen=True, slots=True)
class QuotaForecast:
    """When so many further calls have room."""

    state: QuotaState
    calls: int
    enough_at: datetime | None
    """When the last of them can be made, if nobody else makes any; None: all at once."""


class DatabaseLedger:
    """A `CallLedger`. Each payment is one short transaction of its own, over before the call."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def pay(self, quotas: Sequence[Quota], account: str, calls: int = 1) -> None:
        """Count calls against all of these quotas, or raise `QuotaSpent` and count none."""
        if not quotas:
            return
        keys = _keys(quotas, account)
        with self._database.platform() as session:
            rows = CallBudgetRepository(session).locked(keys)
            # Read under the locks: whoever waited for them must not count in the past.
            now = self._clock.now()
            for quota, key in zip(quotas, keys, strict=True):
                _refuse_if_spent(quota, rows[key], now, calls)
            for quota, key in zip(quotas, keys, strict=True):
                row = rows[key]
                row.spent = _window(quota).with_more(row.spent, now, calls)

    def close(self, quotas: Sequence[Quota], account: str, seconds: float) -> None:
        """Let nobody call before `seconds` are over."""
        keys, until = _keys(quotas, account), self._clock.now() + timedelta(seconds=seconds)
        with self._database.platform() as session:
            for row in CallBudgetRepository(session).locked(keys).values():
                row.closed_until = max(until, row.closed_until or until)

    def take_over(self, quota: Quota, told: ToldQuota) -> int:
        """Count what the marketplace counted and we did not; returns how many calls.

        What it did not count stays counted: its figures come late. Only for quotas of the
        application as a whole.
        """
        [key] = _keys([quota], "")
        with self._database.platform() as session:
            row = CallBudgetRepository(session).locked([key])[key]
            now, window = self._clock.now(), _window(quota)
            before = window.used(row.spent, now)
            row.spent = window.with_at_least(row.spent, now, quota.limit - told.left, told.since)
            if told.left <= 0:
                opens = min(told.resets_at, now + quota.window)
                row.closed_until = max(opens, row.closed_until or opens)
            row.told_left, row.told_at = told.left, now
            return window.used(row.spent, now) - before

    def forget_unused(self, quota: Quota) -> int:
        """Delete the rows of a quota that nothing counts in any more; returns how many."""
        first = _window(quota).first_counting(self._clock.now())
        with self._database.platform() as session:
            return CallBudgetRepository(session).forget_unused_since(quota.name, first)

    def states(self, quotas: Sequence[Quota], account: str) -> Sequence[QuotaState]:
        """What is left of each quota for this account."""
        keys, now = _keys(quotas, account), self._clock.now()
        with self._database.platform() as session:
            rows = CallBudgetRepository(session).read(keys)
        return [_state(quota, rows, key, now) for quota, key in zip(quotas, keys, strict=True)]

    def has_spare(self, quotas: Sequence[Quota], account: str, share: float) -> bool:
        """Whether less than a share of each daily quota is used: work that can wait waits then."""
        daily = [quota for quota in quotas if quota.window >= DAY]
        return all(
            state.open_at is None and state.used < share * state.quota.limit
            for state in self.states(daily, account)
        )

    def forecast(self, needs: Mapping[Quota, int], account: str) -> Sequence[QuotaForecast]:
        """For each quota, when so many calls of this account have room in it."""
        quotas = list(needs)
        keys, now = _keys(quotas, account), self._clock.now()
        with self._database.platform() as session:
            rows = CallBudgetRepository(session).read(keys)
        return [
            QuotaForecast(
                _state(quota, rows, key, now),
                needs[quota],
                _enough_at(quota, needs[quota], rows.get(key), now),
            )
            for quota, key in zip(quotas, keys, strict=True)
        ]


def _enough_at(quota: Quota, calls: int, row: CallBudget | None, now: datetime) -> datetime | None:
    closed_until = row.closed_until if row is not None else None
    opens = max(now, closed_until or now)
    seconds = _window(quota).delay(calls, row.spent if row is not None else (), opens)
    enough_at = opens + timedelta(seconds=seconds)
    return enough_at if enough_at > now else None


def _state(
    quota: Quota, rows: Mapping[BudgetKey, CallBudget], key: BudgetKey, now: datetime
) -> QuotaState:
    row = rows.get(key)
    if row is None:
        return QuotaState(quota, 0, None)
    wait = _wait(quota, row, now)
    used = _window(quota).used(row.spent, now)
    open_at = now + timedelta(seconds=wait) if wait else None
    return QuotaState(quota, used, open_at, row.told_left, row.told_at)


def _refuse_if_spent(quota: Quota, row: CallBudget, now: datetime, calls: int) -> None:
    wait = _wait(quota, row, now, calls)
    if wait:
        until = (now + timedelta(seconds=wait)).strftime("%Y-%m-%d %H:%M UTC")
        raise QuotaSpent(
            f"The calls of {quota.name} are used up until {until}; it goes on by itself then.",
            remedy=Remedy.WAIT,
            retry_after=wait,
        )


def _wait(quota: Quota, row: CallBudget, now: datetime, calls: int = 1) -> float:
    closed = (row.closed_until - now).total_seconds() if row.closed_until else 0.0
    return max(0.0, closed, _window(quota).wait(row.spent, now, calls))


def _window(quota: Quota) -> CallWindow:
    return CallWindow(quota.limit, quota.window)


def _keys(quotas: Sequence[Quota], account: str) -> list[BudgetKey]:
    return [(quota.name, account if quota.per_shop else "") for quota in quotas]
