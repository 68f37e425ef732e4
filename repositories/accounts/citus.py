"""What Citus has to be told of the shared tables, and what it knows already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Table, text

from models.base import CATALOGUE
from models.registry import PLATFORM_METADATA
from shared.database import PlatformSession, TenantSchema
from shared.database.tenant_schema import quote_identifier

CATALOGUES = "product_attributes"
"""The schema whose tables are catalogues without saying so."""

_EXTENSION = text("SELECT extversion FROM pg_extension WHERE extname = 'citus'")

_KNOWN = text(
    """
    SELECT n.nspname || '.' || c.relname,
           CASE WHEN p.repmodel = 't' THEN 'reference' ELSE 'local' END
    FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.partmethod = 'n'"""
)

_SETTINGS = text(
    "SELECT coalesce(array_to_string(setconfig, ','), '') FROM pg_db_role_setting"
    " JOIN pg_database d ON d.oid = setdatabase WHERE d.datname = current_database()"
    " AND setrole = 0"
)

_IN_THE_WAY = text(
    """
    SELECT n.nspname || '.' || c.relname, c.relforcerowsecurity FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('public', :catalogues) AND c.relkind = 'r'
      AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE'))
    ORDER BY 1"""
)

_NOT_DISTRIBUTED = text(
    r"""
    SELECT t.id FROM public.tenants t
    WHERE t.status <> 'hibernated' AND NOT EXISTS
        (SELECT FROM pg_dist_schema d JOIN pg_namespace n ON n.oid = d.schemaid
         WHERE n.nspname = 'user_' || t.id)
    ORDER BY 1"""
)

_SHOPS = text("SELECT id FROM public.tenants WHERE status <> 'hibernated' ORDER BY 1")


class Placement(StrEnum):
    """What a shared table becomes on Citus."""

    REFERENCE = "reference"
    """A copy on every node."""
    LOCAL = "local"
    """On the coordinator, known to all nodes: written in one transaction with shops' tables."""


@dataclass(frozen=True, slots=True)
class CitusStep:
    """One thing to tell Citus; `table` is None for the setting of the database."""

    sql: str
    table: str | None = None
    placement: Placement | None = None


def placement_of(table: Table) -> Placement:
    """Where a shared table belongs. Raises LookupError when nobody has said so."""
    said = table.info.get("citus")
    if said is None and table.schema == CATALOGUES:
        said = CATALOGUE["citus"]
    if said is None:
        raise LookupError(f"{table.fullname} does not say what it becomes on Citus: models/base.py")
    return Placement(said)


def steps_for(database: str) -> list[CitusStep]:
    """All there is to tell, each step its own transaction; tables after those they refer to."""
    setting = f"ALTER DATABASE {quote_identifier(database)} SET citus.propagate_set_commands"
    return [
        CitusStep(f"{setting} = 'local'"),
        *(_step(table) for table in _catalogues_first(PLATFORM_METADATA.sorted_tables)),
    ]


class CitusRepository:
    """Asks and tells the Citus extension of this database."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def version(self) -> str | None:
        """Version of the extension; None where it is not installed in this database."""
        version: str | None = self._session.scalar(_EXTENSION)
        return version

    def known_tables(self) -> Mapping[str, Placement]:
        """Shared tables that Citus knows already."""
        return {name: Placement(said) for name, said in self._session.execute(_KNOWN)}

    def is_done(self, step: CitusStep) -> bool:
        """Whether a step needs no repeating; adding a table may have added others."""
        if step.table is None:
            settings = self._session.scalars(_SETTINGS).all()
            return any("citus.propagate_set_commands=local" in each for each in settings)
        return step.table in self.known_tables()

    def tell(self, step: CitusStep) -> None:
        """Carry a step out."""
        self._session.connection().exec_driver_sql(
            step.sql, execution_options={"no_parameters": True}
        )

    def obstacles(self) -> Sequence[str]:
        """Shared tables that Citus, or the login, could not work with, as sentences."""
        return [
            f"{name} forces row-level security on its owner"
            if forced
            else f"{name} does not belong to the login"
            for name, forced in self._session.execute(_IN_THE_WAY, {"catalogues": CATALOGUES})
        ]

    def shops_to_move(self, *, citus_is_here: bool) -> Sequence[TenantSchema]:
        """Shops whose schema Citus does not know; hibernated ones come by being woken."""
        query = _NOT_DISTRIBUTED if citus_is_here else _SHOPS
        return [TenantSchema(number) for number in self._session.scalars(query)]


def _catalogues_first(tables: Sequence[Table]) -> list[Table]:
    """Local tables may refer to reference tables, never the other way round."""
    return sorted(tables, key=lambda table: placement_of(table) is Placement.LOCAL)


def _step(table: Table) -> CitusStep:
    placement = placement_of(table)
    if placement is Placement.REFERENCE:
        sql = f"SELECT create_reference_table('{table.fullname}')"
    else:
        # Tables that refer to each other have to become known together.
        sql = (
            f"SELECT citus_add_local_table_to_metadata('{table.fullname}',"
            " cascade_via_foreign_keys => true)"
        )
    return CitusStep(sql, table.fullname, placement)
