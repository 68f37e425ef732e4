"""How fast one account may upload photos: eBay takes 50 in 5 seconds and refuses the next."""

import threading
import time
from collections import deque
from collections.abc import Callable

from shared.database import TenantSchema

MOST = 45
"""A few fewer than eBay's 50, for what another process of ours may send."""

WINDOW_SECONDS = 5.0


class UploadPace:
    """Holds an upload back until the account has room for it. One for a process; thread-safe."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._pause = pause
        self._lock = threading.Lock()
        self._recent: dict[TenantSchema, deque[float]] = {}

    def wait(self, tenant: TenantSchema) -> None:
        """Take a place in the window; returns when it has come."""
        seconds = self._seconds_until_free(tenant)
        if seconds > 0:
            self._pause(seconds)

    def _seconds_until_free(self, tenant: TenantSchema) -> float:
        with self._lock:
            now = self._monotonic()
            self._forget_idle(now)
            places = self._recent.setdefault(tenant, deque(maxlen=MOST))
            full = len(places) == MOST
            place = max(now, places[0] + WINDOW_SECONDS) if full else now
            places.append(place)
            return place - now

    def _forget_idle(self, now: float) -> None:
        for tenant in [
            tenant for tenant, places in self._recent.items() if places[-1] + WINDOW_SECONDS <= now
        ]:
            del self._recent[tenant]
