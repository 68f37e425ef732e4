"""Bells: one row a shop and lane says when a worker should look there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import (
    CTE,
    BigInteger,
    DateTime,
    Executable,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    union_all,
    update,
)

from models.accounts.tenants import Lane, Tenant, TenantBell, TenantStatus
from shared.database import PlatformSession, TenantSchema
from shared.database.wake_ups import wake_workers_after


@dataclass(frozen=True, slots=True)
class RungBell:
    """A shop where work is due in a lane."""

    tenant: TenantSchema
    lane: Lane


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a lane is due and nobody has looked at yet."""

    shops: int
    since: datetime


_LANE = bindparam("lane_", type_=TenantBell.lane.type)
_MOMENT = bindparam("moment", type_=DateTime(timezone=True))
_UNTIL = bindparam("until", type_=DateTime(timezone=True))
_THIS = (TenantBell.tenant_id == bindparam("tenant", type_=BigInteger), TenantBell.lane == _LANE)
_NOT_ORM = {"synchronize_session": False}

_LOCK = select(TenantBell.tenant_id).where(*_THIS).with_for_update()
_HOLD = (
    update(TenantBell)
    .where(*_THIS)
    .values(leased_until=_UNTIL)
    .returning(TenantBell.tenant_id)
    .execution_options(**_NOT_ORM)
)
_TAKE_DOWN = delete(TenantBell).where(*_THIS).execution_options(**_NOT_ORM)
_UPSERT = (
    "INSERT INTO public.tenant_bells AS bell (tenant_id, lane, due_at, leased_until)"
    " VALUES (:tenant, :lane_, :moment, NULL)"
    " ON CONFLICT (tenant_id, lane) DO UPDATE SET due_at = "
)
_TYPED = (bindparam("tenant", type_=BigInteger), _LANE, _MOMENT)
# As texts: SQLAlchemy builds an upsert anew each time.
_RING = text(f"{_UPSERT}least(bell.due_at, EXCLUDED.due_at)").bindparams(*_TYPED)
_SET = text(f"{_UPSERT}EXCLUDED.due_at, leased_until = NULL").bindparams(*_TYPED)


