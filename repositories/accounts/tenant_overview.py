"""All shops at a glance: a query for the list, one for the counts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, select, text

from models.accounts.identity import AuthSession, RefreshToken, User
from models.accounts.tenants import ASLEEP, Tenant, TenantStatus
from shared.database import PlatformSession, TenantSchema

_SIZES = text(
    r"""
    SELECT substring(n.nspname FROM 6)::bigint AS id,
           (sum(c.relpages + coalesce(t.relpages, 0))
            * current_setting('block_size')::bigint)::bigint AS bytes
    FROM pg_namespace n
    JOIN pg_class c ON c.relnamespace = n.oid
    LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
    WHERE n.nspname ~ '^user_[1-9][0-9]{0,17}$'
    GROUP BY 1"""
).columns(id=BigInteger, bytes=BigInteger)


class Sorting(StrEnum):
    """What comes first in a list of shops: the smallest number, else the largest or newest."""

    NUMBER = "number"
    SIZE = "size"
    ACTIVITY = "activity"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class ShopGlance:
    """A line about a shop."""

    tenant: TenantSchema
    email: str
    status: TenantStatus
    status_because: str | None
    version: str
    size: int
    """Bytes in tables and indexes, as PostgreSQL counted them at the last VACUUM or ANALYZE."""
    last_active: datetime | None
    """When the owner last signed in or renewed a sign-in; None when no sign-in is on record."""
    migration_error: str | None


@dataclass(frozen=True, slots=True)
class ShopFilter:
    """Which shops to list. `behind` names the newest revision: shops awake that are not at it."""

    statuses: Collection[TenantStatus] = ()
    behind: str | None = None

    def conditions(self) -> Sequence[ColumnElement[bool]]:
        """As SQL."""
        found: list[ColumnElement[bool]] = []
        if self.statuses:
            found.append(Tenant.status.in_(self.statuses))
        if self.behind is not None:
            found.append(Tenant.schema_version != self.behind)
            found.append(Tenant.status.not_in(ASLEEP))
        return found


class TenantOverview:
    """Reads `public.tenants` with what is known centrally; looks into no shop."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def shops(
        self, wanted: ShopFilter, sorting: Sorting = Sorting.NUMBER, limit: int | None = None
    ) -> Sequence[ShopGlance]:
        """Shops, in the order asked for."""
        sizes = _SIZES.subquery("sizes")
        active = (
            select(AuthSession.user_id, func.max(RefreshToken.issued_at).label("at"))
            .join(RefreshToken, RefreshToken.session_id == AuthSession.id)
            .group_by(AuthSession.user_id)
            .subquery("active")
        )
        size = func.coalesce(sizes.c.bytes, 0)
        first: dict[Sorting, list[Any]] = {
            Sorting.NUMBER: [],
            Sorting.SIZE: [size.desc()],
            Sorting.ACTIVITY: [active.c.at.desc().nulls_last()],
            Sorting.VERSION: [Tenant.schema_version],
        }
        rows = self._session.execute(
            select(Tenant, User.email, size, active.c.at)
            .join(User, User.id == Tenant.id)
            .outerjoin(sizes, sizes.c.id == Tenant.id)
            .outerjoin(active, active.c.user_id == Tenant.id)
            .where(*wanted.conditions())
            .order_by(*first[sorting], Tenant.id)
            .limit(limit)
        )
        return [
            ShopGlance(
                TenantSchema(tenant.id),
                email,
                tenant.status,
                tenant.status_because,
                tenant.schema_version,
                bytes_,
                at,
                tenant.migration_error,
            )
            for tenant, email, bytes_, at in rows
        ]

    def counts(self) -> Sequence[tuple[TenantStatus, str, int, int]]:
        """Status, revision, how many, and how many of these whose last migration failed."""
        failed = func.count(Tenant.migration_error)
        rows = self._session.execute(
            select(Tenant.status, Tenant.schema_version, func.count(), failed)
            .group_by(Tenant.status, Tenant.schema_version)
            .order_by(Tenant.status, Tenant.schema_version)
        )
        return [(status, version, count, failures) for status, version, count, failures in rows]
