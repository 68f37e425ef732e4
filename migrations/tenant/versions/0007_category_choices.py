"""Where a shop itself says that a category belongs on a marketplace."""

import sqlalchemy as sa
from alembic import op

revision = "tenant_0007"
down_revision = "tenant_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "category_choices",
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
        sa.Column("category_code", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("remote_path", sa.Text(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category_choices")),
        sa.UniqueConstraint(
            "channel",
            "category_code",
            "department",
            name=op.f("uq_category_choices_channel_category_code_department"),
        ),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("category_choices")
