"""Catalogues: categories, conditions, departments, words, and the eBay mapping with its cache."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "platform_0003"
down_revision = "platform_0002"
branch_labels = None
depends_on = None

SCHEMA = "product_attributes"

TABLES = (
    "categories",
    "conditions",
    "departments",
    "ebay_aspect_values",
    "ebay_aspects",
    "ebay_categories",
    "ebay_category_aspects",
    "ebay_category_conditions",
    "ebay_category_refreshes",
    "ebay_conditions",
    "ebay_implied_aspects",
    "loaded_files",
    "value_aliases",
)


def upgrade() -> None:
    """Create every catalogue."""
    op.create_table(
        "categories",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.Text(), nullable=True),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("full_path", sa.Text(), nullable=False),
        sa.Column("path_key", sa.Text(), nullable=False),
        sa.Column("google_category_id", sa.BigInteger(), nullable=True),
        sa.Column("is_leaf", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_categories")),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_categories_path_key", "categories", ["path_key"], unique=True, schema=SCHEMA
    )
    op.create_table(
        "conditions",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_fr", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_conditions")),
        schema=SCHEMA,
    )
    op.create_table(
        "departments",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_fr", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_departments")),
        schema=SCHEMA,
    )
    op.create_table(
        "ebay_aspect_values",
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("attribute", "code", name=op.f("pk_ebay_aspect_values")),
        schema=SCHEMA,
    )
    op.create_table(
        "ebay_aspects",
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("aspect_name", sa.Text(), nullable=False),
        sa.Column("preference", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("attribute", "aspect_name", name=op.f("pk_ebay_aspects")),
        schema=SCHEMA,
    )
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
    op.create_table(
        "ebay_category_aspects",
        sa.Column("category_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("cardinality", sa.Text(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("enabled_for_variations", sa.Boolean(), nullable=False),
        sa.Column("max_length", sa.BigInteger(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("category_id", "name", name=op.f("pk_ebay_category_aspects")),
        schema=SCHEMA,
    )
    op.create_table(
        "ebay_category_conditions",
        sa.Column("category_id", sa.Text(), nullable=False),
        sa.Column("condition_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "category_id", "condition_id", name=op.f("pk_ebay_category_conditions")
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "ebay_category_refreshes",
        sa.Column("category_id", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("category_id", name=op.f("pk_ebay_category_refreshes")),
        schema=SCHEMA,
    )
    op.create_table(
        "ebay_conditions",
        sa.Column("condition_code", sa.Text(), nullable=False),
        sa.Column("preference", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ebay_condition_id", sa.BigInteger(), nullable=False),
        sa.Column("inventory_api_enum", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("condition_code", "preference", name=op.f("pk_ebay_conditions")),
        schema=SCHEMA,
    )
    op.create_table(
        "ebay_implied_aspects",
        sa.Column("category_code", sa.Text(), nullable=False),
        sa.Column("aspect_name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "category_code", "aspect_name", name=op.f("pk_ebay_implied_aspects")
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "loaded_files",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_loaded_files")),
        schema=SCHEMA,
    )
    op.create_table(
        "value_aliases",
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("attribute", "alias", name=op.f("pk_value_aliases")),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Drop every catalogue."""
    for table in TABLES:
        op.drop_table(table, schema=SCHEMA)
