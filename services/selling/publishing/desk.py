"""Where a handler does one attempt at one job: every outside call is remembered and told of."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from services.gateways.calls import Exchange
from services.selling.publishing.handlers import CancelRequested, Journal
from shared.clock import Clock
from shared.database import Database, TenantSchema


class PhotoStore(Protocol):
    """Where photos are kept."""

    def get(self, key: str) -> bytes:
        """The photo's bytes."""
        ...


class Workshop(Protocol):
    """What all handlers of a channel share."""

    @property
    def database(self) -> Database: ...

    @property
    def clock(self) -> Clock: ...


class JobDesk:
    """Tells the job's story. A channel's own desk adds its clients, watched by `watch`."""

    def __init__(self, tenant: TenantSchema, journal: Journal) -> None:
        self.tenant = tenant
        self.journal = journal
        self._exchanges: list[Exchange] = []

    def watch(self, exchange: Exchange) -> None:
        """Remember a call."""
        self._exchanges.append(exchange)

    @property
    def last(self) -> Exchange | None:
        """The last call that went out."""
        return self._exchanges[-1] if self._exchanges else None

    def note(
        self,
        name: str,
        progress: Mapping[str, Any] | None = None,
        certain: bool | None = None,
        **detail: Any,
    ) -> None:
        """Tell what the last call did. Raises when the job must stop."""
        last = self.last
        self.journal.checkpoint(
            name,
            progress=progress,
            request=last.request if last else None,
            response=last.response if last else None,
            http_status=last.status if last else None,
            detail={"operation": last.operation, **detail} if last else detail,
            certain=certain,
        )

    def note_too_late_to_cancel(
        self,
        name: str,
        progress: Mapping[str, Any] | None = None,
        certain: bool | None = None,
        **detail: Any,
    ) -> None:
        """As `note`, after the deed is done: a wish to cancel must not keep it from the books."""
        with suppress(CancelRequested):
            self.note(name, progress, certain, **detail)

    def note_done(self, name: str, listing_id: str) -> None:
        """Tell that there is a live listing now, which is not recorded yet."""
        progress = {"listing_id": listing_id}
        self.note_too_late_to_cancel(name, progress, certain=False, listing_id=listing_id)

    def once(self, key: str, name: str, act: Callable[[], object]) -> None:
        """Do a step unless an earlier attempt of this job has finished it."""
        done = list(self.journal.progress.get("done", []))
        if key in done:
            return
        act()
        self.note(name, {"done": [*done, key]}, step=key)
