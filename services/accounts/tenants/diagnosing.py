"""Finds what is wrong with shops, and with what they stand on. Reads only."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from models.accounts.tenants import ASLEEP, TenantStatus
from repositories.accounts.ownership import OwnershipRepository, Repair
from repositories.accounts.schema_catalog import SchemaCatalog
from repositories.accounts.schema_differences import MENDED_ALONE, differences
from repositories.accounts.tenant_survey import SchemaSays, ShopCondition, TenantSurvey
from shared.clock import Clock
from shared.database import TEMPLATE_SCHEMA, Database, PlatformSession, TenantSchema

STUCK_AFTER = timedelta(hours=1)
"""Archiving a shop takes seconds to minutes."""

BLOATED_FROM = 100_000
"""Dead rows of a catalog; autovacuum keeps a healthy one far below."""


class Trouble(StrEnum):
    """A kind of finding; programs may branch on it."""

    BEHIND = "behind"
    MIGRATION_FAILED = "migration-failed"
    DRIFT = "drift"
    VERSION_DIFFERS = "version-differs"
    BEING_ALTERED = "being-altered"
    SCHEMA_MISSING = "schema-missing"
    SCHEMA_ORPHANED = "schema-orphaned"
    ROLE_ORPHANED = "role-orphaned"
    BELLS_ORPHANED = "bells-orphaned"
    ROLE = "role"
    OWNERSHIP = "ownership"
    SENTINEL_MISSING = "sentinel-missing"
    SENTINEL_WRONG = "sentinel-wrong"
    HIBERNATION_STUCK = "hibernation-stuck"
    OVERDUE = "overdue"
    ACCESS = "access"
    FORMER_GROUP = "former-group"
    ROW_SECURITY = "row-security"
    CATALOG_BLOAT = "catalog-bloat"
    MIGHTY_LOGIN = "mighty-login"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `tenant` is None where it concerns the whole installation."""

    trouble: Trouble
    says: str
    tenant: TenantSchema | None = None
    thing: str = ""
    """What it is about where that is no shop: a table, a role."""
    repair: str | None = None
    """SQL that would undo it, for a person to decide on."""
    is_advice: bool = False


