"""What every change in a shop's life begins with: its row, locked, in a status that allows it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from models.accounts.tenants import ASLEEP, Tenant, TenantStatus
from repositories.accounts.tenant_life import TenantLifeRepository
from shared.database import PlatformSession, TenantSchema
from shared.errors import Conflict, NotFound


class WrongStatus(Conflict):
    """The shop is in a part of its life from which there is no way to the one asked for."""

    code, title = "shop-status", "That is not possible with this shop as it is"


class ShopWork(Protocol):
    """What a shop still has to do; the selling wing knows."""

    def unfinished(self, session: PlatformSession, tenant: TenantSchema) -> Sequence[str]:
        """Jobs that run, wait or are due, in words."""
        ...

    def ring(self, session: PlatformSession, tenant: TenantSchema) -> None:
        """Ring the bells of a shop that can work again."""
        ...

    def call_off(
        self, session: PlatformSession, tenant: TenantSchema, because: str, at: datetime
    ) -> int:
        """End every job that has not ended; returns how many."""
        ...


def locked(session: PlatformSession, tenant: TenantSchema, *statuses: TenantStatus) -> Tenant:
    """The shop's row, locked, if it is in one of `statuses`.

    Raises `NotFound` and `WrongStatus`.
    """
    row = TenantLifeRepository(session).lock(tenant)
    if row is None:
        raise NotFound(f"There is no shop {tenant}.")
    if row.status not in statuses:
        asleep = f" Wake it first: 'stoflow tenants restore {tenant}'." * (row.status in ASLEEP)
        raise WrongStatus(f"{tenant} is {row.status}; {_allowed(statuses)}.{asleep}")
    return row


def _allowed(statuses: Sequence[TenantStatus]) -> str:
    words = " or ".join(status.value for status in statuses)
    return f"this is possible while a shop is {words}"
