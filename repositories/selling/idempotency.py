"""What was answered to requests that carried an `Idempotency-Key`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from models.selling.idempotency import IdempotencyKey
from shared.database import TenantSession
from shared.errors import Conflict

_LOCK_NOT_AVAILABLE = "55P03"


InTransaction: TypeAlias = TenantSession | Connection
"""A shop's transaction: its session, or, while that session begins, its connection."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What is known of a key; `status` is None while its first request is being served."""

    fingerprint: str
    status: int | None
    headers: Mapping[str, str]
    body: str


class IdempotencyKeyInUse(Conflict):
    """The first request with this key is still being served."""

    code, title = "idempotency-key-in-use", "A request with this key is still being served"


class IdempotencyKeyRepository:
    """Rows of `idempotency_keys`."""

    def __init__(self, transaction: InTransaction) -> None:
        self._transaction = transaction

    def claim(
        self,
        key: str,
        fingerprint: str,
        *,
        now: datetime,
        forgotten_before: datetime,
        leased_until: datetime | None,
    ) -> bool:
        """Take the key for this transaction, or False when it has been taken.

        Waits for another transaction that is taking it, and raises `IdempotencyKeyInUse` when the
        session's lock timeout is over. A key from before `forgotten_before` is free, and so is one
        whose lease has run out.
        """
        statement = insert(IdempotencyKey).values(
            key=key,
            fingerprint=fingerprint,
            status=None,
            headers={},
            body="",
            leased_until=leased_until,
            created_at=now,
        )
        names = ("fingerprint", "status", "headers", "body", "leased_until", "created_at")
        free = or_(
            IdempotencyKey.created_at < forgotten_before,
            IdempotencyKey.status.is_(None) & (IdempotencyKey.leased_until <= now),
        )
        try:
            taken = self._transaction.scalar(
                statement.on_conflict_do_update(
                    index_elements=[IdempotencyKey.key],
                    set_={name: statement.excluded[name] for name in names},
                    where=free,
                ).returning(IdempotencyKey.key)
            )
        except OperationalError as error:
            if getattr(error.orig, "pgcode", None) == _LOCK_NOT_AVAILABLE:
                raise IdempotencyKeyInUse(retry_after=1) from None
            raise
        return taken is not None

    def get(self, key: str) -> KnownKey | None:
        """What is known of a key."""
        found = self._transaction.execute(
            select(
                IdempotencyKey.fingerprint,
                IdempotencyKey.status,
                IdempotencyKey.headers,
                IdempotencyKey.body,
            ).where(IdempotencyKey.key == key)
        ).one_or_none()
        return None if found is None else KnownKey(*found)

    def answer(
        self,
        key: str,
        *,
        status: int,
        headers: dict[str, str],
        body: str,
        leased_until: datetime | None,
    ) -> None:
        """Keep the answer, unless the lease under which it was made is somebody else's by now."""
        self._transaction.execute(
            update(IdempotencyKey)
            .where(
                IdempotencyKey.key == key,
                IdempotencyKey.leased_until.is_not_distinct_from(leased_until),
            )
            .values(status=status, headers=headers, body=body, leased_until=None)
        )

    def release(self, key: str, leased_until: datetime) -> None:
        """Forget a key whose request came to nothing."""
        self._transaction.execute(
            delete(IdempotencyKey).where(
                IdempotencyKey.key == key, IdempotencyKey.leased_until == leased_until
            )
        )

    def forget(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` keys from before `before`; returns how many. Waits for nobody."""
        old = (
            select(IdempotencyKey.key)
            .where(IdempotencyKey.created_at < before)
            .order_by(IdempotencyKey.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        forgotten = self._transaction.scalars(
            delete(IdempotencyKey).where(IdempotencyKey.key.in_(old)).returning(IdempotencyKey.key)
        )
        return len(forgotten.all())
