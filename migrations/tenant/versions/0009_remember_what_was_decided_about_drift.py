"""Remember what was decided about drift."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "tenant_0009"
down_revision = "tenant_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "drift_decisions",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
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
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column(
            "keep",
            sa.Enum(
                "ours", "theirs", name="keep", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("ours", postgresql.JSONB(), nullable=True),
        sa.Column("live", postgresql.JSONB(), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_drift_decisions_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_decisions")),
    )
    op.create_index(
        "ix_drift_decisions_product_id", "drift_decisions", ["product_id"], unique=False
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_drift_decisions_product_id", table_name="drift_decisions")
    op.drop_table("drift_decisions")
