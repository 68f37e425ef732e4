"""The thread of a worker that relays events."""

import threading
from datetime import timedelta

import structlog

from services.accounts.outbox.relaying import OutboxRelay

log = structlog.get_logger(__name__)


class Relay:
    """Looks after each wake-up, and by itself after `poll`: a wake-up may get lost."""

    def __init__(self, outbox: OutboxRelay, poll: timedelta) -> None:
        self._outbox = outbox
        self._poll_s = poll.total_seconds()
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._relay, name="relay", daemon=True)

    def start(self) -> None:
        """Start the thread and return."""
        self._thread.start()

    def wake(self) -> None:
        """There may be events."""
        self._woken.set()

    def ask_to_stop(self) -> None:
        """Deliver no further event."""
        self._stopping.set()
        self._woken.set()

    def wait(self, grace: timedelta) -> bool:
        """Wait until it has stopped; False when a subscriber did not end in time."""
        self._thread.join(grace.total_seconds())
        return not self._thread.is_alive()

    def _relay(self) -> None:
        while not self._stopping.is_set():
            # Before the look: what is left during it wakes us again.
            self._woken.clear()
            if not self._turn() and not self._stopping.is_set():
                self._woken.wait(self._poll_s)

    def _turn(self) -> bool:
        try:
            return self._outbox.turn(lambda: not self._stopping.is_set())
        except Exception:
            # The database is away, most likely; leases bring back what was begun.
            log.exception("relay.turn_failed")
            return False
