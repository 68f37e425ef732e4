"""What accounts were told, and whether they have read it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "platform_0015"
down_revision = "platform_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; shops have no business with it."""
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["public.users.id"],
            name=op.f("fk_notifications_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("user_id", "source", name=op.f("uq_notifications_user_id_source")),
        schema="public",
    )
    op.create_index(
        "ix_notifications_user_id_id", "notifications", ["user_id", "id"], schema="public"
    )
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["user_id"],
        schema="public",
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_index("ix_notifications_read_at", "notifications", ["read_at"], schema="public")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("notifications", schema="public")
