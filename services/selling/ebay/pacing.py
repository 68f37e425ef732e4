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
    """Says whether an account has room for an upload. One for a process; thread-safe."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._recent: dict[TenantSchema, deque[float]] = {}

    def take_place(self, tenant: TenantSchema) -> float:
        """Take a place in the window: 0, or the seconds until there is one and none was taken."""
        with self._lock:
            now = self._monotonic()
            self._forget_idle(now)
            places = self._recent.setdefault(tenant, deque(maxlen=MOST))
            if len(places) == MOST and places[0] + WINDOW_SECONDS > now:
                return places[0] + WINDOW_SECONDS - now
            places.append(now)
            return 0.0

    def _forget_idle(self, now: float) -> None:
        for tenant in [
            tenant for tenant, places in self._recent.items() if places[-1] + WINDOW_SECONDS <= now
        ]:
            del self._recent[tenant]
