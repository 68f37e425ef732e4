"""How much one client may ask for: slowapi's limiter, counted per account or per address.

Counts live in memory, or in Redis when several processes share them. When Redis does not answer,
each process counts for itself until it does: the API stays up.
"""

from dataclasses import dataclass
from datetime import timedelta
from time import time
from typing import Any

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry
from slowapi import Limiter
from starlette.requests import HTTPConnection

from api.dependencies.actors import signed_in_actor
from shared.clock import SystemClock
from shared.errors import TooManyRequests, Unauthenticated

_REDIS_OPTIONS: dict[str, Any] = {
    "wrap_exceptions": True,
    "retry": Retry(NoBackoff(), 0),
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
}
"""Seconds. A request does not wait longer than this for its count."""

_ALONE_FOR = timedelta(seconds=5)
"""After Redis did not answer, a process counts for itself this long before it asks again."""

_log = structlog.get_logger("stoflow.limits")


SWEEP_EVERY_S = 1.0
"""How often counts of windows that are over are thrown away."""


class CountsInMemory(MemoryStorage):
    """The library's counts, swept once in a while.

    Its own `incr` starts a thread for sweeping up to a hundred times a second, and the event loop
    waits for each to start: a fifth of its time when it serves product lists. A window that is
    over counts for nothing also before it is swept.
    """

    STORAGE_SCHEME = ["stoflow-memory"]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str):
        super().__init__(uri, wrap_exceptions, **options)
        self._sweep_at = 0.0

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count `amount` in the window of this key, which lasts `expiry` seconds from its first."""
        now = time()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_EVERY_S
            return super().incr(key, expiry, amount)
        begun = self.get(key)
        with self.locks[key]:
            if not begun:
                self.expirations[key] = now + expiry
            self.storage[key] += amount
        return self.storage[key]


@dataclass(frozen=True, slots=True)
class Spent:
    """One request counted."""

    allowed: bool
    limit: int
    remaining: int
    reset_in: int
    """Seconds until the window starts anew."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What a client is told."""
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.reset_in),
        ]

    def refusal(self) -> TooManyRequests:
        """The error for a request that was one too many."""
        return TooManyRequests(f"Try again in {self.reset_in} seconds.", retry_after=self.reset_in)


class RequestLimits:
    """Counts requests against `requests` and sign-in attempts against `sign_in`.

    Both are written as `600/minute`.
    """

    def __init__(self, *, requests: str, sign_in: str, redis_url: str | None) -> None:
        self.shared = redis_url is not None
        self._limiter = Limiter(
            key_func=lambda: "",
            storage_uri=redis_url or f"{CountsInMemory.STORAGE_SCHEME[0]}://",
            storage_options=_REDIS_OPTIONS if self.shared else {},
        )
        self._alone = FixedWindowRateLimiter(CountsInMemory())
        self._requests = parse(requests)
        self._sign_in = parse(sign_in)
        # Windows are kept by the storage, in the machine's own time.
        self._clock = SystemClock()
        self._alone_until = self._clock.now()

    def spend_request(self, key: str) -> Spent:
        """Count one request of this client."""
        return self._spend(self._requests, "request", key)

    def spend(self, address: str) -> None:
        """Count one attempt to sign in, register or refresh. Raises `TooManyRequests`."""
        spent = self._spend(self._sign_in, "sign-in", address)
        if not spent.allowed:
            raise spent.refusal()

    def _spend(self, item: RateLimitItem, what: str, key: str) -> Spent:
        if self._clock.now() >= self._alone_until:
            try:
                return self._count(self._limiter.limiter, item, what, key)
            except StorageError as error:
                self._alone_until = self._clock.now() + _ALONE_FOR
                _log.warning("rate limits are counted per process", because=str(error))
        return self._count(self._alone, item, what, key)

    def _count(self, strategy: RateLimiter, item: RateLimitItem, what: str, key: str) -> Spent:
        allowed = strategy.hit(item, what, key)
        window = strategy.get_window_stats(item, what, key)
        reset_in = max(1, round(window.reset_time - self._clock.now().timestamp()))
        return Spent(allowed, item.amount, max(0, window.remaining), reset_in)


def client_key(connection: HTTPConnection, trusted_proxies: int) -> str:
    """Whom a request is counted against: the account of a genuine token, else the address."""
    if "authorization" in connection.headers:
        try:
            return f"account:{signed_in_actor(connection).user_id}"
        except Unauthenticated:
            pass
    return f"address:{client_address(connection, trusted_proxies)}"


def client_address(connection: HTTPConnection, trusted_proxies: int) -> str:
    """The client's address: what the outermost proxy of ours saw.

    Each proxy appends the address it was called from to X-Forwarded-For, so the last
    `trusted_proxies` entries are ours and everything before them is the client's own claim.
    """
    peer = connection.client.host if connection.client else "unknown"
    if trusted_proxies == 0:
        return peer
    forwarded = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    seen = [entry.strip() for entry in forwarded if entry.strip()]
    return seen[-min(trusted_proxies, len(seen))] if seen else peer
