"""A consent may have a verifier, which only we know (PKCE)."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0010"
down_revision = "platform_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it, sealed."""
    op.add_column(
        "channel_consents",
        sa.Column("sealed_verifier", sa.Text(), nullable=True),
        schema="public",
    )


def downgrade() -> None:
    """Forget them; consents that are under way cannot be completed."""
    op.drop_column("channel_consents", "sealed_verifier", schema="public")
