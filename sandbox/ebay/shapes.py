"""What JSON bodies must look like: wrong types are refused, unknown fields dropped."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.ebay.errors import EbayError, error

Shape = Any
"""str, int, float, bool, a frozenset of words, [shape], {name: shape} or `Named(shape)`."""


class Named:
    """An object whose field names are free, all values of one shape."""

    def __init__(self, inside: Shape) -> None:
        self.inside = inside


MONEY: Shape = {"currency": str, "value": str}


def fitted(value: Any, shape: Shape, path: str = "") -> Any:
    """`value` reduced to what `shape` knows; nulls count as absent.

    Raises EbayError 400 (2004) naming the field that has another type.
    """
    if isinstance(shape, dict):
        _demand(isinstance(value, dict), path)
        return {
            name: fitted(value[name], inside, f"{path}.{name}".lstrip("."))
            for name, inside in shape.items()
            if value.get(name) is not None
        }
    if isinstance(shape, Named):
        _demand(isinstance(value, dict), path)
        return {
            name: fitted(inside, shape.inside, f"{path}.{name}") for name, inside in value.items()
        }
    if isinstance(shape, list):
        _demand(isinstance(value, list), path)
        return [fitted(inside, shape[0], f"{path}[{place}]") for place, inside in enumerate(value)]
    _demand(_is_plain(value, shape), path)
    return value


def _is_plain(value: Any, shape: Shape) -> bool:
    if isinstance(shape, frozenset):
        return isinstance(value, str) and value in shape
    if shape is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if shape is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, shape)


def _demand(truth: bool, path: str) -> None:
    if not truth:
        raise unreadable(f"Could not serialize field [{path}]")


def unreadable(reason: str) -> EbayError:
    """400 with 2004: the request cannot be read as what it should be."""
    return EbayError(400, error(2004, "Invalid request", domain="ACCESS", reason=reason))


def amount(money: Mapping[str, Any] | None) -> Decimal | None:
    """The decimal amount of a money object, or None when it is not one."""
    try:
        return Decimal((money or {})["value"])
    except (KeyError, InvalidOperation):
        return None


def at(body: Mapping[str, Any], *names: str) -> Any:
    """The value found by walking down `names`, or None."""
    found: Any = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
