"""The numbered news of shops: written by the shop's own transaction, read by whoever watches."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Integer,
    Interval,
    bindparam,
    column,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from models.accounts.news import ShopEvent, ShopEventCounter
from shared.database import PlatformSession, TenantSchema, TenantSession

_APPEND = text(
    "WITH numbered AS ("
    " INSERT INTO public.shop_event_counters AS counter (tenant_id, last_sequence)"
    " VALUES (:tenant, :number)"
    " ON CONFLICT (tenant_id) DO UPDATE"
    " SET last_sequence = counter.last_sequence + EXCLUDED.last_sequence"
    " RETURNING tenant_id, last_sequence"
    ") INSERT INTO public.shop_events (tenant_id, sequence, kind, payload, created_at)"
    " SELECT tenant_id, last_sequence - :number + place, :what, CAST(said AS jsonb), :moment"
    " FROM numbered, unnest(CAST(:say AS text[])) WITH ORDINALITY AS says (said, place)"
).bindparams(bindparam("moment", type_=DateTime(timezone=True)))
"""As a text: SQLAlchemy builds an upsert anew each time, and each job tells of itself twice."""

_SEEN = (
    func.unnest(
        bindparam("tenants", type_=ARRAY(BigInteger)),
        bindparam("sequences", type_=ARRAY(BigInteger)),
    )
    .table_valued(column("tenant_id", BigInteger), column("sequence", BigInteger))
    .render_derived("seen")
)
_NEWER = (
    select(ShopEvent)
    .join(
        _SEEN,
        (ShopEvent.tenant_id == _SEEN.c.tenant_id) & (ShopEvent.sequence > _SEEN.c.sequence),
    )
    .order_by(ShopEvent.tenant_id, ShopEvent.sequence)
    .limit(bindparam("most", type_=Integer))
)
"""Built once: every process asks it four times a second."""


def append_event(session: TenantSession, kind: str, payload: dict[str, Any], at: datetime) -> None:
    """Number an event and store it; see `append_events`."""
    append_events(session, kind, [payload], at)


def append_events(
    session: TenantSession, kind: str, payloads: Sequence[dict[str, Any]], at: datetime
) -> None:
    """Number events and store them: one statement. The shop's counter is locked until the commit.

    Append last in a transaction, after all other locks.
    """
    _append(session, session.tenant, kind, payloads, at)


def append_event_of(
    session: PlatformSession, tenant: TenantSchema, kind: str, payload: dict[str, Any], at: datetime
) -> None:
    """Likewise of a shop that the session is not bound to, open or not."""
    _append(session, tenant, kind, [payload], at)


def _append(
    session: PlatformSession,
    tenant: TenantSchema,
    kind: str,
    payloads: Sequence[dict[str, Any]],
    at: datetime,
) -> None:
    session.execute(
        _APPEND,
        {
            "tenant": tenant.tenant_id,
            "number": len(payloads),
            "what": kind,
            "say": [json.dumps(payload) for payload in payloads],
            "moment": at,
        },
    )


class ShopEventRepository:
    """Reads. On a `TenantSession` only the tenant's own events exist."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def last_sequence(self, tenant: TenantSchema) -> int:
        """The number of the newest event; 0 before the first."""
        counter = ShopEventCounter
        found = self._session.scalar(
            select(counter.last_sequence).where(counter.tenant_id == tenant.tenant_id)
        )
        return found or 0

    def after(self, tenant: TenantSchema, sequence: int, limit: int) -> Sequence[ShopEvent]:
        """Events of one shop beyond a number, oldest first."""
        return self.newer({tenant: sequence}, limit)

    def newer(self, known: Mapping[TenantSchema, int], limit: int) -> Sequence[ShopEvent]:
        """Events beyond what is known of each of these shops, in order within a shop."""
        return self._session.scalars(
            _NEWER,
            {
                "tenants": [each.tenant_id for each in known],
                "sequences": list(known.values()),
                "most": limit,
            },
        ).all()

    def newest_since(self, moment: datetime) -> Mapping[TenantSchema, int]:
        """The number of the newest event of each shop that has one written since a moment."""
        rows = self._session.execute(
            select(ShopEvent.tenant_id, func.max(ShopEvent.sequence))
            .where(ShopEvent.created_at >= moment)
            .group_by(ShopEvent.tenant_id)
        )
        return {TenantSchema(tenant_id): sequence for tenant_id, sequence in rows}

    def longest_open_transaction(self) -> timedelta:
        """For how long the oldest transaction of this database has been open, ours included."""
        open_for = self._session.scalar(
            text(
                "SELECT max(clock_timestamp() - xact_start) FROM pg_stat_activity"
                " WHERE datname = current_database()"
            ).columns(open_for=Interval)
        )
        return open_for if isinstance(open_for, timedelta) else timedelta(0)

    def delete_before(self, moment: datetime, limit: int) -> int:
        """Delete events older than a moment, at most `limit`; returns how many."""
        old = (
            select(ShopEvent.tenant_id, ShopEvent.sequence)
            .where(ShopEvent.created_at < moment)
            .order_by(ShopEvent.created_at)
            .limit(limit)
            .cte("old")
        )
        deleted = self._session.scalars(
            delete(ShopEvent)
            .where(ShopEvent.tenant_id == old.c.tenant_id, ShopEvent.sequence == old.c.sequence)
            .returning(ShopEvent.sequence)
        )
        return len(deleted.all())
