"""Batches can be paused and cancelled; answers are kept by the request's key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "tenant_0003"
down_revision = "tenant_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table, three columns and what makes finding due jobs cheap."""
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        "ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False
    )
    op.add_column("job_batches", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job_batches", sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "job_batches", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "ix_job_batches_paused",
        "job_batches",
        ["id"],
        unique=False,
        postgresql_where=sa.text("paused_at IS NOT NULL"),
    )
    op.create_index(
        "ix_marketplace_jobs_due_at",
        "marketplace_jobs",
        ["lane", "due_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_index(
        "ix_marketplace_jobs_due_at",
        table_name="marketplace_jobs",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index(
        "ix_job_batches_paused",
        table_name="job_batches",
        postgresql_where=sa.text("paused_at IS NOT NULL"),
    )
    op.drop_column("job_batches", "cancelled_at")
    op.drop_column("job_batches", "resumed_at")
    op.drop_column("job_batches", "paused_at")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
