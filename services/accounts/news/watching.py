"""Reads the news of all shops that somebody is watching, in a few queries however many they are."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from models.accounts.news import ShopEvent
from repositories.accounts.identity import AuthSessionRepository
from repositories.accounts.news import ShopEventRepository
from repositories.accounts.tenants import TenantRepository
from shared.database import Database, SignIn, TenantSchema

AT_ONCE = 1000
"""Events read in one go; the rest comes in the next."""


class NewsWatch:
    """For a process that pushes news. Opens its own short transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, tenant: TenantSchema, sign_in: SignIn) -> int:
        """Ask whether this sign-in may watch this shop; returns the number of its newest event.

        Raises `SignedOut`, `TenantUnavailable`.
        """
        with self._database.tenant(tenant, sign_in) as session:
            return ShopEventRepository(session).last_sequence(tenant)

    def newer(self, known: Mapping[TenantSchema, int]) -> Sequence[ShopEvent]:
        """What happened since, in order within each shop."""
        with self._database.platform() as session:
            return ShopEventRepository(session).newer(known, AT_ONCE)

    def ended(self, sign_ins: Collection[UUID]) -> frozenset[UUID]:
        """Those of these sign-ins that were ended."""
        with self._database.platform() as session:
            return AuthSessionRepository(session).ended(sign_ins)

    def closed(self, tenants: Collection[TenantSchema]) -> frozenset[TenantSchema]:
        """Those of these shops that may not be used at the moment."""
        with self._database.platform() as session:
            return TenantRepository(session).not_active(tenants)
