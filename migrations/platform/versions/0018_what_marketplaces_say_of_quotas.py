"""What a marketplace itself says is left of a quota."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0018"
down_revision = "platform_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is known yet."""
    op.add_column(
        "call_budgets", sa.Column("told_left", sa.BigInteger(), nullable=True), schema="public"
    )
    op.add_column(
        "call_budgets",
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        schema="public",
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_column("call_budgets", "told_at", schema="public")
    op.drop_column("call_budgets", "told_left", schema="public")
