"""The shape of an event: a small frozen dataclass a kind, checked when it is read back."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from shared.errors import StoflowError

EventT = TypeVar("EventT", bound="Event")


class EventNotUnderstood(StoflowError):
    """Nobody here can read this event, or take it: it was written by another version."""

    code, title = "event-not-understood", "This version does not understand the event"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Ids and words only: an event is kept, shown to operators, and
    never holds a secret.

    Change its fields together with `version`, and let `upgraded` read the older ones.
    """

    kind: ClassVar[str]
    """Stands in the database; never changes."""
    version: ClassVar[int] = 1

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    @classmethod
    def upgraded(cls, version: int, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload of an older version as this version has it. Raises `EventNotUnderstood`."""
        raise EventNotUnderstood(f"{cls.kind} of version {version} cannot be read.")


def written(event: Event) -> dict[str, Any]:
    """An event's fields as JSON."""
    payload: dict[str, Any] = _adapter(type(event)).dump_python(event, mode="json")
    return payload


def read(kind: type[EventT], version: int, payload: dict[str, Any]) -> EventT:
    """The event that was written. Raises `EventNotUnderstood`, which names no value."""
    if version != kind.version:
        payload = kind.upgraded(version, payload)
    try:
        # Strict JSON: a number is no text, but a text may be a moment.
        event: EventT = _adapter(kind).validate_json(json.dumps(payload))
    except ValidationError as error:
        wrong = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
        raise EventNotUnderstood(f"{kind.kind}: {', '.join(wrong)} cannot be read.") from None
    return event


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}
"""Built once a kind: building costs more than reading."""


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
