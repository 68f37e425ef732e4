"""Revisions made up for a test, and runs towards them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import dedent, indent

from sqlalchemy import text

from backend.migration import InstallationMigration, MigrationOutcome, MigrationWish
from migrations.lines import TENANT, Line
from migrations.rendering import head_of
from services.accounts.tenants.migrating import Patience, ShopMoved
from shared.clock import Clock
from shared.database import Database, TenantSchema

HEAD = head_of(TENANT)

NEXT = "tenant_9001"
"""A revision that is made up."""

IMPATIENT = Patience(tries=3, first_pause_s=0.01, longest_pause_s=0.02)

SHELF = (
    """
    op.add_column("products", sa.Column("shelf", sa.Text(), nullable=True))
    op.create_index("ix_products_shelf", "products", ["shelf"])
    """,
    """
    op.drop_index("ix_products_shelf", table_name="products")
    op.drop_column("products", "shelf")
    """,
)
"""A column and an index more: what is done when a revision goes up, and down."""


def continued(
    line: Line,
    folder: Path,
    revision: str,
    up: str = "pass",
    down: str = "pass",
    more: str = "",
) -> Line:
    """The line with one revision more, written into a folder below `folder`."""
    inside = folder / revision
    inside.mkdir()
    body = f"""\"\"\"Made up.\"\"\"

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{head_of(line)}"
branch_labels = depends_on = None


def upgrade() -> None:
{indent(dedent(up).strip(), "    ")}


def downgrade() -> None:
{indent(dedent(down).strip(), "    ")}


{dedent(more).strip()}
"""
    (inside / f"{revision}.py").write_text(body)
    return line.continued_in(inside)


@dataclass
class Listener:
    """Keeps what a run said."""

    lines: list[str] = field(default_factory=list)
    shops: list[ShopMoved] = field(default_factory=list)
    on_moved: Callable[[ShopMoved], None] = lambda _shop: None

    def say(self, line: str) -> None:
        self.lines.append(line)

    def begins(self, shops: int) -> None:
        self.lines.append(f"{shops} shops")

    def moved(self, shop: ShopMoved) -> None:
        self.shops.append(shop)
        self.on_moved(shop)

    @property
    def order(self) -> list[TenantSchema]:
        """Shops as they were dealt with."""
        return [each.tenant for each in self.shops]


@dataclass(frozen=True)
class Mover:
    """Starts runs on one database."""

    database: Database
    clock: Clock
    wish: MigrationWish = field(default_factory=lambda: MigrationWish(patience=IMPATIENT))

    def along(self, line: Line) -> "Mover":
        """The same on another line."""
        return replace(self, wish=replace(self.wish, line=line))

    def migration(self, **wishes: object) -> InstallationMigration:
        """A run that was not started."""
        wish = replace(self.wish, **wishes)  # type: ignore[arg-type]
        return InstallationMigration(self.database, self.clock, wish)

    def run(self, listener: Listener | None = None, **wishes: object) -> MigrationOutcome:
        """A whole run."""
        return self.migration(**wishes).run(listener or Listener())


def revision_of(database: Database, tenant: TenantSchema) -> tuple[str, str]:
    """Where a shop is: as the directory says, and as its own schema does."""
    with database.engine.connect() as connection:
        recorded = connection.scalar(
            text("SELECT schema_version FROM public.tenants WHERE id = :id"),
            {"id": tenant.tenant_id},
        )
        inside = connection.scalar(
            text(f"SELECT version_num FROM {tenant.quoted}.{TENANT.version_table}")
        )
    return str(recorded), str(inside)


def at(revision: str) -> tuple[str, str]:
    """What `revision_of` says of a shop that is there."""
    return revision, revision


def blueprint_of(database: Database) -> str:
    """The revision at which new shops are made."""
    with database.engine.connect() as connection:
        return str(
            connection.scalar(
                text("SELECT revision FROM public.tenant_blueprints WHERE is_current")
            )
        )


def run_in(database: Database, tenant: TenantSchema, sql: str) -> None:
    """By hand, in one shop, as its owner."""
    with database.engine.begin() as connection:
        connection.execute(text(f"SET LOCAL search_path TO {tenant.quoted}"))
        connection.execute(text(f'SET LOCAL ROLE "{database.role_of(tenant)}"'))
        connection.execute(text(sql))


def columns_of(database: Database, schema: str, table: str = "products") -> list[str]:
    """The columns of a table in a schema, in order."""
    with database.engine.connect() as connection:
        return list(
            connection.scalars(
                text(
                    "SELECT column_name::text FROM information_schema.columns"
                    " WHERE table_schema = :schema AND table_name = :table"
                    " ORDER BY ordinal_position"
                ),
                {"schema": schema, "table": table},
            )
        )
