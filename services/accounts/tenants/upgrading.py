"""Brings existing shops to the newest tenant revision, one transaction a shop."""

from collections.abc import Callable
from dataclasses import dataclass

from repositories.accounts.tenants import TenantRepository, TenantSchemaRepository
from services.accounts.tenants.provisioning import SchemaScript
from shared.database import Database, TenantSchema


@dataclass(frozen=True)
class UpgradeReport:
    """How an upgrade run ended."""

    upgraded: tuple[TenantSchema, ...]
    failed: tuple[tuple[TenantSchema, str], ...]
    """Shops left at their old revision, with the error."""


class TenantUpgrades:
    """`script_since(revision)` renders the SQL from that revision to the head, once."""

    def __init__(
        self, database: Database, script_since: Callable[[str], SchemaScript], head: str
    ) -> None:
        self._database = database
        self._script_since = script_since
        self._head = head

    def run(self, report: Callable[[str], None] = lambda _line: None) -> UpgradeReport:
        """Upgrade every shop that is behind; a failing one does not stop the others."""
        with self._database.platform() as session:
            behind = TenantRepository(session).behind(self._head)
        upgraded: list[TenantSchema] = []
        failed: list[tuple[TenantSchema, str]] = []
        for tenant, version in behind:
            try:
                self._upgrade(tenant, version)
            except Exception as error:
                failed.append((tenant, str(error)))
                report(f"{tenant}: left at {version}: {error}")
            else:
                upgraded.append(tenant)
                report(f"{tenant}: {version} → {self._head}")
        return UpgradeReport(tuple(upgraded), tuple(failed))

    def _upgrade(self, tenant: TenantSchema, version: str) -> None:
        script = self._script_since(version)
        with self._database.platform() as session:
            TenantSchemaRepository(session, self._database).run_inside(tenant, script.statements)
            TenantRepository(session).set_schema_version(tenant, script.revision)
