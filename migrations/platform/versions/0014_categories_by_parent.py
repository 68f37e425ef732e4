"""Find a category's children by an index."""

from alembic import op

revision = "platform_0014"
down_revision = "platform_0013"
branch_labels = None
depends_on = None

SCHEMA = "product_attributes"


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "ix_categories_parent_code", "categories", ["parent_code"], unique=False, schema=SCHEMA
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_categories_parent_code", "categories", schema=SCHEMA)
