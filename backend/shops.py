"""A shop's life, composed: for commands, and for the sign-in that wakes a shop."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from migrations.lines import TENANT, Line
from migrations.rendering import SchemaStep, head_of, revisions, tenant_script, tenant_steps
from services.accounts.identity.passwords import Passwords
from services.accounts.identity.registration import Registration
from services.accounts.tenants.archives.building import ShopBuilding
from services.accounts.tenants.archives.shelf import ArchiveShelf
from services.accounts.tenants.archives.snapshot import ShopSnapshots
from services.accounts.tenants.exporting import Exporting
from services.accounts.tenants.hibernating import Hibernation
from services.accounts.tenants.importing import Importing
from services.accounts.tenants.provisioning import TenantProvisioning
from services.accounts.tenants.retiring import Retirement
from services.accounts.tenants.suspending import Suspension
from services.accounts.tenants.waking import Waking
from services.gateways.object_store import ObjectStore
from services.selling.publishing.resting import RestingJobs
from shared.clock import Clock
from shared.database import Database


@dataclass(frozen=True)
class KnownTenantLine:
    """The tenant line for whoever builds shops out of archives."""

    line: Line = TENANT

    @property
    def revisions(self) -> Sequence[str]:
        """Oldest first."""
        return revisions(self.line)

    def statements(self, revision: str) -> Sequence[str]:
        """What makes an empty schema at this revision."""
        return tenant_script(until=revision, line=self.line).statements

    def steps(self, since: str, until: str) -> Sequence[SchemaStep]:
        """The revisions between two points."""
        return tenant_steps(since, until, self.line)


@dataclass(frozen=True)
class ShopLife:
    """All that can happen to a shop between its opening and its end."""

    suspension: Suspension
    hibernation: Hibernation
    waking: Waking
    retirement: Retirement
    exporting: Exporting
    importing: Importing


def _pause(span: timedelta) -> None:
    time.sleep(span.total_seconds())


def shop_life(
    database: Database,
    store: ObjectStore,
    passwords: Passwords,
    provisioning: TenantProvisioning,
    clock: Clock,
    *,
    line: Line = TENANT,
    pause: Callable[[timedelta], None] = _pause,
) -> ShopLife:
    """Put it together."""
    work = RestingJobs(database)
    shelf = ArchiveShelf(store, clock)
    snapshots = ShopSnapshots(database, store, head_of(line), clock)
    building = ShopBuilding(database, KnownTenantLine(line))
    registration = Registration(passwords, provisioning, clock)
    return ShopLife(
        suspension=Suspension(work, clock),
        hibernation=Hibernation(database, snapshots, shelf, work, clock, pause),
        waking=Waking(database, building, shelf, work, clock),
        retirement=Retirement(database, snapshots, shelf, work, clock),
        exporting=Exporting(snapshots),
        importing=Importing(database, building, registration, store, shelf, work, clock),
    )
