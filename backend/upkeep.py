"""Brings an installation up to date: shared schemas, catalogues, every shop."""

from collections.abc import Callable

from migrations.lines import TENANT
from migrations.rendering import head_of, tenant_script
from migrations.runner import migrate
from services.accounts.tenants.upgrading import TenantUpgrades, UpgradeReport
from services.reference.attributes.loading import CatalogueLoading
from shared.clock import Clock
from shared.database import Database

Say = Callable[[str], None]


def bring_up_to_date(
    database: Database, clock: Clock, say: Say = lambda _line: None
) -> UpgradeReport:
    """Migrate, load catalogues, upgrade shops. Safe to repeat; says one line a step.

    A shop that cannot be upgraded is reported and left as it was; the others go on.
    """
    migrate(database.engine, say)
    with database.platform() as session:
        loaded = CatalogueLoading(clock).load(session)
    if loaded.loaded:
        say(f"catalogues: {loaded.rows} rows from {', '.join(loaded.loaded)}")
    return TenantUpgrades(database, tenant_script, head_of(TENANT)).run(say)