@cache
def _lease_next(lanes: Sequence[Lane]) -> Executable:
    """A look into each lane, in this order, until a bell is found: all of it one statement.

    Built once, like the others that each job needs: building costs more than PostgreSQL's answer.
    """
    looks: list[CTE] = []
    for lane in lanes:
        look = (
            select(TenantBell.tenant_id, TenantBell.lane)
            .where(
                TenantBell.lane == lane,
                TenantBell.due_at <= _MOMENT,
                or_(TenantBell.leased_until.is_(None), TenantBell.leased_until <= _MOMENT),
                *(~select(before).exists() for before in looks),
            )
            .order_by(TenantBell.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        looks.append(look.cte(f"in_{lane}"))
    found = union_all(*(select(look) for look in looks)).subquery("found")
    return (
        update(TenantBell)
        .where(TenantBell.tenant_id == found.c.tenant_id, TenantBell.lane == found.c.lane)
        .values(leased_until=_UNTIL)
        .returning(TenantBell.tenant_id, TenantBell.lane)
        .execution_options(**_NOT_ORM)
    )


def _key(bell: RungBell) -> dict[str, object]:
    return {"tenant": bell.tenant.tenant_id, "lane_": bell.lane}


class BellRepository:
    """Rows of `public.tenant_bells`. On a `TenantSession` only the tenant's own exist."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def ring(self, tenant: TenantSchema, lane: Lane, due_at: datetime) -> None:
        """Say that work is due at `due_at` or earlier. Locks the bell until the commit, which wakes
        sleeping workers.

        Call it before writing jobs: all who leave work for one shop and lane pass here first,
        one at a time, so that they cannot wait for each other in a circle.
        """
        self.ring_later(tenant, lane, due_at)
        wake_workers_after(self._session)

    def ring_later(self, tenant: TenantSchema, lane: Lane, due_at: datetime) -> None:
        """Likewise, of work that is not due yet: nobody is woken for it."""
        self._session.execute(_RING, {**_key(RungBell(tenant, lane)), "moment": due_at})

    def lease_next(self, lanes: Sequence[Lane], now: datetime, until: datetime) -> RungBell | None:
        """Take the bell that has been due longest in the first of these lanes that has one that is
        due, or None when all is quiet.

        Its cost depends on the number of due bells only, never on the number of shops.
        """
        found = self._session.execute(
            _lease_next(tuple(lanes)), {"moment": now, "until": until}
        ).one_or_none()
        return None if found is None else RungBell(TenantSchema(found[0]), found[1])

    def lock(self, bell: RungBell) -> bool:
        """Lock the row until the commit; False when somebody has taken it down."""
        found = self._session.scalar(_LOCK, _key(bell))
        return found is not None

    def hold(self, bell: RungBell, until: datetime) -> bool:
        """Lock it likewise, and let nobody else hear it before `until` unless it is set anew."""
        found = self._session.execute(_HOLD, {**_key(bell), "until": until}).scalar()
        return found is not None

    def set(self, bell: RungBell, due_at: datetime | None) -> None:
        """Let the bell ring at exactly `due_at`, or take it down when nothing is left to do."""
        if due_at is None:
            self._session.execute(_TAKE_DOWN, _key(bell))
        else:
            self._session.execute(_SET, {**_key(bell), "moment": due_at})

    def put_off(self, bell: RungBell, due_at: datetime) -> None:
        """Take the bell of a closed shop down: whoever opens the shop rings anew. One that may be
        open, or is being opened or upgraded at this moment, rings at `due_at`.
        """
        status = self._session.scalar(
            select(Tenant.status)
            .where(Tenant.id == bell.tenant.tenant_id)
            .with_for_update(read=True, skip_locked=True)
        )
        closed = status is not None and status is not TenantStatus.ACTIVE
        self.set(bell, None if closed else due_at)

    def waiting(self, now: datetime) -> Mapping[Lane, Waiting]:
        """By lane, how many shops have work that is due, and since when; a quiet lane is absent."""
        rows = self._session.execute(
            select(TenantBell.lane, func.count(), func.min(TenantBell.due_at))
            .where(
                TenantBell.due_at <= now,
                or_(TenantBell.leased_until.is_(None), TenantBell.leased_until <= now),
            )
            .group_by(TenantBell.lane)
        )
        return {lane: Waiting(shops, since) for lane, shops, since in rows}

    def shops_with_one(self) -> Sequence[TenantSchema]:
        """Every shop that has live jobs, as far as bells tell."""
        ids = self._session.scalars(
            select(TenantBell.tenant_id).distinct().order_by(TenantBell.tenant_id)
        )
        return [TenantSchema(each) for each in ids]

    def open_shops(self, after: int = 0, limit: int | None = None) -> Sequence[TenantSchema]:
        """Shops in which jobs may run, by number, beginning behind `after`."""
        ids = self._session.scalars(
            select(Tenant.id)
            .where(Tenant.status == TenantStatus.ACTIVE, Tenant.id > after)
            .order_by(Tenant.id)
            .limit(limit)
        )
        return [TenantSchema(each) for each in ids]

    def number_of_open_shops(self) -> int:
        """In how many shops jobs may run."""
        return (
            self._session.scalar(select(func.count()).where(Tenant.status == TenantStatus.ACTIVE))
            or 0
        )

    def shops_that_lack_one(self, after: int, limit: int) -> Sequence[TenantSchema]:
        """The next open shops behind `after` that have not a bell in every lane."""
        bells = (
            select(func.count())
            .where(TenantBell.tenant_id == Tenant.id)
            .correlate(Tenant)
            .scalar_subquery()
        )
        ids = self._session.scalars(
            select(Tenant.id)
            .where(Tenant.status == TenantStatus.ACTIVE, Tenant.id > after, bells < len(Lane))
            .order_by(Tenant.id)
            .limit(limit)
        )
        return [TenantSchema(each) for each in ids]
