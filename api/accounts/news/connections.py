"""Who is connected to this process: how many may, until when, and what each has been told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.database import SignIn, TenantSchema
from shared.errors import StoflowError

AT_ONCE, PARTS = 250, 8
"""How many sockets of a round come next: so many, or this part of all where that is more."""


class TooManyConnections(StoflowError):
    """This process holds as many sockets as it may."""

    status, code, title = 503, "too-many-connections", "Too many are connected; try again later"


@dataclass(slots=True)
class Watcher:
    """One socket of one account."""

    sid: str
    tenant: TenantSchema
    sign_in: SignIn
    expires_at: datetime
    """When its access token ends; a new one may be sent before."""
    told: int
    """Number of the last event it was sent."""
    device: bool = False
    """Whether it is the extension in a paired browser."""


class Connections:
    """The sockets of this process. Used from its event loop alone."""

    def __init__(self, most: int, most_per_account: int) -> None:
        self._most = most
        self._most_per_account = most_per_account
        self._by_sid: dict[str, Watcher] = {}
        self._by_tenant: dict[TenantSchema, dict[str, Watcher]] = {}
        self._known: dict[TenantSchema, int] = {}

    def __len__(self) -> int:
        return len(self._by_sid)

    def all(self) -> Sequence[Watcher]:
        """Everybody, the longest connected first."""
        return list(self._by_sid.values())

    def get(self, sid: str) -> Watcher | None:
        """The watcher behind a socket."""
        return self._by_sid.get(sid)

    def add(self, watcher: Watcher) -> Watcher | None:
        """Take it in; returns the account's oldest of its kind when that has to make room.

        Raises `TooManyConnections`.
        """
        of_shop = self._by_tenant.get(watcher.tenant, {})
        own = [each for each in of_shop.values() if each.device == watcher.device]
        makes_room = own[0] if len(own) >= self._most_per_account else None
        if makes_room is None and len(self._by_sid) >= self._most:
            raise TooManyConnections
        if makes_room is not None:
            self.remove(makes_room.sid)
        self._by_sid[watcher.sid] = watcher
        self._by_tenant.setdefault(watcher.tenant, {})[watcher.sid] = watcher
        self._know(watcher.tenant)
        return makes_room

    def remove(self, sid: str) -> Watcher | None:
        """It has gone; returns whose it was, the first time."""
        watcher = self._by_sid.pop(sid, None)
        if watcher is not None:
            of_shop = self._by_tenant[watcher.tenant]
            del of_shop[sid]
            if not of_shop:
                del self._by_tenant[watcher.tenant]
            self._know(watcher.tenant)
        return watcher

    def tell(self, watcher: Watcher, sequence: int) -> None:
        """It has been told up to this number."""
        watcher.told = sequence
        self._know(watcher.tenant)

    def known(self) -> Mapping[TenantSchema, int]:
        """Up to which number everybody who watches a shop has been told."""
        return dict(self._known)

    def _know(self, tenant: TenantSchema) -> None:
        told = [each.told for each in self.of(tenant)]
        if told:
            self._known[tenant] = min(told)
        else:
            self._known.pop(tenant, None)

    def of(self, tenant: TenantSchema) -> Sequence[Watcher]:
        """Who watches a shop."""
        return list(self._by_tenant.get(tenant, {}).values())


class Rounds:
    """Goes round all sockets, some at a time: those in between do not wait for long."""

    def __init__(self, connections: Connections, every: timedelta, clock: Clock) -> None:
        """A round begins `every` so often, the first time after that long."""
        self._connections = connections
        self._every = every
        self._clock = clock
        self._begins_at = clock.now() + every
        self._left: list[Watcher] = []
        self._at_once = AT_ONCE

    def next(self) -> Sequence[Watcher]:
        """The next of this round that are still connected; nobody until another is due."""
        now = self._clock.now()
        if not self._left and now >= self._begins_at:
            self._begins_at = now + self._every
            self._left = list(self._connections.all())
            self._at_once = max(AT_ONCE, len(self._left) // PARTS)
        some, self._left = self._left[: self._at_once], self._left[self._at_once :]
        return [each for each in some if self._connections.get(each.sid) is each]
