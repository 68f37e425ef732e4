"""A browser may be paused by its seller, work at another site than its shop sells on, and see in an
answer's headers that Vinted wants to see a person.
"""

import sqlalchemy as sa
from alembic import op

revision = "tenant_0012"
down_revision = "tenant_0011"
branch_labels = None
depends_on = None


BEFORE = ("signed_in", "signed_out", "wrong_account", "challenged", "unreachable")
AFTER = (*BEFORE, "other_site", "paused")


def allow(sessions: tuple[str, ...]) -> None:
    """Let browsers say this of their session."""
    words = ", ".join(f"'{session}'" for session in sessions)
    op.execute("ALTER TABLE vinted_accounts DROP CONSTRAINT ck_vinted_accounts_session")
    op.execute(
        "ALTER TABLE vinted_accounts ADD CONSTRAINT ck_vinted_accounts_session"
        f" CHECK (session IN ({words}))"
    )


def upgrade() -> None:
    """Add what it may say, the site, and what it saw."""
    allow(AFTER)
    op.add_column("vinted_accounts", sa.Column("browser_site", sa.Text(), nullable=True))
    challenged = sa.Column("challenged", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("vinted_commands", challenged)
    op.alter_column("vinted_commands", "challenged", server_default=None)


def downgrade() -> None:
    """Until the browser says something again, nothing is known of it."""
    op.drop_column("vinted_commands", "challenged")
    op.drop_column("vinted_accounts", "browser_site")
    op.execute(
        "UPDATE vinted_accounts SET session = 'unreachable'"
        " WHERE session IN ('other_site', 'paused')"
    )
    allow(BEFORE)
