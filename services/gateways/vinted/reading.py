"""Reading Vinted's JSON without trusting it: what is missing stays unknown, and is never a nought.

Nothing of it is documented, and it changes without notice.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.gateways.calls import UnreadableAnswer
from shared.money import Money

Row = Mapping[str, Any]


def at(body: Any, *names: str) -> Any:
    """The value found by walking down `names`, or None."""
    found = body
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def text(body: Any, *names: str) -> str | None:
    """A text, or None."""
    found = at(body, *names)
    return found if isinstance(found, str) and found else None


def number(body: Any, *names: str) -> int | None:
    """A whole number, also one written as text, or None. Ids have up to eleven digits."""
    found = at(body, *names)
    if isinstance(found, str) and found.isdecimal():
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def needed_number(body: Any, *names: str) -> int:
    """An id that must be there. Raises `UnreadableAnswer`."""
    found = number(body, *names)
    if found is None or found <= 0:
        raise UnreadableAnswer(f"Vinted's answer lacks {names[-1]}.")
    return found


def flag(body: Any, *names: str) -> bool | None:
    """True, false, or None where Vinted does not say."""
    found = at(body, *names)
    return found if isinstance(found, bool) else None


def rows(body: Any, *names: str) -> list[Row]:
    """A list of objects; empty when it is not there."""
    found = at(body, *names)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def needed_rows(body: Any, name: str) -> list[Row]:
    """A list of objects that must be there. Raises `UnreadableAnswer`: no list is no empty one."""
    if not isinstance(at(body, name), list):
        raise UnreadableAnswer(f"Vinted's answer lacks {name}.")
    return rows(body, name)


def numbers(body: Any, *names: str) -> tuple[int, ...]:
    """A list of ids; empty when it is not there."""
    found = at(body, *names)
    listed = found if isinstance(found, list) else []
    return tuple(each for each in (number(each) for each in listed) if each is not None)


def money(body: Any, *names: str) -> Money | None:
    """`{amount: "12.50", currency_code: "EUR"}`, or None where it is not that."""
    found = at(body, *names)
    currency, amount = text(found, "currency_code"), at(found, "amount")
    if currency is None or not isinstance(amount, str | int):
        return None
    try:
        return Money.parse(str(amount), currency)
    except ValueError:
        return None


def moment(body: Any, *names: str) -> datetime | None:
    """A moment with its offset, in UTC, or None."""
    found = text(body, *names)
    try:
        read = datetime.fromisoformat(found) if found else None
    except ValueError:
        return None
    return read.astimezone(UTC) if read is not None and read.tzinfo is not None else None
