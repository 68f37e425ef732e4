"""Faults a sandbox commits when told to, so that clients can be tried against a bad day."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

EVERY_OPERATION = "*"


class FaultKind(StrEnum):
    """What goes wrong; see sandbox/README.md for each in words."""

    TIMEOUT_AFTER_SUCCESS = "timeout_after_success"
    LOST_ANSWER = "lost_answer"
    TIMEOUT_BEFORE = "timeout_before"
    DROP_CONNECTION = "drop_connection"
    HTTP_429 = "http_429"
    HTTP_500 = "http_500"
    HTTP_503 = "http_503"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - the name of a fault
    REVOKED_TOKEN = "revoked_token"  # noqa: S105 - the name of a fault
    SLOW = "slow"
    CHALLENGE = "challenge"
    HTML_PAGE = "html_page"


OF_SITES = frozenset({FaultKind.CHALLENGE, FaultKind.HTML_PAGE})
"""What only sites for people do; a documented API does not."""

DEFAULT_DELAY_S = {
    FaultKind.TIMEOUT_AFTER_SUCCESS: 30.0,
    FaultKind.TIMEOUT_BEFORE: 30.0,
    FaultKind.SLOW: 1.0,
}


@dataclass
class Fault:
    """One order to misbehave: for which operation, how, how often."""

    operation: str
    kind: FaultKind
    times: int | None = None
    """Calls still to be hit; None means until faults are cleared."""
    after: int = 0
    """Calls that still go well before."""
    retry_after_s: int | None = None
    delay_s: float = 0.0
    probability: float = 1.0
    seed: int | None = None
    hits: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)

    @classmethod
    def of(cls, order: Mapping[str, Any]) -> "Fault":
        """Read an order as posted to the control address. Raises ValueError with the reason."""
        unknown = set(order) - _ORDER_FIELDS
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        kind = FaultKind(str(order.get("kind")))
        probability = float(order.get("probability", 1.0))
        if not 0 < probability <= 1:
            raise ValueError("probability must be above 0 and at most 1")
        times, after, retry_after_s, seed = (
            _whole(order, name) for name in ("times", "after", "retry_after_s", "seed")
        )
        return cls(
            operation=str(order.get("operation", EVERY_OPERATION)),
            kind=kind,
            times=times,
            after=after or 0,
            retry_after_s=retry_after_s,
            delay_s=float(order.get("delay_s", DEFAULT_DELAY_S.get(kind, 0.0))),
            probability=probability,
            seed=seed,
            dice=random.Random(seed),  # noqa: S311 - repeatable, not secret
        )

    def concerns(self, operation: str) -> bool:
        """Whether a call of `operation` is hit, rolling the dice when it could be."""
        if self.times == 0 or self.operation not in (EVERY_OPERATION, operation):
            return False
        if self.after:
            self.after -= 1
            return False
        return self.probability >= 1 or self.dice.random() < self.probability

    def spend(self) -> None:
        """Count one call as hit."""
        self.hits += 1
        if self.times is not None:
            self.times -= 1

    def as_json(self) -> dict[str, Any]:
        """The order as it stands now."""
        return {
            "operation": self.operation,
            "kind": self.kind.value,
            "times": self.times,
            "after": self.after,
            "retry_after_s": self.retry_after_s,
            "delay_s": self.delay_s,
            "probability": self.probability,
            "seed": self.seed,
            "hits": self.hits,
        }


_ORDER_FIELDS = {
    "operation", "kind", "times", "after", "retry_after_s", "delay_s", "probability", "seed",
}  # fmt: skip


def _whole(order: Mapping[str, Any], name: str) -> int | None:
    value = order.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} must be a whole number, not negative")
    return value


class FaultBoard:
    """All orders in force; the first that concerns a call is committed."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put an order in force behind those already there."""
        self._orders.append(fault)

    def clear(self) -> None:
        """Behave again."""
        self._orders.clear()

    def draw(self, operation: str) -> Fault | None:
        """The fault this call of `operation` must suffer, counted as spent; else None."""
        for fault in self._orders:
            if fault.concerns(operation):
                fault.spend()
                return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """Every order, spent ones too."""
        return [fault.as_json() for fault in self._orders]
