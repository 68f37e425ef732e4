"""Calls a second and a day, counted for each application as Etsy does."""

from collections import deque
from datetime import datetime, timedelta

from sandbox.etsy.errors import too_many_requests
from sandbox.etsy.sandbox import EtsySandbox

SECOND = timedelta(seconds=1)
HOUR_S = 3600
HOURS_A_DAY = 24


def spend_call(sandbox: EtsySandbox, keystring: str) -> dict[str, str]:
    """Count one call; returns the headers that say what is left.

    The day slides: 24 hours in buckets of one. Raises EtsyError 429 with Retry-After, and then
    without those headers.
    """
    now = sandbox.clock.now()
    recent = sandbox.recent_calls.setdefault(keystring, deque())
    while recent and recent[0] <= now - SECOND:
        recent.popleft()
    buckets = _day(sandbox, keystring, now)
    used = sum(buckets.values())
    if used >= sandbox.state.per_day:
        raise too_many_requests(_until_room(buckets, now))
    if len(recent) >= sandbox.state.per_second:
        raise too_many_requests(1)
    recent.append(now)
    hour = int(now.timestamp()) // HOUR_S
    buckets[hour] = buckets.get(hour, 0) + 1
    return {
        "x-limit-per-second": str(sandbox.state.per_second),
        "x-remaining-this-second": str(sandbox.state.per_second - len(recent)),
        "x-limit-per-day": str(sandbox.state.per_day),
        "x-remaining-today": str(sandbox.state.per_day - used - 1),
    }


def used_today(sandbox: EtsySandbox, keystring: str) -> int:
    """Calls of the last 24 hours."""
    return sum(_day(sandbox, keystring, sandbox.clock.now()).values())


def _day(sandbox: EtsySandbox, keystring: str, now: datetime) -> dict[int, int]:
    buckets = sandbox.state.used_by_hour.setdefault(keystring, {})
    oldest = int(now.timestamp()) // HOUR_S - HOURS_A_DAY + 1
    for hour in [hour for hour in buckets if hour < oldest]:
        del buckets[hour]
    return buckets


def _until_room(buckets: dict[int, int], now: datetime) -> int:
    """Seconds until the oldest bucket has slid out."""
    oldest = min(buckets, default=int(now.timestamp()) // HOUR_S)
    return (oldest + HOURS_A_DAY) * HOUR_S - int(now.timestamp())
