"""What of `migrations.access` a database lacks: the group, or rights it should have or not have."""

import re
from collections.abc import Iterator
from itertools import product

from sqlalchemy import Connection, text

from migrations.access import GRANTS, tenant_group, ways_out

_GRANT = re.compile(
    r"GRANT (?P<rights>[A-Z, ]+?)(?: \((?P<columns>[a-z_, ]+)\))?"
    r" ON (?P<kind>SCHEMA|ALL TABLES IN SCHEMA|SEQUENCE|TABLE|)\s*(?P<names>[a-z_., ]+)"
    r" TO \{group\}"
)
_REVOKE = re.compile(r"REVOKE (?P<rights>[A-Z, ]+) ON DATABASE \{database\} FROM PUBLIC")

_IS_SUPERUSER = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")

_HELD = {
    "SCHEMA": "has_schema_privilege(:who, :name, :right)",
    "ALL TABLES IN SCHEMA": "NOT EXISTS (SELECT FROM pg_class WHERE relkind IN ('r', 'p', 'v')"
    " AND relnamespace = CAST(:name AS text)::regnamespace"
    " AND NOT has_table_privilege(:who, oid, :right))",
    "SEQUENCE": "has_sequence_privilege(:who, :name, :right)",
    "TABLE": "has_table_privilege(:who, :name, :right)",
    "COLUMN": "has_column_privilege(:who, :name, :column, :right)",
    "DATABASE": "NOT has_database_privilege('public', :name, :right)",
}


def lacking_access(connection: Connection, database: str) -> list[str]:
    """Each right that is not as `GRANTS` says, as a sentence; empty when all is right."""
    group = tenant_group(database)
    known = text("SELECT 1 FROM pg_roles WHERE rolname = :who")
    if connection.execute(known, {"who": group}).scalar() is None:
        return [f"the group {group} of all shops' roles is missing"]
    lacking = [
        says
        for grant in GRANTS
        for kind, values, says in _checks(grant, group, database)
        if not connection.scalar(text(f"SELECT {_HELD[kind]}"), values)
    ]
    if connection.scalar(_IS_SUPERUSER):
        # No other login can close them.
        lacking += [f"everybody may use {each}" for each in ways_out(connection)]
    return lacking


def _checks(grant: str, group: str, database: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """How to ask for a grant: kind of question, its values, what to say when it is not held."""
    taken = _REVOKE.fullmatch(grant)
    if taken is not None:
        for right in _listed(taken["rights"]):
            values = {"name": database, "right": right}
            yield "DATABASE", values, f"everybody has {right} on database {database}"
        return
    given = _GRANT.fullmatch(grant)
    assert given is not None, f"teach this file to check: {grant}"
    kind = "COLUMN" if given["columns"] else given["kind"] or "TABLE"
    parts = (_listed(given[part] or "-") for part in ("names", "columns", "rights"))
    for name, column, right in product(*parts):
        values = {"who": group, "name": name, "column": column, "right": right}
        place = name if column == "-" else f"{name}.{column}"
        yield kind, values, f"{group} lacks {right} on {kind.lower()} {place}"


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",")]
