"""Row-level security: a tenant's role sees its own rows of the shared tables, whatever it asks.

The number at the end of the role's name is the tenant. Owners and superusers, under which the
platform itself works, are not restricted.
"""

from alembic import op

revision = "platform_0002"
down_revision = "platform_0001"
branch_labels = None
depends_on = None

OWN_TENANT = "substring(current_user::text from '_user_([0-9]+)$')::bigint"

TABLES = {"tenants": "id", "tenant_bells": "tenant_id", "auth_sessions": "user_id"}


def upgrade() -> None:
    """Enable row-level security with one policy a table."""
    for table, column in TABLES.items():
        op.execute(f"ALTER TABLE public.{table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_tenant ON public.{table} USING ({column} = {OWN_TENANT})")


def downgrade() -> None:
    """Take the policies away again."""
    for table in TABLES:
        op.execute(f"DROP POLICY own_tenant ON public.{table}")
        op.execute(f"ALTER TABLE public.{table} DISABLE ROW LEVEL SECURITY")
