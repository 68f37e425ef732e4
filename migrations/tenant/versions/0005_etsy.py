"""The shop's Etsy account, what was begun and uploaded there, and choices for single products."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "tenant_0005"
down_revision = "tenant_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make four tables."""
    op.create_table(
        "etsy_accounts",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "connected",
                "needs_reauth",
                "disconnected",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("remote_user_id", sa.Text(), nullable=False),
        sa.Column("remote_shop_id", sa.BigInteger(), nullable=False),
        sa.Column("shop_name", sa.Text(), nullable=False),
        sa.Column("access_token", sa.Text(), nullable=False),
        sa.Column("access_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refresh_token", sa.Text(), nullable=False),
        sa.Column("refresh_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("refreshing_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("readiness", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_etsy_accounts_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_etsy_accounts")),
    )
    op.create_table(
        "etsy_pictures",
        sa.Column("listing_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("listing_id", "sha256", name=op.f("pk_etsy_pictures")),
    )
    op.create_table(
        "etsy_drafts",
        sa.Column("product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_etsy_drafts_product_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_etsy_drafts")),
    )
    op.create_table(
        "etsy_product_choices",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("taxonomy_id", sa.BigInteger(), nullable=True),
        sa.Column("who_made", sa.Text(), nullable=True),
        sa.Column("when_made", sa.Text(), nullable=True),
        sa.Column("is_supply", sa.Boolean(), nullable=True),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_etsy_product_choices_product_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_etsy_product_choices")),
        sa.UniqueConstraint("product_id", name=op.f("uq_etsy_product_choices_product_id")),
    )


def downgrade() -> None:
    """Drop them; what is listed on Etsy stays listed."""
    op.drop_table("etsy_product_choices")
    op.drop_table("etsy_drafts")
    op.drop_table("etsy_pictures")
    op.drop_table("etsy_accounts")
