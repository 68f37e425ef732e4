"""What a tenant's role may touch in the shared schemas: granted to one group, repeated safely.

Roles belong to the server and carry the database's name, so grants cannot live in a revision:
they are stated here and applied after every upgrade. Row-level security narrows them to the
tenant's own rows (revision 0002 of the platform line).
"""

from sqlalchemy import Connection, text

from shared.database.tenant_schema import quote_identifier

GRANTS = (
    "GRANT USAGE ON SCHEMA public, product_attributes TO {group}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA product_attributes TO {group}",
    "GRANT SELECT (id, status) ON public.tenants TO {group}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON public.tenant_bells TO {group}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON public.dead_jobs TO {group}",
    "GRANT SELECT (id, user_id, revoked_at) ON public.auth_sessions TO {group}",
    "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
)
"""The last: a temporary table outlives its transaction and would hide the next shop's own."""


def tenant_group(database: str) -> str:
    """The group that every tenant role of this database is in."""
    return f"{database}_tenants"


def grant_tenant_access(connection: Connection, database: str) -> None:
    """Create the group if need be and give it exactly `GRANTS`."""
    group = tenant_group(database)
    known = connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :group"), {"group": group}
    ).scalar()
    quoted = quote_identifier(group)
    names = {"group": quoted, "database": quote_identifier(database)}
    statements = [grant.format(**names) for grant in GRANTS]
    if not known:
        statements.insert(0, f"CREATE ROLE {quoted} NOLOGIN")
    connection.exec_driver_sql("; ".join(statements))
