"""What a tenant's role may touch in the shared schemas: granted to one group, repeated safely.

Roles belong to the server and carry the database's name, so grants cannot live in a revision:
they are stated here and applied after every upgrade. Row-level security narrows them to the
tenant's own rows (revision 0002 of the platform line). Where the login is a superuser, ways by
which an expression could leave the role, or leave something behind, are closed as well.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from shared.database.tenant_schema import quote_identifier

GRANTS = (
    "GRANT USAGE ON SCHEMA public, product_attributes TO {group}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA product_attributes TO {group}",
    "GRANT SELECT (id, status) ON public.tenants TO {group}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON public.tenant_bells TO {group}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON public.browser_bells TO {group}",
    "GRANT SELECT ON public.stopped_channels TO {group}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON public.dead_jobs TO {group}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON public.order_polls TO {group}",
    "GRANT SELECT, INSERT ON public.shop_events TO {group}",
    "GRANT SELECT, INSERT, UPDATE ON public.shop_event_counters TO {group}",
    "GRANT INSERT ON public.outbox_events TO {group}",
    "GRANT USAGE ON SEQUENCE public.outbox_events_id_seq TO {group}",
    "GRANT SELECT, UPDATE ON public.outbox_deliveries TO {group}",
    "GRANT SELECT (id, user_id, revoked_at) ON public.auth_sessions TO {group}",
    "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
)
"""The last: a temporary table outlives its transaction and would hide the next shop's own."""

_SESSION_LOCKS = tuple(
    f"pg_{kind}advisory_lock{shared}({key})"
    for kind in ("", "try_")
    for shared in ("", "_shared")
    for key in ("bigint", "integer, integer")
)

WAYS_OUT: Mapping[str, str] = {
    "set_config(text, text, boolean)": "EXECUTE ON FUNCTION",
    "pg_settings": "UPDATE ON TABLE",
    "plpgsql": "USAGE ON LANGUAGE",
    "sql": "USAGE ON LANGUAGE",
    **dict.fromkeys(("lo_creat(integer)", "lo_create(oid)"), "EXECUTE ON FUNCTION"),
    "lo_from_bytea(oid, bytea)": "EXECUTE ON FUNCTION",
    **dict.fromkeys(_SESSION_LOCKS, "EXECUTE ON FUNCTION"),
}
"""What everybody may use in a new database: SET as a function and as a view, languages for DO and
for functions with a `SET role` of their own, large objects, locks that outlive a transaction."""


def tenant_group(database: str) -> str:
    """The group that every tenant role of this database is in."""
    return f"{database}_tenants"


def grant_tenant_access(connection: Connection, database: str) -> None:
    """Create the group if need be, give it exactly `GRANTS`, and close the ways out."""
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
    close_ways_out(connection)


def ways_out(connection: Connection) -> list[str]:
    """Those of `WAYS_OUT` that are open to everybody in this database."""
    return [each for each, right in WAYS_OUT.items() if _is_open(connection, each, right)]


def close_ways_out(connection: Connection) -> None:
    """Close them to all but the database's owner; without effect unless the login is superuser."""
    superuser, owner = connection.execute(
        text(
            "SELECT rolsuper, pg_get_userbyid(datdba) FROM pg_roles, pg_database"
            " WHERE rolname = current_user AND datname = current_database()"
        )
    ).one()
    if not superuser:
        return
    for each in ways_out(connection):
        right, _, kind = WAYS_OUT[each].partition(" ON ")
        thing = f"{right} ON {kind} {_in_catalog(each, kind)}"
        connection.exec_driver_sql(f"REVOKE {thing} FROM PUBLIC")
        connection.exec_driver_sql(f"GRANT {thing} TO {quote_identifier(owner)}")


def _is_open(connection: Connection, name: str, right: str) -> bool:
    privilege, _, kind = right.partition(" ON ")
    probe = f"SELECT has_{kind.lower()}_privilege('public', :name, :privilege)"
    names = {"name": _in_catalog(name, kind), "privilege": privilege}
    return bool(connection.scalar(text(probe), names))


def _in_catalog(name: str, kind: str) -> str:
    return name if kind == "LANGUAGE" else f"pg_catalog.{name}"
