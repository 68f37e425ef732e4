"""The rules for Citus that SQL shows, whether rendered, executed or written in the source.

What the tables themselves show is in `test_tables.py`. Rules that no test can hold are named in
docs/adr/0003.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from migrations.lines import PLATFORM
from migrations.rendering import tenant_script
from models.registry import PLATFORM_METADATA
from repositories.accounts.citus import placement_of
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import MovableClock
from shared.database import TEMPLATE_SCHEMA, Database, TenantSchema
from tests.citus_rules import refused_on_citus
from tests.factories.accounts import make_user
from tests.paths import CHECKOUT

TENANT_DDL = tenant_script().statements
ALL_DDL = TENANT_DDL + tenant_script(line=PLATFORM).statements

ALLOWED = re.compile(
    r"(CREATE TABLE|CREATE (UNIQUE )?INDEX|ALTER TABLE|DROP (TABLE|INDEX)|INSERT INTO|UPDATE"
    r"|DELETE FROM) "
)
CONSTRAINTS = re.compile(r"\b(PRIMARY KEY|FOREIGN KEY|UNIQUE|CHECK|REFERENCES)\b")
INLINE = re.compile(r"ADD COLUMN .*\b(CHECK|SERIAL|BIGSERIAL|IDENTITY|REFERENCES|UNIQUE)\b", re.S)

SOURCES = [
    path
    for floor in ("backend", "api", "services", "repositories", "models", "shared")
    for path in sorted((CHECKOUT / floor).rglob("*.py"))
]
FORBIDS_IT = ("shared/database/statements.py",)
"""Names what shops' SQL may not say."""


