"""Why the operator closed a shop."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0008"
down_revision = "platform_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the reason."""
    op.add_column("tenants", sa.Column("status_because", sa.Text(), nullable=True), schema="public")


def downgrade() -> None:
    """Forget it."""
    op.drop_column("tenants", "status_because", schema="public")
