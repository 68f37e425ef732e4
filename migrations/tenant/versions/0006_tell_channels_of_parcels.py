"""Tell channels of parcels."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "tenant_0006"
down_revision = "tenant_0005"
branch_labels = None
depends_on = None


TABLES = ("marketplace_jobs", "job_batches", "order_follow_ups")
BEFORE = ("publish", "update", "delete", "sync", "orders", "message", "link")
AFTER = (*BEFORE, "ship")


def allow(actions: tuple[str, ...]) -> None:
    """Let jobs, batches and follow-ups be of these actions."""
    words = ", ".join(f"'{action}'" for action in actions)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_action")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_action CHECK (action IN ({words}))"
        )


def upgrade() -> None:
    """Let jobs be of a further action, and keep parcels until their channel knows of them."""
    allow(AFTER)
    op.create_table(
        "order_shipments",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "ebay",
                "etsy",
                "vinted",
                "bazaar",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("tracking", sa.Text(), nullable=False),
        sa.Column("units", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "sending",
                "told",
                "refused",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["channel_orders.id"],
            name=op.f("fk_order_shipments_order_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_shipments")),
    )
    op.create_index(
        "ix_order_shipments_open",
        "order_shipments",
        ["channel", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('waiting', 'sending')"),
    )
    op.create_index("ix_order_shipments_order_id", "order_shipments", ["order_id"], unique=False)


def downgrade() -> None:
    """Forget parcels, and the jobs that told of them."""
    op.execute("DELETE FROM order_follow_ups WHERE action = 'ship'")
    op.execute("DELETE FROM marketplace_jobs WHERE action = 'ship'")
    op.execute("DELETE FROM job_batches WHERE action = 'ship'")
    allow(BEFORE)
    op.drop_index("ix_order_shipments_order_id", table_name="order_shipments")
    op.drop_index(
        "ix_order_shipments_open",
        table_name="order_shipments",
        postgresql_where=sa.text("status IN ('waiting', 'sending')"),
    )
    op.drop_table("order_shipments")
