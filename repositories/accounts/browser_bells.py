"""Which shops have something for their owners' browsers to do."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, bindparam, delete, select, text

from models.accounts.browser_bells import BrowserBell
from shared.database import PlatformSession, TenantSchema
from shared.database.wake_ups import wake_bridges_after

# As a text: SQLAlchemy builds an upsert anew each time.
_RING = text(
    "INSERT INTO public.browser_bells AS bell (tenant_id, due_at) VALUES (:tenant, :moment)"
    " ON CONFLICT (tenant_id) DO UPDATE SET due_at = least(bell.due_at, EXCLUDED.due_at)"
).bindparams(
    bindparam("tenant", type_=BigInteger), bindparam("moment", type_=DateTime(timezone=True))
)
_SET = text(
    "INSERT INTO public.browser_bells AS bell (tenant_id, due_at) VALUES (:tenant, :moment)"
    " ON CONFLICT (tenant_id) DO UPDATE SET due_at = EXCLUDED.due_at"
).bindparams(
    bindparam("tenant", type_=BigInteger), bindparam("moment", type_=DateTime(timezone=True))
)


class BrowserBellRepository:
    """Rows of `public.browser_bells`. On a `TenantSession` only the tenant's own exists."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def ring(self, tenant: TenantSchema, due_at: datetime) -> None:
        """Say that there is something to send at `due_at` or earlier; the commit wakes bridges."""
        self._session.execute(_RING, {"tenant": tenant.tenant_id, "moment": due_at})
        wake_bridges_after(self._session)

    def set(self, tenant: TenantSchema, due_at: datetime | None) -> None:
        """Ring at exactly `due_at`, or not at all."""
        if due_at is None:
            self._session.execute(
                delete(BrowserBell).where(BrowserBell.tenant_id == tenant.tenant_id)
            )
        else:
            self._session.execute(_SET, {"tenant": tenant.tenant_id, "moment": due_at})

    def due(self, among: Collection[TenantSchema], now: datetime) -> Sequence[TenantSchema]:
        """Those of these shops whose bell rings, the longest due first."""
        ids = self._session.scalars(
            select(BrowserBell.tenant_id)
            .where(
                BrowserBell.tenant_id.in_([each.tenant_id for each in among]),
                BrowserBell.due_at <= now,
            )
            .order_by(BrowserBell.due_at)
        )
        return [TenantSchema(each) for each in ids]