class TenantDiagnosis:
    """`head` is the revision that shops should be at; `lacking` says which rights the group of
    all shops' roles lacks."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        head: str,
        lacking: Callable[[PlatformSession], Sequence[str]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._head = head
        self._lacking = lacking

    def of_shops(self, only: Sequence[TenantSchema] = ()) -> list[Finding]:
        """Findings about shops, by number; `only` these when any are named."""
        with self._database.platform() as session:
            survey = TenantSurvey(session, self._database)
            shops = [each for each in survey.shops() if not only or each.tenant in only]
            template = survey.template_version()
            whole = [each for each in shops if each.is_known and each.has_schema]
            roles = self._of_roles(session, whole)
        says = self._say_themselves([each.tenant for each in whole])
        drifted = self._drift([each for each in whole if each.version == template])
        return [
            finding
            for shop in shops
            for finding in (
                *self._of_life(shop),
                *roles.get(shop.tenant, ()),
                *_of_itself(shop, says.get(shop.tenant, _UNASKED)),
                *drifted.get(shop.tenant, ()),
            )
        ]

    def of_installation(self, *, in_production: bool) -> Iterator[Finding]:
        """Findings about what all shops share."""
        with self._database.platform() as session:
            survey = TenantSurvey(session, self._database)
            for number in survey.lonely_bells():
                says = f"bells of tenant {number}, who is not there"
                yield Finding(Trouble.BELLS_ORPHANED, says, thing=str(number))
            for name, live, dead in survey.bloated_catalogs(BLOATED_FROM):
                says = f"catalog {name} has {dead:,} dead rows beside {live:,} live ones"
                yield Finding(Trouble.CATALOG_BLOAT, says, thing=name)
            if self._database.tenant_roles:
                yield from self._of_access(session, survey)
            login, superuser = survey.login()
            if superuser and in_production:
                says = f"login {login} is a superuser; it needs only CREATEROLE and the database"
                yield Finding(Trouble.MIGHTY_LOGIN, says, thing=login, is_advice=True)

    def _of_access(self, session: PlatformSession, survey: TenantSurvey) -> Iterator[Finding]:
        for says in self._lacking(session):
            yield Finding(Trouble.ACCESS, says)
        for name in survey.without_row_security():
            says = f"shops may touch public.{name} without being held to their own rows"
            yield Finding(Trouble.ROW_SECURITY, says, thing=name)
        for name in survey.former_groups():
            says = f"role {name} has rights here and carries the name of a database that is gone"
            yield Finding(Trouble.FORMER_GROUP, says, thing=name)

    def _of_life(self, shop: ShopCondition) -> Iterator[Finding]:
        tenant = shop.tenant
        if not shop.is_known and shop.has_schema:
            whose = "hibernates" if shop.status else "has no row in public.tenants"
            yield Finding(Trouble.SCHEMA_ORPHANED, f"schema is there, but {tenant} {whose}", tenant)
        if not shop.is_known and not shop.has_schema and shop.has_role:
            yield Finding(Trouble.ROLE_ORPHANED, "role is there without a shop", tenant)
        if not shop.is_known:
            return
        if not shop.has_schema:
            yield Finding(Trouble.SCHEMA_MISSING, f"{shop.status}, but has no schema", tenant)
        if shop.migration_error is not None:
            says = f"left at {shop.version}: {shop.migration_error}"
            yield Finding(Trouble.MIGRATION_FAILED, says, tenant)
        elif shop.version != self._head and shop.status not in ASLEEP:
            yield Finding(Trouble.BEHIND, f"at {shop.version}, newest is {self._head}", tenant)
        yield from self._of_farewell(shop)

    def _of_farewell(self, shop: ShopCondition) -> Iterator[Finding]:
        now = self._clock.now()
        if shop.status is TenantStatus.HIBERNATING:
            since = shop.status_changed_at
            if since is None or since + STUCK_AFTER < now:
                says = f"hibernating since {since or 'nobody knows when'}"
                yield Finding(Trouble.HIBERNATION_STUCK, says, shop.tenant)
        if shop.status is TenantStatus.RETIRED and shop.drop_after and shop.drop_after <= now:
            says = f"retired, to be dropped since {shop.drop_after:%Y-%m-%d}"
            yield Finding(Trouble.OVERDUE, says, shop.tenant)

    def _of_roles(
        self, session: PlatformSession, shops: Sequence[ShopCondition]
    ) -> Mapping[TenantSchema, Sequence[Finding]]:
        """What mending would make right: roles, owners, rights."""
        if not self._database.tenant_roles:
            return {}
        repairs = OwnershipRepository(session, self._database).repairs(shops)
        return {
            tenant: [
                *_told(Trouble.ROLE, tenant, [each for each in found if each.about_role]),
                *_told(Trouble.OWNERSHIP, tenant, [each for each in found if not each.about_role]),
            ]
            for tenant, found in repairs.items()
        }

    def _say_themselves(
        self, tenants: Sequence[TenantSchema]
    ) -> Mapping[TenantSchema, SchemaSays | None]:
        with self._database.platform_session() as session:
            says = TenantSurvey(session, self._database).say_themselves(tenants)
            # Its backend has opened tables of every shop; nobody should inherit that memory.
            session.invalidate()
        return says

    def _drift(self, shops: Sequence[ShopCondition]) -> Mapping[TenantSchema, Sequence[Finding]]:
        """Differences from the template, of shops that are at its revision."""
        with self._database.platform() as session:
            catalog = SchemaCatalog(session, self._database)
            alike: dict[str, list[TenantSchema]] = defaultdict(list)
            fingerprints = catalog.fingerprints()
            for shop in shops:
                # A schema may have gone since it was counted.
                alike[fingerprints.get(shop.tenant.name, "")].append(shop.tenant)
            alike.pop(fingerprints[TEMPLATE_SCHEMA], None)
            alike.pop("", None)
            facts = catalog.facts([tenants[0].name for tenants in alike.values()])
        wanted = facts[TEMPLATE_SCHEMA]
        return {
            tenant: [
                Finding(Trouble.DRIFT, each.says, tenant, repair=each.repair)
                for each in differences(tenant, facts.get(tenants[0].name, {}), wanted)
                if each.fact.kind not in MENDED_ALONE
            ]
            for tenants in alike.values()
            for tenant in tenants
        }


_UNASKED = SchemaSays(None, None)
_TOLD = 3


def _told(trouble: Trouble, tenant: TenantSchema, repairs: Sequence[Repair]) -> Iterator[Finding]:
    """One finding for all of a kind: a restore without roles leaves dozens in each shop."""
    if repairs:
        says = "; ".join(each.says for each in repairs[:_TOLD])
        more = f"; and {len(repairs) - _TOLD} more" if len(repairs) > _TOLD else ""
        yield Finding(trouble, says + more, tenant)


def _of_itself(shop: ShopCondition, says: SchemaSays | None) -> Iterator[Finding]:
    """What the schema says, against what the shop's row says."""
    tenant = shop.tenant
    if says is None:
        says_so = "is being altered just now and was not looked into"
        yield Finding(Trouble.BEING_ALTERED, says_so, tenant, is_advice=True)
        return
    if says.sentinels == ():
        yield Finding(Trouble.SENTINEL_MISSING, "its sentinel is lost", tenant)
    elif says.sentinels is not None and says.sentinels != (tenant.tenant_id,):
        named = ", ".join(f"user_{number}" for number in says.sentinels)
        yield Finding(Trouble.SENTINEL_WRONG, f"its sentinel says that it is {named}", tenant)
    if says.version is not None and says.version != shop.version:
        told = f"the schema says it is at {says.version}, its row says {shop.version}"
        yield Finding(Trouble.VERSION_DIFFERS, told, tenant)
