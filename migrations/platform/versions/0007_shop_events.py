"""What happened in each shop, numbered without a gap."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "platform_0007"
down_revision = "platform_0006"
branch_labels = None
depends_on = None

OWN_TENANT = "substring(current_user::text from '_user_([0-9]+)$')::bigint"

TABLES = ("shop_events", "shop_event_counters")


def upgrade() -> None:
    """Make both tables; a shop sees and writes its own rows only."""
    op.create_table(
        "shop_events",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "sequence", name=op.f("pk_shop_events")),
        schema="public",
    )
    op.create_index("ix_shop_events_created_at", "shop_events", ["created_at"], schema="public")
    op.create_table(
        "shop_event_counters",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_shop_event_counters")),
        schema="public",
    )
    for table in TABLES:
        op.execute(f"ALTER TABLE public.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_tenant ON public.{table} USING (tenant_id = {OWN_TENANT})")


def downgrade() -> None:
    """Drop both."""
    for table in TABLES:
        op.drop_table(table, schema="public")
