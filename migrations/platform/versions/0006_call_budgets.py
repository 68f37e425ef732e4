"""What has been spent of each marketplace's call quotas."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "platform_0006"
down_revision = "platform_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; shops have no business with it."""
    op.create_table(
        "call_budgets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("spent", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", "account", name=op.f("pk_call_budgets")),
        schema="public",
    )


def downgrade() -> None:
    """Drop it; marketplaces go on counting by themselves."""
    op.drop_table("call_budgets", schema="public")
