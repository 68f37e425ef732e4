"""A row by which a schema says whose it is."""

import sqlalchemy as sa
from alembic import op

revision = "tenant_0002"
down_revision = "tenant_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and, in every schema but the template, its row."""
    op.create_table(
        "tenant_sentinel",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tenant_sentinel")),
    )
    op.execute(
        "INSERT INTO tenant_sentinel (tenant_id)"
        " SELECT substring(current_schema() from '^user_([0-9]+)$')::bigint"
        " WHERE current_schema() ~ '^user_[0-9]+$'"
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("tenant_sentinel")
