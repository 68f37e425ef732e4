"""Reading Etsy's JSON without trusting it: what is null stays unknown, and is never a nought."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.gateways.calls import UnreadableAnswer
from shared.money import Money, exponent_of


def at(body: Any, *names: str) -> Any:
    """The value found by walking down `names`, or None."""
    found = body
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def text(body: Any, name: str) -> str:
    """A text that must be there. Raises `UnreadableAnswer`."""
    found = optional_text(body, name)
    if found is None:
        raise UnreadableAnswer(f"Etsy's answer lacks {name}.")
    return found


def optional_text(body: Any, *names: str) -> str | None:
    """A text, or None."""
    found = at(body, *names)
    return found if isinstance(found, str) and found else None


def whole(body: Any, name: str) -> int | None:
    """A whole number, or None."""
    found = at(body, name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def number(body: Any, name: str) -> int:
    """An id of Etsy's, a whole number above 0. Raises `UnreadableAnswer`."""
    found = whole(body, name)
    if found is None or found <= 0:
        raise UnreadableAnswer(f"Etsy's answer lacks {name}.")
    return found


def flag(body: Any, name: str) -> bool | None:
    """True, false, or None where Etsy does not say."""
    found = at(body, name)
    return found if isinstance(found, bool) else None


def rows(body: Any, name: str) -> list[Mapping[str, Any]]:
    """A list of objects; empty when it is not there."""
    found = at(body, name)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def results(body: Any) -> list[Mapping[str, Any]]:
    """The rows of a list's answer. Raises `UnreadableAnswer` when there is no list at all."""
    if not isinstance(at(body, "results"), list):
        raise UnreadableAnswer("Etsy's answer lacks results.")
    return rows(body, "results")


def texts(body: Any, name: str) -> tuple[str, ...] | None:
    """A list of texts, or None where Etsy does not say."""
    found = at(body, name)
    return tuple(str(one) for one in found) if isinstance(found, list) else None


def numbers(body: Any, name: str) -> tuple[int, ...]:
    """A list of whole numbers; empty when it is not there."""
    found = at(body, name)
    return tuple(one for one in found if isinstance(one, int)) if isinstance(found, list) else ()


def money(body: Any, *names: str) -> Money | None:
    """An amount, or None where there is none that our minor units can say exactly."""
    found = at(body, *names)
    amount, divisor = whole(found, "amount"), whole(found, "divisor")
    currency = optional_text(found, "currency_code")
    if amount is None or divisor is None or divisor <= 0 or currency is None:
        return None
    try:
        minor, rest = divmod(amount * 10 ** exponent_of(currency), divisor)
        return None if rest else Money(minor, currency)
    except ValueError:
        return None


def as_json(value: Any) -> str:
    """JSON in which a `Decimal` is the number as it is written: `12.50`, never through a float."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(str(name))}: {as_json(value[name])}" for name in sorted(value))
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(as_json(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)
