"""How long to wait before trying again what failed."""

import random
from datetime import timedelta

_DOUBLINGS = 30
"""Beyond any cap; a timedelta cannot be doubled for ever."""


def full_jitter(failures: int, base: timedelta, cap: timedelta) -> timedelta:
    """Anything from nothing to `base`, then twice, four times … that, at most `cap`."""
    return timedelta(seconds=random.uniform(0, longest(failures, base, cap).total_seconds()))  # noqa: S311 - no secret


def longest(failures: int, base: timedelta, cap: timedelta) -> timedelta:
    """The longest wait after so many failures."""
    doublings = min(max(0, failures - 1), _DOUBLINGS)
    return min(base * (1 << doublings), cap)
