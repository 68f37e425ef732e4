"""Where a shop is in its life, how its last migration ended, and what new shops are made from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "platform_0004"
down_revision = "platform_0003"
branch_labels = None
depends_on = None

BEFORE = ("active", "suspended", "retired")
SINCE = ("active", "suspended", "hibernating", "hibernated", "retired")

COLUMNS = {
    "migration_error": sa.Text(),
    "migration_failed_at": sa.DateTime(timezone=True),
    "status_changed_at": sa.DateTime(timezone=True),
    "drop_after": sa.DateTime(timezone=True),
    "archive_key": sa.Text(),
}


def upgrade() -> None:
    """Add columns and statuses to shops, and the table of blueprints."""
    for name, kind in COLUMNS.items():
        op.add_column("tenants", sa.Column(name, kind, nullable=True), schema="public")
    _allow(SINCE)
    op.create_index("ix_tenants_schema_version", "tenants", ["schema_version"], schema="public")
    op.create_table(
        "tenant_blueprints",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("statements", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_tenant_blueprints")),
        schema="public",
    )
    op.create_index(
        "uq_tenant_blueprints_current",
        "tenant_blueprints",
        ["is_current"],
        unique=True,
        schema="public",
        postgresql_where=sa.text("is_current"),
    )


def downgrade() -> None:
    """Refused by PostgreSQL while a shop sleeps."""
    op.drop_table("tenant_blueprints", schema="public")
    op.drop_index("ix_tenants_schema_version", table_name="tenants", schema="public")
    _allow(BEFORE)
    for name in COLUMNS:
        op.drop_column("tenants", name, schema="public")


def _allow(statuses: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_tenants_status"), "tenants", schema="public", type_="check")
    op.create_check_constraint(
        op.f("ck_tenants_status"), "tenants", sa.column("status").in_(statuses), schema="public"
    )
