"""Which shops have something for their owners' browsers to do."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, any_, bindparam, delete, func, select, text

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
_LOCK = (
    select(BrowserBell.tenant_id)
    .where(BrowserBell.tenant_id == bindparam("tenant", type_=BigInteger))
    .with_for_update()
)
_DUE = (
    select(BrowserBell.tenant_id)
    .where(
        BrowserBell.tenant_id == any_(bindparam("tenants", type_=ARRAY(BigInteger))),
        BrowserBell.due_at <= bindparam("moment", type_=DateTime(timezone=True)),
    )
    .order_by(BrowserBell.due_at)
)


class BrowserBellRepository:
    """Rows of `public.browser_bells`. On a `TenantSession` only the tenant's own exists."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def ring(self, tenant: TenantSchema, due_at: datetime) -> None:
        """Say that there is something to send at `due_at` or earlier; the commit wakes bridges."""
        self._session.execute(_RING, {"tenant": tenant.tenant_id, "moment": due_at})
        wake_bridges_after(self._session, tenant)

    def set(self, tenant: TenantSchema, due_at: datetime | None) -> None:
        """Ring at exactly `due_at`, or not at all."""
        if due_at is None:
            self._session.execute(
                delete(BrowserBell).where(BrowserBell.tenant_id == tenant.tenant_id)
            )
        else:
            self._session.execute(_SET, {"tenant": tenant.tenant_id, "moment": due_at})

    def lock(self, tenant: TenantSchema) -> bool:
        """Let nobody ring it before the commit; False when it is not there to be locked."""
        return self._session.scalar(_LOCK, {"tenant": tenant.tenant_id}) is not None

    def ringing(self, now: datetime) -> int:
        """In how many shops there is something to do."""
        return self._session.scalar(select(func.count()).where(BrowserBell.due_at <= now)) or 0

    def due(self, among: Collection[TenantSchema], now: datetime) -> Sequence[TenantSchema]:
        """Those of these shops whose bell rings, the longest due first."""
        ids = self._session.scalars(
            _DUE, {"tenants": [each.tenant_id for each in among], "moment": now}
        )
        return [TenantSchema(each) for each in ids]
