"""What eBay asks of a category, by site; its answers so far are asked for again."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0017"
down_revision = "platform_0016"
branch_labels = None
depends_on = None

SCHEMA = "product_attributes"
KEYS = {
    "ebay_category_refreshes": ["category_id"],
    "ebay_category_aspects": ["category_id", "name"],
    "ebay_category_conditions": ["category_id", "condition_id"],
}


def upgrade() -> None:
    """Nobody wrote down of which site the answers are, so they are forgotten."""
    for table, columns in KEYS.items():
        _emptied(table)
        op.add_column(table, sa.Column("marketplace_id", sa.Text(), nullable=False), schema=SCHEMA)
        op.create_primary_key(f"pk_{table}", table, ["marketplace_id", *columns], schema=SCHEMA)


def downgrade() -> None:
    """One site again."""
    for table, columns in KEYS.items():
        _emptied(table)
        op.drop_column(table, "marketplace_id", schema=SCHEMA)
        op.create_primary_key(f"pk_{table}", table, columns, schema=SCHEMA)


def _emptied(table: str) -> None:
    op.execute(f"DELETE FROM {SCHEMA}.{table}")  # noqa: S608 # names above
    op.drop_constraint(f"pk_{table}", table, schema=SCHEMA)
