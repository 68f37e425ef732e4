"""Who is connected to this process: how many may, until when, and what each has been told."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.database import SignIn, TenantSchema
from shared.errors import StoflowError


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
        own = [
            each
            for each in self._by_sid.values()
            if each.tenant == watcher.tenant and each.device == watcher.device
        ]
        makes_room = own[0] if len(own) >= self._most_per_account else None
        if makes_room is None and len(self._by_sid) >= self._most:
            raise TooManyConnections
        if makes_room is not None:
            del self._by_sid[makes_room.sid]
        self._by_sid[watcher.sid] = watcher
        return makes_room

    def remove(self, sid: str) -> Watcher | None:
        """It has gone; returns whose it was, the first time."""
        return self._by_sid.pop(sid, None)

    def known(self) -> Mapping[TenantSchema, int]:
        """Up to which number everybody who watches a shop has been told."""
        least: dict[TenantSchema, int] = {}
        for watcher in self._by_sid.values():
            least[watcher.tenant] = min(watcher.told, least.get(watcher.tenant, watcher.told))
        return least

    def by_tenant(self) -> Mapping[TenantSchema, list[Watcher]]:
        """Watchers of each shop."""
        found: dict[TenantSchema, list[Watcher]] = defaultdict(list)
        for watcher in self._by_sid.values():
            found[watcher.tenant].append(watcher)
        return found
