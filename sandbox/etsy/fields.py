"""Forms, queries and path parameters: what they may hold, and how they are read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from sandbox.etsy.errors import bad_request

INTEGER = re.compile(r"-?\d{1,18}")
LARGEST_NUMBER = 10**12
TRUE, FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


class Kind(StrEnum):
    """Types of values, by the document's words."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"


@dataclass(frozen=True)
class Field:
    """One named value of a form or query.

    `many` values come as repeated names or separated by commas. `nullable` fields may be empty.
    """

    name: str
    kind: Kind
    required: bool = False
    nullable: bool = False
    many: bool = False
    least: int | None = None
    most: int | None = None
    words: tuple[str, ...] = ()

    def needed(self) -> "Field":
        """The same, required."""
        return replace(self, required=True)

    def read(self, sent: Sequence[str]) -> Any:
        """The value of `sent`, which is not empty. Raises EtsyError 400."""
        if self.many:
            return self._list(sent)
        if sent[-1] == "" and self.nullable:
            return None
        return self._one(sent[-1])

    def _list(self, sent: Sequence[str]) -> list[Any] | None:
        parts = [part.strip() for text in sent for part in text.split(",")]
        if parts == [""]:
            if self.nullable:
                return None
            raise bad_request(f"{self.name} must not be an empty array.")
        return [self._one(part) for part in parts]

    def _one(self, text: str) -> Any:
        value: Any = _READERS[self.kind](self.name, text)
        if self.words and value not in self.words:
            raise bad_request(f"Invalid value for {self.name}: one of {', '.join(self.words)}.")
        if self.least is not None and value < self.least:
            raise bad_request(f"{self.name} must be at least {self.least}.")
        if self.most is not None and value > self.most:
            raise bad_request(f"{self.name} must be at most {self.most}.")
        return value


def integer(name: str, **more: Any) -> Field:
    """A whole number."""
    return Field(name, Kind.INTEGER, **more)


def identifier(name: str, **more: Any) -> Field:
    """The number of something: 1 or more."""
    return Field(name, Kind.INTEGER, least=1, **more)


def number(name: str, **more: Any) -> Field:
    """A decimal number."""
    return Field(name, Kind.NUMBER, **more)


def boolean(name: str, **more: Any) -> Field:
    """true or false."""
    return Field(name, Kind.BOOLEAN, **more)


def text(name: str, **more: Any) -> Field:
    """Any text."""
    return Field(name, Kind.STRING, **more)


def word(name: str, words: Iterable[str], **more: Any) -> Field:
    """One of a few words."""
    return Field(name, Kind.STRING, words=tuple(words), **more)


LEGACY = boolean("legacy")
LIMIT = integer("limit", least=1, most=100)
OFFSET = integer("offset", least=0, most=12_000)


def read(fields: Sequence[Field], sent: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The values by name; what was not sent is absent. Raises EtsyError 400.

    A name that is not known is refused too, so that a misspelt one does not go unnoticed.
    """
    known = {field.name: field for field in fields}
    strange = sorted(set(sent) - set(known))
    if strange:
        raise bad_request(f"Unknown parameter: {', '.join(strange)}.")
    missing = [field.name for field in fields if field.required and field.name not in sent]
    if missing:
        raise bad_request(f"Missing required parameter: {', '.join(missing)}.")
    return {name: known[name].read(texts) for name, texts in sent.items()}


def path_numbers(path: Mapping[str, Any], words: frozenset[str]) -> dict[str, Any]:
    """Path parameters as numbers from 1, except those named in `words`."""
    return {
        name: value if name in words else Field(name, Kind.INTEGER, least=1).read([value])
        for name, value in path.items()
    }


def _integer(name: str, value: str) -> int:
    if not INTEGER.fullmatch(value):
        raise bad_request(f"Expected int value for '{name}'.")
    return int(value)


def _number(name: str, value: str) -> Decimal:
    try:
        parsed = Decimal(value)
    except InvalidOperation:
        parsed = Decimal("NaN")
    if not parsed.is_finite() or abs(parsed) > LARGEST_NUMBER:
        raise bad_request(f"Expected float value for '{name}'.")
    return parsed


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in TRUE | FALSE:
        raise bad_request(f"Expected boolean value for '{name}'.")
    return value.lower() in TRUE


def _string(name: str, value: str) -> str:
    return value


_READERS = {
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.STRING: _string,
}
