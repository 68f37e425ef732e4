"""Reading eBay's JSON without trusting it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.gateways.calls import UnreadableAnswer as UnreadableAnswer
from shared.money import Money


def at(body: Any, *names: str) -> Any:
    """The value found by walking down `names`, or None."""
    found = body
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def text(body: Any, *names: str) -> str:
    """A text that must be there. Raises `UnreadableAnswer`."""
    found = at(body, *names)
    if not isinstance(found, str) or not found:
        raise UnreadableAnswer(f"eBay's answer lacks {'.'.join(names)}.")
    return found


def moment(body: Any, *names: str) -> datetime:
    """A moment with a time zone that must be there. Raises `UnreadableAnswer`."""
    try:
        found = datetime.fromisoformat(text(body, *names))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UnreadableAnswer(f"eBay's answer has no moment in {'.'.join(names)}.")
    return found.astimezone(UTC)


def optional_text(body: Any, *names: str) -> str | None:
    """A text, or None."""
    found = at(body, *names)
    return found if isinstance(found, str) and found else None


def whole(body: Any, *names: str) -> int | None:
    """A whole number, or None."""
    found = at(body, *names)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def rows(body: Any, *names: str) -> list[Mapping[str, Any]]:
    """A list of objects; empty when it is not there."""
    found = at(body, *names)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def texts(body: Any, *names: str) -> tuple[str, ...]:
    """A list of texts; empty when it is not there."""
    found = at(body, *names)
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def text_lists(body: Any, *names: str) -> dict[str, tuple[str, ...]]:
    """An object of lists of texts; empty when it is not there."""
    found = at(body, *names)
    if not isinstance(found, Mapping):
        return {}
    return {str(name): texts(found, name) for name in found}


def money(body: Any, *names: str) -> Money | None:
    """An amount, or None where there is none that can be read."""
    value, currency = at(body, *names, "value"), at(body, *names, "currency")
    try:
        return Money.parse(str(value), str(currency))
    except ValueError:
        return None


def as_money(amount: Money) -> dict[str, str]:
    """An amount as eBay writes it: the value is a text."""
    return {"value": amount.amount(), "currency": amount.currency}
