"""Which shops have something for their owners' browsers to do."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0016"
down_revision = "platform_0015"
branch_labels = None
depends_on = None

OWN_TENANT = "substring(current_user::text from '_user_([0-9]+)$')::bigint"


def upgrade() -> None:
    """Make the table; a shop sees and writes its own row only."""
    op.create_table(
        "browser_bells",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_browser_bells")),
        schema="public",
    )
    op.execute("ALTER TABLE public.browser_bells ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_tenant ON public.browser_bells USING (tenant_id = {OWN_TENANT})")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("browser_bells", schema="public")
