"""Keep orders of channels."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "tenant_0004"
down_revision = "tenant_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the orders room."""
    op.create_table(
        "channel_orders",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
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
        sa.Column("remote_order_id", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "awaiting_payment",
                "paid",
                "partly_shipped",
                "shipped",
                "cancelled",
                "refunded",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), nullable=True),
        sa.Column("shipping_minor", sa.BigInteger(), nullable=True),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=True),
        sa.Column("fee_currency", sa.Text(), nullable=True),
        sa.Column("buyer", sa.Text(), nullable=True),
        sa.Column("ship_to", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("remote", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_orders")),
        sa.UniqueConstraint(
            "channel", "remote_order_id", name=op.f("uq_channel_orders_channel_remote_order_id")
        ),
    )
    op.create_index(
        "ix_channel_orders_placed_at", "channel_orders", ["placed_at", "id"], unique=False
    )
    op.create_table(
        "order_cursors",
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
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_order_cursors")),
    )
    op.create_table(
        "unread_orders",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
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
        sa.Column("remote_order_id", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unread_orders")),
        sa.UniqueConstraint(
            "channel", "remote_order_id", name=op.f("uq_unread_orders_channel_remote_order_id")
        ),
    )
    op.create_table(
        "channel_order_lines",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("remote_line_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("variant_id", sa.BigInteger(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("listing_id", sa.Text(), nullable=True),
        sa.Column("variation_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=True),
        sa.Column("shipped", sa.Boolean(), nullable=False),
        sa.Column("units_taken", sa.BigInteger(), nullable=False),
        sa.Column("units_missing", sa.BigInteger(), nullable=False),
        sa.Column("units_returned", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "units_returned <= units_taken",
            name=op.f("ck_channel_order_lines_returned_at_most_taken"),
        ),
        sa.CheckConstraint(
            "units_taken >= 0", name=op.f("ck_channel_order_lines_taken_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["channel_orders.id"],
            name=op.f("fk_channel_order_lines_order_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_channel_order_lines_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"],
            ["product_variants.id"],
            name=op.f("fk_channel_order_lines_variant_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_order_lines")),
        sa.UniqueConstraint(
            "order_id",
            "remote_line_id",
            name=op.f("uq_channel_order_lines_order_id_remote_line_id"),
        ),
    )
    op.create_index(
        "ix_channel_order_lines_oversold",
        "channel_order_lines",
        ["order_id"],
        unique=False,
        postgresql_where=sa.text("units_missing > 0"),
    )
    op.create_index(
        "ix_channel_order_lines_product_id", "channel_order_lines", ["product_id"], unique=False
    )
    op.create_table(
        "order_follow_ups",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
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
        sa.Column(
            "event",
            sa.Enum(
                "sold",
                "returned",
                name="event",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "action",
            sa.Enum(
                "publish",
                "update",
                "delete",
                "sync",
                "orders",
                "message",
                "link",
                name="action",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["marketplace_jobs.id"],
            name=op.f("fk_order_follow_ups_job_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["channel_orders.id"],
            name=op.f("fk_order_follow_ups_order_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_order_follow_ups_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_follow_ups")),
        sa.UniqueConstraint(
            "order_id",
            "product_id",
            "channel",
            "event",
            name=op.f("uq_order_follow_ups_order_id_product_id_channel_event"),
        ),
    )
    op.create_table(
        "stock_movements",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["channel_order_lines.id"],
            name=op.f("fk_stock_movements_line_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
        sa.UniqueConstraint("line_id", "event", name=op.f("uq_stock_movements_line_id_event")),
    )


def downgrade() -> None:
    """Drop them; channels still have the orders."""
    op.drop_table("stock_movements")
    op.drop_table("order_follow_ups")
    op.drop_index("ix_channel_order_lines_product_id", table_name="channel_order_lines")
    op.drop_index(
        "ix_channel_order_lines_oversold",
        table_name="channel_order_lines",
        postgresql_where=sa.text("units_missing > 0"),
    )
    op.drop_table("channel_order_lines")
    op.drop_table("unread_orders")
    op.drop_table("order_cursors")
    op.drop_index("ix_channel_orders_placed_at", table_name="channel_orders")
    op.drop_table("channel_orders")
