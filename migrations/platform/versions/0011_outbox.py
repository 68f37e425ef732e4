"""Events, their deliveries to subscribers, and the streams that lead to those."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "platform_0011"
down_revision = "platform_0010"
branch_labels = None
depends_on = None

OWN_TENANT = "substring(current_user::text from '_user_([0-9]+)$')::bigint"

STATES = ("pending", "delivered", "parked", "dismissed")

OF_SHOPS = ("outbox_events", "outbox_deliveries")


def upgrade() -> None:
    """Make three tables. A shop writes events of its own and settles deliveries of its own."""
    _make_events()
    _make_deliveries()
    op.create_table(
        "outbox_streams",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "subscriber", name=op.f("pk_outbox_streams")),
        schema="public",
    )
    op.create_index("ix_outbox_streams_due_at", "outbox_streams", ["due_at"], schema="public")
    for table in OF_SHOPS:
        op.execute(f"ALTER TABLE public.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_tenant ON public.{table} USING (tenant_id = {OWN_TENANT})")


def _make_events() -> None:
    op.create_table(
        "outbox_events",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("routed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_events")),
        schema="public",
    )
    op.create_index(
        "ix_outbox_events_unrouted",
        "outbox_events",
        ["id"],
        schema="public",
        postgresql_where=sa.text("routed_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_events_recorded_at", "outbox_events", ["recorded_at"], schema="public"
    )


def _make_deliveries() -> None:
    op.create_table(
        "outbox_deliveries",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem_code", sa.Text(), nullable=True),
        sa.Column("problem_detail", sa.Text(), nullable=True),
        sa.CheckConstraint(sa.column("state").in_(STATES), name=op.f("ck_outbox_deliveries_state")),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["public.outbox_events.id"],
            name=op.f("fk_outbox_deliveries_event_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("event_id", "subscriber", name=op.f("pk_outbox_deliveries")),
        schema="public",
    )
    op.create_index(
        "ix_outbox_deliveries_pending",
        "outbox_deliveries",
        ["tenant_id", "subscriber", "event_id"],
        schema="public",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_outbox_deliveries_parked",
        "outbox_deliveries",
        ["event_id"],
        schema="public",
        postgresql_where=sa.text("state = 'parked'"),
    )


def downgrade() -> None:
    """Drop all three."""
    op.drop_table("outbox_streams", schema="public")
    op.drop_table("outbox_deliveries", schema="public")
    op.drop_table("outbox_events", schema="public")
