"""Drops what belongs to no shop: schemas, roles, bells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from repositories.accounts.orphans import OrphanRepository
from repositories.accounts.tenant_survey import TenantSurvey
from shared.database import Database, TenantSchema


@dataclass
class Cleared:
    """What was, or would be, dropped."""

    schemas: list[TenantSchema] = field(default_factory=list)
    roles: list[TenantSchema] = field(default_factory=list)
    """Of these tenants; a schema's role goes with it."""
    former: Sequence[str] = ()
    """Roles that carry the name of a database that is gone."""
    bells: Sequence[int] = ()
    kept: Mapping[TenantSchema, Sequence[str]] = field(default_factory=dict)
    """Schemas that hold rows, with the tables."""

    @property
    def nothing(self) -> bool:
        """Whether there were no orphans."""
        return not (self.schemas or self.roles or self.former or self.bells or self.kept)


class TenantClearing:
    """For an operator who looked at what the diagnosis found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, *, with_rows: bool, dry_run: bool) -> Cleared:
        """Drop orphans, one transaction each; schemas with rows only `with_rows`.

        Raises `Conflict`, and nothing is dropped, when a schema belongs to somebody for whom the
        login may not act; and when a role of a former name still owns something: mend first.
        """
        with self._database.platform() as session:
            orphans = OrphanRepository(session, self._database)
            survey = TenantSurvey(session, self._database)
            unknown = [each for each in survey.shops() if not each.is_known]
            schemas = [each.tenant for each in unknown if each.has_schema]
            roles = [each.tenant for each in unknown if each.has_role and not each.has_schema]
            bells = survey.lonely_bells()
            former = [role for group in survey.former_groups() for role in orphans.roles_of(group)]
            for tenant in schemas:
                orphans.require_access(tenant)
            kept = {
                tenant: tables
                for tenant in schemas
                if not with_rows and (tables := orphans.tables_with_rows(tenant))
            }
        cleared = Cleared(
            [each for each in schemas if each not in kept], roles, former, bells, kept
        )
        if not dry_run:
            for tenant in [*cleared.schemas, *cleared.roles]:
                with self._database.platform() as session:
                    OrphanRepository(session, self._database).drop(tenant, with_rows=with_rows)
            with self._database.platform() as session:
                orphans = OrphanRepository(session, self._database)
                orphans.take_down_lonely_bells()
                orphans.drop_former(former)
        return cleared
