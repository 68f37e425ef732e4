"""When each connected account is to be asked for orders again."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0013"
down_revision = "platform_0012"
branch_labels = None
depends_on = None

OWN_TENANT = "substring(current_user::text from '_user_([0-9]+)$')::bigint"


def upgrade() -> None:
    """Make the table; a shop sees and writes its own rows only."""
    op.create_table(
        "order_polls",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "channel", name=op.f("pk_order_polls")),
        schema="public",
    )
    op.create_index("ix_order_polls_due_at", "order_polls", ["due_at"], schema="public")
    op.execute("ALTER TABLE public.order_polls ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_tenant ON public.order_polls USING (tenant_id = {OWN_TENANT})")


def downgrade() -> None:
    """Drop it; accounts that are checked again are followed again."""
    op.drop_table("order_polls", schema="public")
