"""Installations that are broken on purpose, and what is said about them."""

from collections.abc import Sequence

from sqlalchemy import text

from migrations.access import grant_tenant_access
from migrations.access_check import lacking_access
from migrations.lines import TENANT
from migrations.rendering import head_of, tenant_script
from services.accounts.tenants.diagnosing import Finding, TenantDiagnosis, Trouble
from services.accounts.tenants.mending import Mending, TenantMending
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import Clock
from shared.database import Database, TenantSchema, create_database_engine
from tests.factories.accounts import make_user


def as_platform(database: Database, *statements: str) -> None:
    """What somebody does by hand, as the platform's login."""
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def open_shop(database: Database, clock: Clock) -> TenantSchema:
    """An account and its shop, through the real service."""
    with database.platform() as session:
        user = make_user(session, clock)
        return TenantProvisioning(database, tenant_script(), clock).provision(session, user.id)


def doctor_of(database: Database, clock: Clock) -> TenantDiagnosis:
    """The diagnosis as the command line puts it together."""
    return TenantDiagnosis(
        database,
        clock,
        head_of(TENANT),
        lambda session: lacking_access(session.connection(), database.name),
    )


def findings(database: Database, clock: Clock, *only: TenantSchema) -> list[Finding]:
    """All that is wrong, without advice.

    And without bloated catalogs: those of a database whose shops come and go with every test are.
    """
    diagnosis = doctor_of(database, clock)
    found = [*diagnosis.of_shops(only), *diagnosis.of_installation(in_production=False)]
    bloat = Trouble.CATALOG_BLOAT
    return [each for each in found if not each.is_advice and each.trouble is not bloat]


def troubles(found: Sequence[Finding]) -> list[tuple[str, TenantSchema | None]]:
    """Kind and shop of each finding."""
    return [(each.trouble.value, each.tenant) for each in found]


def mend(database: Database, *only: TenantSchema) -> Mending:
    """Mend as the command line does."""
    return TenantMending(
        database, lambda session: grant_tenant_access(session.connection(), database.name)
    ).run(only)


def rename(database: Database, name: str) -> None:
    """Rename a database that nobody else is connected to."""
    database.engine.dispose()
    url = database.engine.url.set(database="postgres")
    engine = create_database_engine(url.render_as_string(hide_password=False))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'ALTER DATABASE "{database.name}" RENAME TO "{name}"'))
    engine.dispose()