@pytest.fixture
def database_without_roles(database: Database) -> Iterator[Database]:
    """As on Citus. What was made there has no role that cleaning up could drop."""
    without = Database(database.engine, tenant_roles=False)
    yield without
    with database.engine.begin() as connection:
        shops = connection.scalars(text("SELECT 'user_' || id FROM public.tenants")).all()
        for name in shops:
            connection.execute(text(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'))


def unnamed_constraints(statement: str) -> list[str]:
    """Constraints without a name in a CREATE or ALTER TABLE."""
    if not statement.startswith(("CREATE TABLE", "ALTER TABLE")):
        return []
    return [
        found[0]
        for found in CONSTRAINTS.finditer(statement)
        # A foreign key is one constraint with two words for it.
        if not re.search(r"CONSTRAINT \S+ $", statement[: found.start()])
        and not (found[0] == "REFERENCES" and "FOREIGN KEY" in statement[: found.start()])
    ]


def actions(statement: str) -> int:
    """How many things an ALTER TABLE does."""
    depth, commas = 0, 0
    for letter in statement:
        depth += (letter == "(") - (letter == ")")
        commas += letter == "," and depth == 0
    return commas + 1


def texts_in(path: Path) -> Iterator[str]:
    """String constants of a file, docstrings apart."""
    tree = ast.parse(path.read_text())
    told = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def saying(pattern: str) -> list[str]:
    """Files with a string constant in which the pattern is found."""
    return [
        name
        for path in SOURCES
        if (name := path.relative_to(CHECKOUT).as_posix()) not in FORBIDS_IT
        and any(re.search(pattern, said, re.I) for said in texts_in(path))
    ]


def test_a_shop_is_made_by_plain_statements() -> None:
    """Rules 3, 4, 5 and 9: no DO block, function, trigger, type or setting."""
    assert [each for each in TENANT_DDL if not ALLOWED.match(each)] == []
    assert [each for each in TENANT_DDL if "$$" in each or "TRIGGER" in each.upper()] == []


def test_no_table_of_a_shop_is_unlogged_inherited_or_partitioned() -> None:
    """Rule 2."""
    bad = re.compile(r"\b(UNLOGGED|INHERITS|PARTITION BY|TEMPORARY)\b")
    assert [each for each in TENANT_DDL if bad.search(each)] == []


def test_the_template_has_no_trigger_function_view_or_type(database: Database) -> None:
    """Rules 2, 3, 4 and 9, asked of PostgreSQL itself."""
    with database.platform() as session:
        found = session.scalars(
            text(
                "SELECT tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE c.relnamespace = CAST(:schema AS text)::regnamespace AND NOT tgisinternal"
                " UNION ALL SELECT proname FROM pg_proc"
                " WHERE pronamespace = CAST(:schema AS text)::regnamespace"
                " UNION ALL SELECT relname FROM pg_class"
                " WHERE relnamespace = CAST(:schema AS text)::regnamespace"
                " AND (relkind NOT IN ('r', 'i', 'S') OR relpersistence <> 'p')"
                " UNION ALL SELECT typname FROM pg_type"
                " WHERE typnamespace = CAST(:schema AS text)::regnamespace"
                " AND typtype IN ('e', 'd', 'r')"
            ),
            {"schema": TEMPLATE_SCHEMA},
        ).all()
    assert found == []


@pytest.mark.parametrize("statement", ALL_DDL)
def test_a_revision_obeys_the_rules_of_citus(statement: str) -> None:
    """Rule 18: names, one action where a constraint is involved, nothing inline."""
    assert unnamed_constraints(statement) == []
    assert not INLINE.search(statement)
    assert "CONCURRENTLY" not in statement
    if statement.startswith("ALTER TABLE") and "CONSTRAINT" in statement:
        assert actions(statement) == 1


def test_the_rules_for_revisions_do_notice() -> None:
    """A rule that finds nothing must be able to find something."""
    assert unnamed_constraints("CREATE TABLE t (a INT, PRIMARY KEY (a))") == ["PRIMARY KEY"]
    assert unnamed_constraints("CREATE TABLE t (a INT, CONSTRAINT p PRIMARY KEY (a))") == []
    assert unnamed_constraints("ALTER TABLE t ADD CHECK (a > 1)") == ["CHECK"]
    assert INLINE.search("ALTER TABLE t ADD COLUMN a INT CHECK (a > 1)")
    assert actions("ALTER TABLE t ADD CONSTRAINT p UNIQUE (a, b), ADD COLUMN c INT") == 2
    assert not ALLOWED.match("DO $$ BEGIN END $$")


@pytest.mark.parametrize("table", PLATFORM_METADATA.tables.values(), ids=lambda each: each.fullname)
def test_a_shared_table_says_what_it_becomes_on_citus(table: object) -> None:
    """Rules 6 and 7: `WRITTEN_WITH_SHOPS` or `CATALOGUE` of models/base.py as its info."""
    placement_of(table)  # type: ignore[arg-type]


def test_without_roles_a_shop_is_made_statement_by_statement_where_citus_looks(
    database_without_roles: Database, clock: MovableClock
) -> None:
    """Rules 4, 5 and 15: sharding on around the schema alone, one statement at a time, no role."""
    database, said = database_without_roles, []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    with database.platform() as session:
        user = make_user(session, clock)
        shop = TenantProvisioning(database, tenant_script(), clock).provision(session, user.id)
    event.remove(database.engine, "before_cursor_execute", note)
    on = said.index("SET LOCAL citus.enable_schema_based_sharding = on")
    assert said[on : on + 3] == [
        "SET LOCAL citus.enable_schema_based_sharding = on",
        f"CREATE SCHEMA {shop.quoted}",
        "SET LOCAL citus.enable_schema_based_sharding = off",
    ]
    assert [each for each in TENANT_DDL if each not in said] == []
    assert [each for each in said if re.search(r"\bROLE\b", each)] == []


def test_without_roles_a_transaction_binds_without_one(
    database_without_roles: Database,
) -> None:
    """Rules 14 and 15: literal SET LOCAL."""
    session = database_without_roles.tenant_session(TenantSchema(7))
    assert "SET LOCAL search_path" in session.set_local_sql
    assert "ROLE" not in session.set_local_sql
    assert "set_config" not in session.set_local_sql


def test_errors_are_told_apart_by_sqlstate() -> None:
    """Rule 12: names of constraints carry a number on Citus."""
    looks_at_names = [
        path.relative_to(CHECKOUT).as_posix()
        for path in SOURCES
        if re.search(r"\.constraint_name\b|\bdiag\b", path.read_text())
    ]
    assert looks_at_names == []
    assert saying(r"violates (unique|foreign|check)|duplicate key value") == []


def test_settings_are_set_literally() -> None:
    """Rule 14: only SET LOCAL reaches the nodes."""
    assert saying(r"\bset_config\s*\(") == []


def test_advisory_locks_are_taken_by_a_bare_select() -> None:
    """Rule 17."""
    taken = [
        said
        for path in SOURCES
        for said in texts_in(path)
        if re.search(r"pg_\w*advisory\w*\(", said)
    ]
    assert taken != []
    bare = re.compile(r"SELECT pg_\w*advisory\w*\([^()]*\)\s*(AS \w+)?\s*(;|$)")
    assert [said for said in taken if not bare.search(said)] == []


def test_nothing_that_is_written_in_the_source_is_refused_on_citus() -> None:
    """Rules 10 and 11: for SQL that is written as text."""
    written = [
        (path.relative_to(CHECKOUT).as_posix(), why)
        for path in SOURCES
        for said in texts_in(path)
        if re.match(r"\s*(UPDATE|INSERT INTO|DELETE FROM|MERGE)\s", said)
        and (why := refused_on_citus(said))
    ]
    assert written == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE t SET a = now() + interval '1 hour'",
        "UPDATE t SET a = coalesce(b, now())",
        "INSERT INTO t (a) VALUES (gen_random_uuid())",
        "INSERT INTO t (a) VALUES ((SELECT 1))",
        "DELETE FROM t WHERE random() < 0.5",
        "MERGE INTO t USING (VALUES (1)) v ON true WHEN MATCHED THEN DELETE",
        "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = (SELECT 2)",
    ],
)
def test_what_citus_refuses_is_noticed(statement: str) -> None:
    """Rules 10 and 11."""
    assert refused_on_citus(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE t SET a = %(a)s WHERE b < %(now)s",
        "INSERT INTO t (a) VALUES (%(a)s) ON CONFLICT (a) DO UPDATE SET b = excluded.b",
        "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = least(t.a, excluded.a)",
        "SELECT now()",
    ],
)
def test_what_citus_takes_is_left_alone(statement: str) -> None:
    """Rules 10 and 11."""
    assert refused_on_citus(statement) is None
