"""The bridge of one process, for whoever holds the sockets: messages in, messages out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from repositories.accounts.browser_bells import BrowserBellRepository
from services.gateways.object_store import ObjectStore
from services.selling.vinted.bridge.dispatching import Dispatch, Dispatching, Pace
from services.selling.vinted.bridge.executors import Browser, Executors
from services.selling.vinted.bridge.leases import (
    CommandLease,
    CommandLeases,
    PhotoLink,
    SignedPhotoLinks,
)
from services.selling.vinted.bridge.results import CommandResults
from shared.clock import Clock
from shared.database import Database, TenantSchema


@dataclass(frozen=True, slots=True)
class Message:
    """`execute_job`, ready to be sent."""

    dispatch: Dispatch
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """What to send to an executor now, and when to look again."""

    message: Message | None
    again_at: datetime | None
    unheard: bool
    """Whether the account does not know how this executor stands at Vinted."""


class VintedBridge:
    """Safe to use from several threads; opens short transactions."""

    def __init__(
        self,
        database: Database,
        leases: CommandLeases,
        photos: SignedPhotoLinks,
        store: ObjectStore,
        pace: Pace,
        sites: Collection[str],
        clock: Clock,
    ) -> None:
        self._database = database
        self.leases = leases
        self._photos = photos
        self._store = store
        self._clock = clock
        self._dispatching = Dispatching(database, pace, clock)
        self.executors = Executors(database, sites, clock)
        self.results = CommandResults(database, leases, clock)
        self.refused = self._dispatching.refused

    def due(self, among: Collection[TenantSchema]) -> Sequence[TenantSchema]:
        """Those of these shops whose bells ring."""
        with self._database.platform() as session:
            return BrowserBellRepository(session).due(among, self._clock.now())

    def next(self, tenant: TenantSchema, browser: Browser, *, answered: bool = False) -> Turn:
        """What this executor is to do now; `answered` when all that happened is that it did what
        it had been sent.
        """
        look = self._dispatching.next(tenant, browser, answered=answered)
        message = None if look.dispatch is None else self._message(look.dispatch)
        return Turn(message, look.again_at, look.unheard)

    def again(self, tenant: TenantSchema, browser: Browser) -> Sequence[Message]:
        """What it was sent before its line broke, and has not answered."""
        return [self._message(each) for each in self._dispatching.again(tenant, browser)]

    def _message(self, dispatch: Dispatch) -> Message:
        lease = CommandLease(
            dispatch.tenant,
            dispatch.command_id,
            dispatch.method,
            dispatch.path,
            dispatch.site,
            dispatch.lane,
            dispatch.deadline,
        )
        request: dict[str, Any] = {
            "site": dispatch.site,
            "method": dispatch.method,
            "path": dispatch.path,
            "query": dispatch.query,
            "json": dispatch.body,
        }
        if dispatch.photo is not None:
            request["photo"] = self._photo(dispatch.photo, dispatch.lost_at)
        return Message(
            dispatch,
            {
                "command_id": str(dispatch.command_id),
                "job_id": dispatch.job_id,
                "action": dispatch.action,
                "step": dispatch.step,
                "lease": self.leases.sign(lease),
                "deadline": dispatch.deadline.isoformat(),
                "request": request,
            },
        )

    def _photo(self, photo: dict[str, Any], until: datetime) -> dict[str, Any]:
        key, content_type = photo["object_key"], photo["content_type"]
        url = self._store.signed_url(key, until - self._clock.now())
        return {
            "url": url or self._photos.link(PhotoLink(key, content_type), until),
            "sha256": photo["sha256"],
            "content_type": content_type,
            "fields": photo["fields"],
        }
