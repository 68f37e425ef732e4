"""Accounts whose orders are followed, and when each is due."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.accounts.order_polls import OrderPoll
from models.accounts.tenants import Tenant, TenantStatus
from shared.database import PlatformSession, TenantSchema


class OrderPollRepository:
    """Rows of `public.order_polls`. On a `TenantSession` only the tenant's own exist."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def follow(self, tenant: TenantSchema, channel: str, due_at: datetime) -> None:
        """Ask this account for orders from now on; one that is followed already stays as it is."""
        self._session.execute(
            insert(OrderPoll)
            .values(tenant_id=tenant.tenant_id, channel=channel, due_at=due_at)
            .on_conflict_do_nothing()
        )

    def leave(self, tenant: TenantSchema, channel: str) -> None:
        """Ask it no more; how far it was read is kept in the shop."""
        self._session.execute(
            delete(OrderPoll).where(
                OrderPoll.tenant_id == tenant.tenant_id, OrderPoll.channel == channel
            )
        )

    def put_off(self, tenant: TenantSchema, channel: str, due_at: datetime) -> None:
        """Ask it again then."""
        self._session.execute(
            update(OrderPoll)
            .where(OrderPoll.tenant_id == tenant.tenant_id, OrderPoll.channel == channel)
            .values(due_at=due_at)
        )

    def followed_by(self, tenant: TenantSchema) -> Sequence[str]:
        """Channels of this shop whose orders are followed."""
        return self._session.scalars(
            select(OrderPoll.channel)
            .where(OrderPoll.tenant_id == tenant.tenant_id)
            .order_by(OrderPoll.channel)
        ).all()

    def due(self, now: datetime, limit: int) -> Sequence[tuple[TenantSchema, str]]:
        """Accounts of open shops that are due, longest due first."""
        rows = self._session.execute(
            select(OrderPoll.tenant_id, OrderPoll.channel)
            .join(Tenant, Tenant.id == OrderPoll.tenant_id)
            .where(OrderPoll.due_at <= now, Tenant.status == TenantStatus.ACTIVE)
            .order_by(OrderPoll.due_at)
            .limit(limit)
        )
        return [(TenantSchema(tenant_id), channel) for tenant_id, channel in rows]

    def number_on(self, channel: str) -> int:
        """How many accounts of a channel are followed."""
        return (
            self._session.scalar(
                select(func.count()).select_from(OrderPoll).where(OrderPoll.channel == channel)
            )
            or 0
        )
