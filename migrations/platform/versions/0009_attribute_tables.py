"""Attribute tables of one shape, categories in other languages, keys to find all of them by."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0009"
down_revision = "platform_0008"
branch_labels = None
depends_on = None

SCHEMA = "product_attributes"

LANGUAGES = ("fr", "de", "es", "it", "nl", "pl", "pt")

VALUE_TABLES = (
    "accessory_sizes",
    "activewear_features",
    "activities",
    "age_groups",
    "alpha_sizes",
    "bag_closures",
    "bag_features",
    "bag_materials",
    "boot_styles",
    "bra_closures",
    "bra_coverages",
    "bra_straps",
    "brands",
    "care_instructions",
    "carry_options",
    "closures",
    "clothing_features",
    "colors",
    "costume_themes",
    "cup_sizes",
    "decades",
    "dress_occasions",
    "dress_styles",
    "fits",
    "footwear_materials",
    "genders",
    "headwear_features",
    "heel_heights",
    "intimate_apparel_features",
    "jewelry_materials",
    "jewelry_types",
    "materials",
    "maternity_features",
    "necklines",
    "occasion_styles",
    "one_piece_styles",
    "origins",
    "outerwear_features",
    "pants_lengths",
    "patterns",
    "ring_sizes",
    "scarf_styles",
    "seasons",
    "shoe_features",
    "shoe_fits",
    "shoe_sizes",
    "size_groups",
    "size_types",
    "sizes",
    "skirt_dress_lengths",
    "skirt_styles",
    "sleeve_lengths",
    "swimwear_features",
    "toe_styles",
    "top_lengths",
    "underwear_styles",
    "waist_rises",
)


def upgrade() -> None:
    """Create them."""
    for name in VALUE_TABLES:
        op.create_table(
            name,
            sa.Column("position", sa.BigInteger(), nullable=False),
            sa.Column("group_code", sa.Text(), nullable=True),
            sa.Column("source_id", sa.Text(), nullable=True),
            sa.Column("code", sa.Text(), nullable=False),
            sa.Column("name_en", sa.Text(), nullable=False),
            *(sa.Column(f"name_{each}", sa.Text(), nullable=True) for each in LANGUAGES),
            sa.PrimaryKeyConstraint("code", name=op.f(f"pk_{name}")),
            schema=SCHEMA,
        )
    op.alter_column("categories", "name", new_column_name="name_en", schema=SCHEMA)
    for language in LANGUAGES:
        column = sa.Column(f"name_{language}", sa.Text(), nullable=True)
        op.add_column("categories", column, schema=SCHEMA)
    op.create_table(
        "attribute_tables",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("title_fr", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_attribute_tables")),
        schema=SCHEMA,
    )
    op.create_table(
        "search_keys",
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("attribute", "key", "code", name=op.f("pk_search_keys")),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("search_keys", "attribute_tables", *VALUE_TABLES):
        op.drop_table(name, schema=SCHEMA)
    for language in LANGUAGES:
        op.drop_column("categories", f"name_{language}", schema=SCHEMA)
    op.alter_column("categories", "name_en", new_column_name="name", schema=SCHEMA)
