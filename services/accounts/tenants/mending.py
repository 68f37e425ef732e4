"""Makes right what can be made right without a person's judgement; never drops a row."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from repositories.accounts.ownership import OwnershipRepository, sentinel_again
from repositories.accounts.tenant_survey import ShopCondition, TenantSurvey
from shared.database import Database, PlatformSession, TenantSchema


@dataclass
class Mending:
    """What was, or would be, done."""

    statements: Mapping[TenantSchema, Sequence[str]] = field(default_factory=dict)
    versions: Mapping[TenantSchema, tuple[str, str]] = field(default_factory=dict)
    """Shops whose row says another revision (first) than their schema (second)."""
    failed: dict[TenantSchema, str] = field(default_factory=dict)

    @property
    def mended(self) -> list[TenantSchema]:
        """Shops that something was done for."""
        return sorted((self.statements.keys() | self.versions.keys()) - self.failed.keys())


class TenantMending:
    """After a restore without roles, under another database name, or by another login.

    `grant_access` makes the group of all shops' roles and gives it its rights.
    """

    def __init__(self, database: Database, grant_access: Callable[[PlatformSession], None]) -> None:
        self._database = database
        self._grant_access = grant_access

    def plan(self, only: Sequence[TenantSchema] = ()) -> Mending:
        """What there is to do; nothing is changed."""
        with self._database.platform() as session:
            survey = TenantSurvey(session, self._database)
            shops = [
                each
                for each in survey.shops()
                if each.is_known and each.has_schema and (not only or each.tenant in only)
            ]
            statements: dict[TenantSchema, list[str]] = defaultdict(list)
            if self._database.tenant_roles:
                for tenant, repairs in (
                    OwnershipRepository(session, self._database).repairs(shops).items()
                ):
                    statements[tenant] += [repair.sql for repair in repairs]
        versions = self._look_into(shops, statements)
        return Mending(dict(statements), versions)

    def run(
        self, only: Sequence[TenantSchema] = (), report: Callable[[str], None] = lambda _line: None
    ) -> Mending:
        """Do it, one transaction a shop; one that cannot be mended is named, the others go on."""
        if self._database.tenant_roles:
            with self._database.platform() as session:
                self._grant_access(session)
        mending = self.plan(only)
        for tenant in mending.mended:
            try:
                self._mend(tenant, mending)
            except Exception as error:
                reason = str(getattr(error, "orig", error)).partition("\n")[0]
                mending.failed[tenant] = reason
                report(f"{tenant}: {reason}")
            else:
                report(f"{tenant}: mended")
        return mending

    def _look_into(
        self, shops: Sequence[ShopCondition], statements: dict[TenantSchema, list[str]]
    ) -> dict[TenantSchema, tuple[str, str]]:
        with self._database.platform_session() as session:
            survey = TenantSurvey(session, self._database)
            says = survey.say_themselves([each.tenant for each in shops])
            session.invalidate()
        versions = {}
        for shop in shops:
            told = says[shop.tenant]
            if told is None:
                continue
            if told.sentinels == ():
                statements[shop.tenant].append(sentinel_again(shop.tenant))
            if shop.version and told.version and told.version != shop.version:
                versions[shop.tenant] = shop.version, told.version
        return versions

    def _mend(self, tenant: TenantSchema, mending: Mending) -> None:
        with self._database.platform() as session:
            ownership = OwnershipRepository(session, self._database)
            if tenant in mending.versions:
                ownership.set_version(tenant, *mending.versions[tenant])
            if tenant in mending.statements:
                ownership.carry_out(mending.statements[tenant])
