"""Sign-ins of paired browsers, the codes that pair them, channels that the operator stopped."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0019"
down_revision = "platform_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Mark devices and make the tables."""
    op.add_column("auth_sessions", sa.Column("device", sa.Text(), nullable=True), schema="public")
    op.create_table(
        "device_pairings",
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["public.users.id"],
            name=op.f("fk_device_pairings_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_device_pairings")),
        schema="public",
    )
    op.create_index(
        "ix_device_pairings_user_id", "device_pairings", ["user_id"], unique=False, schema="public"
    )
    op.create_table(
        "stopped_channels",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_stopped_channels")),
        schema="public",
    )
    op.execute("ALTER TABLE public.stopped_channels ENABLE ROW LEVEL SECURITY")
    # It says the same to every shop, and only the platform writes it.
    op.execute("CREATE POLICY seen_by_all ON public.stopped_channels FOR SELECT USING (true)")


def downgrade() -> None:
    """Take them away."""
    op.drop_table("stopped_channels", schema="public")
    op.drop_table("device_pairings", schema="public")
    op.drop_column("auth_sessions", "device", schema="public")
