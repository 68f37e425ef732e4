"""Keeps the answer to a request under the key that its client made up, for when it comes again.

A request that is one transaction takes its key in that transaction: key, work and answer are
there together or not at all, and a second request that arrives meanwhile waits for the first.
A request of several transactions takes a lease on the key first and keeps the answer last.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from repositories.selling.idempotency import (
    IdempotencyKeyInUse,
    IdempotencyKeyRepository,
    InTransaction,
)
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import BadInput, StoflowError

__all__ = [
    "Answered",
    "Claim",
    "Idempotency",
    "IdempotencyKeyInUse",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyReused",
    "InTransaction",
    "KeyedRequest",
]

KEPT_FOR = timedelta(hours=48)
"""A client that was cut off on Friday evening and tries again on Saturday gets its answer."""

PATIENCE = timedelta(seconds=5)
"""How long a request waits for another one with the same key."""

LEASE = timedelta(minutes=10)
"""Longer than an import takes; after it a request of several transactions is served anew."""

MAX_LENGTH = 255
FORGOTTEN_AT_ONCE = 20
"""Old keys that a new one takes away: more than one, so that they cannot pile up."""

_PRINTABLE = frozenset(string.ascii_letters + string.digits + string.punctuation + " ")


class IdempotencyKeyInvalid(StoflowError):
    """The key is empty, too long, or not made of printable ASCII characters."""

    status, code = 400, "idempotency-key-invalid"
    title = "An Idempotency-Key has 1 to 255 printable ASCII characters"


class IdempotencyKeyReused(BadInput):
    """The key came with another request before."""

    code, title = "idempotency-key-reused", "This key was used for another request"


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A key and the fingerprint of its request. Raises `IdempotencyKeyInvalid`."""

    key: str
    fingerprint: str

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= MAX_LENGTH or not _PRINTABLE.issuperset(self.key):
            raise IdempotencyKeyInvalid


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it went out."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to serve a request; `leased_until` None means until the transaction ends."""

    request: KeyedRequest
    leased_until: datetime | None


class Idempotency:
    """The keys of one shop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def claim(self, transaction: InTransaction, request: KeyedRequest) -> Claim | Answered:
        """Take the key in the transaction that does the work, or get what was answered before.

        Give the transaction `PATIENCE` as its lock timeout. Raises `IdempotencyKeyReused` and
        `IdempotencyKeyInUse`.
        """
        return self._claim(transaction, request, None)

    def lease(self, session: TenantSession, request: KeyedRequest) -> Claim | Answered:
        """Take the key for a request of several transactions; commit before these begin.

        Raises `IdempotencyKeyReused` and `IdempotencyKeyInUse`.
        """
        return self._claim(session, request, self._clock.now() + LEASE)

    def answer(self, session: TenantSession, claim: Claim, answered: Answered) -> None:
        """Keep the answer; part of the transaction that did the work, or of the last one."""
        IdempotencyKeyRepository(session).answer(
            claim.request.key,
            status=answered.status,
            headers=dict(answered.headers),
            body=answered.body,
            leased_until=claim.leased_until,
        )

    def release(self, session: TenantSession, claim: Claim) -> None:
        """A leased request failed: it may be sent again with the same key."""
        if claim.leased_until is not None:
            IdempotencyKeyRepository(session).release(claim.request.key, claim.leased_until)

    def prune(self, transaction: InTransaction, limit: int) -> int:
        """Forget up to `limit` keys that are older than `KEPT_FOR`; returns how many."""
        return IdempotencyKeyRepository(transaction).forget(self._clock.now() - KEPT_FOR, limit)

    def _claim(
        self, transaction: InTransaction, request: KeyedRequest, leased_until: datetime | None
    ) -> Claim | Answered:
        keys, now = IdempotencyKeyRepository(transaction), self._clock.now()
        if keys.claim(
            request.key,
            request.fingerprint,
            now=now,
            forgotten_before=now - KEPT_FOR,
            leased_until=leased_until,
        ):
            self.prune(transaction, FORGOTTEN_AT_ONCE)
            return Claim(request, leased_until)
        known = keys.get(request.key)
        if known is None:
            raise IdempotencyKeyInUse(retry_after=1)
        if known.fingerprint != request.fingerprint:
            raise IdempotencyKeyReused("Make up a new key for a new request.")
        if known.status is None:
            raise IdempotencyKeyInUse(retry_after=5)
        return Answered(known.status, known.headers, known.body)
