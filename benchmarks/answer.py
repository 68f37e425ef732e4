"""What a benchmark found out, and how it times."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Answer:
    """Figures with their unit in the name, and ratios from the same run."""

    figures: dict[str, float]
    ratios: dict[str, float]


def milliseconds(act: Callable[[], object]) -> float:
    """How long one call took."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def alternately(
    rounds: int, *acts: Callable[[], object], warm_up: Callable[[], object] = lambda: None
) -> list[float]:
    """Time the acts in turn, A B A B …, after one unmeasured round; the median of each in ms.

    `warm_up` is called before that.
    """
    warm_up()
    for act in acts:
        act()
    times = [[milliseconds(act) for act in acts] for _ in range(rounds)]
    return [median_of(column) for column in zip(*times, strict=True)]


def median_of(values: Sequence[float]) -> float:
    """Rounded to what means something."""
    return round(median(values), 3)
