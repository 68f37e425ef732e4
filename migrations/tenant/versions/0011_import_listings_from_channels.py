"""Import listings from channels."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "tenant_0011"
down_revision = "tenant_0010"
branch_labels = None
depends_on = None


TABLES = ("marketplace_jobs", "job_batches", "order_follow_ups")
BEFORE = ("publish", "update", "delete", "sync", "orders", "message", "link", "ship")
AFTER = (*BEFORE, "import")


def allow(actions: tuple[str, ...]) -> None:
    """Let jobs, batches and follow-ups be of these actions."""
    words = ", ".join(f"'{action}'" for action in actions)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_action")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_action CHECK (action IN ({words}))"
        )


def upgrade() -> None:
    """Let jobs be of a further action, and keep what became of each listing they read."""
    allow(AFTER)
    op.create_table(
        "listing_imports",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "ebay",
                "etsy",
                "vinted",
                "bazaar",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "reading",
                "checking",
                "complete",
                "partial",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("next_page", sa.BigInteger(), nullable=False),
        sa.Column("page_marks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("announced", sa.BigInteger(), nullable=True),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("doubt", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["marketplace_jobs.id"],
            name=op.f("fk_listing_imports_job_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_imports")),
    )
    op.create_index(
        "uq_listing_imports_unfinished",
        "listing_imports",
        ["channel"],
        unique=True,
        postgresql_where=sa.text("status IN ('reading', 'checking')"),
    )
    op.create_table(
        "listing_import_rows",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("remote_key", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "created",
                "linked",
                "unchanged",
                "suggested",
                "failed",
                "skipped",
                "absent",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("problems", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("told", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["listing_imports.id"],
            name=op.f("fk_listing_import_rows_import_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_listing_import_rows_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_import_rows")),
        sa.UniqueConstraint(
            "import_id", "remote_key", name=op.f("uq_listing_import_rows_import_id_remote_key")
        ),
    )
    op.create_index(
        "ix_listing_import_rows_outcome",
        "listing_import_rows",
        ["import_id", "outcome", "id"],
        unique=False,
    )
    op.create_index(
        "ix_listing_import_rows_product_id", "listing_import_rows", ["product_id"], unique=False
    )
    op.add_column(
        "product_variants", sa.Column("key_adopted_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    """Forget imports, and the jobs that worked on them; what they brought stays."""
    op.drop_column("product_variants", "key_adopted_at")
    op.drop_index("ix_listing_import_rows_product_id", table_name="listing_import_rows")
    op.drop_index("ix_listing_import_rows_outcome", table_name="listing_import_rows")
    op.drop_table("listing_import_rows")
    op.drop_index(
        "uq_listing_imports_unfinished",
        table_name="listing_imports",
        postgresql_where=sa.text("status IN ('reading', 'checking')"),
    )
    op.drop_table("listing_imports")
    op.execute("DELETE FROM marketplace_jobs WHERE action = 'import'")
    op.execute("DELETE FROM job_batches WHERE action = 'import'")
    allow(BEFORE)
