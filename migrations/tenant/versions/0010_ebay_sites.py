"""Whose categories a shop's choices are: those of the site that it sells on."""

import sqlalchemy as sa
from alembic import op

revision = "tenant_0010"
down_revision = "tenant_0009"
branch_labels = None
depends_on = None

PRESENT = "coalesce((SELECT min(marketplace_id) FROM ebay_connections), 'EBAY_US')"


def upgrade() -> None:
    """What was chosen so far was chosen for the present site."""
    op.add_column("category_choices", sa.Column("site", sa.Text(), nullable=True))
    op.execute(
        f"UPDATE category_choices SET site = CASE channel WHEN 'ebay' THEN {PRESENT} ELSE '' END"  # noqa: S608 # a constant
    )
    op.alter_column("category_choices", "site", nullable=False)
    op.drop_constraint("uq_category_choices_channel_category_code_department", "category_choices")
    op.create_unique_constraint(
        op.f("uq_category_choices_channel_site_category_code_department"),
        "category_choices",
        ["channel", "site", "category_code", "department"],
    )
    op.add_column("ebay_product_choices", sa.Column("marketplace_id", sa.Text(), nullable=True))
    op.execute(f"UPDATE ebay_product_choices SET marketplace_id = {PRESENT}")  # noqa: S608 # a constant
    op.alter_column("ebay_product_choices", "marketplace_id", nullable=False)
    op.drop_constraint("uq_ebay_product_choices_product_id", "ebay_product_choices")
    op.create_unique_constraint(
        op.f("uq_ebay_product_choices_product_id_marketplace_id"),
        "ebay_product_choices",
        ["product_id", "marketplace_id"],
    )


def downgrade() -> None:
    """One choice again: that of the present site."""
    op.execute(
        f"DELETE FROM category_choices WHERE channel = 'ebay' AND site <> {PRESENT}"  # noqa: S608 # a constant
    )
    op.drop_constraint(
        "uq_category_choices_channel_site_category_code_department", "category_choices"
    )
    op.create_unique_constraint(
        op.f("uq_category_choices_channel_category_code_department"),
        "category_choices",
        ["channel", "category_code", "department"],
    )
    op.drop_column("category_choices", "site")
    op.execute(f"DELETE FROM ebay_product_choices WHERE marketplace_id <> {PRESENT}")  # noqa: S608 # a constant
    op.drop_constraint("uq_ebay_product_choices_product_id_marketplace_id", "ebay_product_choices")
    op.create_unique_constraint(
        op.f("uq_ebay_product_choices_product_id"), "ebay_product_choices", ["product_id"]
    )
    op.drop_column("ebay_product_choices", "marketplace_id")
