"""Runs of the scheduler's ticks, and the jobs of all shops that only a person can help."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0005"
down_revision = "platform_0004"
branch_labels = None
depends_on = None

OWN_TENANT = "substring(current_user::text from '_user_([0-9]+)$')::bigint"

OUTCOMES = ("ok", "failed", "stopped")


def upgrade() -> None:
    """Make both tables; a shop sees its own dead jobs only. Ended sign-ins can be deleted."""
    op.create_index(
        "ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"], schema="public"
    )
    op.create_table(
        "tick_runs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("runner", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(sa.column("outcome").in_(OUTCOMES), name=op.f("ck_tick_runs_outcome")),
        sa.PrimaryKeyConstraint("name", "planned_at", name=op.f("pk_tick_runs")),
        schema="public",
    )
    op.create_table(
        "dead_jobs",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("problem_code", sa.Text(), nullable=True),
        sa.Column("problem_detail", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", name=op.f("pk_dead_jobs")),
        schema="public",
    )
    op.create_index("ix_dead_jobs_ended_at", "dead_jobs", ["ended_at"], schema="public")
    op.execute("ALTER TABLE public.dead_jobs ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_tenant ON public.dead_jobs USING (tenant_id = {OWN_TENANT})")


def downgrade() -> None:
    """Drop both tables and the index."""
    op.drop_table("dead_jobs", schema="public")
    op.drop_table("tick_runs", schema="public")
    op.drop_index("ix_refresh_tokens_session_id", table_name="refresh_tokens", schema="public")
