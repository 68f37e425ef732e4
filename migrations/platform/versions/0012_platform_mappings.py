"""One mapping for all marketplaces, with versions; for whom categories exist."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0012"
down_revision = "platform_0011"
branch_labels = None
depends_on = None

SCHEMA = "product_attributes"


def upgrade() -> None:
    """The mapping's rows are loaded again from their files, eBay's among them."""
    op.create_table(
        "platform_mappings",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("tree", sa.Text(), nullable=False),
        sa.Column("leaves_only", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("platform", name=op.f("pk_platform_mappings")),
        schema=SCHEMA,
    )
    op.create_table(
        "platform_categories",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("category_code", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("remote_path", sa.Text(), nullable=False),
        sa.Column("with_children", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform", "category_code", "department", name=op.f("pk_platform_categories")
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_platform_categories_platform_remote_id",
        "platform_categories",
        ["platform", "remote_id"],
        unique=False,
        schema=SCHEMA,
    )
    op.create_table(
        "platform_nodes",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("is_leaf", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "remote_id", name=op.f("pk_platform_nodes")),
        schema=SCHEMA,
    )
    op.create_table(
        "platform_values",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("remote_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform", "attribute", "scope", "code", name=op.f("pk_platform_values")
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "category_audiences",
        sa.Column("category_code", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("category_code", "department", name=op.f("pk_category_audiences")),
        schema=SCHEMA,
    )
    op.drop_table("ebay_categories", schema=SCHEMA)


def downgrade() -> None:
    """eBay's table comes back empty and is filled when its files are loaded."""
    op.create_table(
        "ebay_categories",
        sa.Column("category_code", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("ebay_category_id", sa.Text(), nullable=False),
        sa.Column("ebay_path", sa.Text(), nullable=False),
        sa.Column("with_children", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("category_code", "department", name=op.f("pk_ebay_categories")),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_ebay_categories_ebay_category_id",
        "ebay_categories",
        ["ebay_category_id"],
        unique=False,
        schema=SCHEMA,
    )
    op.execute(
        "DELETE FROM product_attributes.loaded_files WHERE name LIKE '%/ebay_us_categories.csv'"
    )
    for name in (
        "category_audiences",
        "platform_values",
        "platform_nodes",
        "platform_categories",
        "platform_mappings",
    ):
        op.drop_table(name, schema=SCHEMA)
