"""How somebody subscribes: a name, a kind of event, and what to do about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeAlias

from services.accounts.outbox.events import Event, EventNotUnderstood, EventT
from shared.database import PlatformSession, TenantSchema, TenantSession


@dataclass(frozen=True, slots=True)
class Told(Generic[EventT]):
    """An event as a subscriber is told of it."""

    event: EventT
    event_id: int
    """The same whenever it is told again."""
    tenant: TenantSchema | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class InShop(Generic[EventT]):
    """Acts in a transaction of the event's shop; waits while the shop is closed.

    What it writes is committed together with the word that it was told. It asks nobody outside:
    for that it leaves a job.
    """

    name: str
    """Stands in the database; the same name may hear several kinds, in their order."""
    hears: type[EventT]
    act: Callable[[TenantSession, Told[EventT]], None]


@dataclass(frozen=True, slots=True)
class OnPlatform(Generic[EventT]):
    """Acts in a transaction on the shared schemas, whether or not the shop is open."""

    name: str
    hears: type[EventT]
    act: Callable[[PlatformSession, Told[EventT]], None]


Subscription: TypeAlias = InShop[Any] | OnPlatform[Any]


class Subscriptions:
    """The table of one process: who hears what."""

    def __init__(self, table: Sequence[Subscription]) -> None:
        self._by_name = {(each.hears.kind, each.name): each for each in table}
        assert len(self._by_name) == len(table), "somebody hears a kind twice"
        self.names = frozenset(each.name for each in table)
        self.kinds: Mapping[str, type[Event]] = {each.hears.kind: each.hears for each in table}

    def of(self, kind: str) -> Sequence[str]:
        """Names of those who hear this kind."""
        return [name for known, name in self._by_name if known == kind]

    def find(self, kind: str, name: str) -> Subscription:
        """Who is told. Raises `EventNotUnderstood` when this one hears the kind no more."""
        found = self._by_name.get((kind, name))
        if found is None:
            raise EventNotUnderstood(f"{name} does not hear {kind}.")
        return found
