"""All rows of one shop as lines of JSON, out of its schema and into a schema, whatever its tables.

Tables and columns come from the catalog of the schema itself, so nothing is forgotten; what may
not be copied as it is, is declared beside the model (`models.base`).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from repositories.accounts.table_shapes import Reference, SequenceState, TableShape
from shared.database import TEMPLATE_SCHEMA, Database, PlatformSession, TenantSchema
from shared.database.retirement import note_tenant
from shared.database.tenant_schema import quote_identifier
from shared.errors import DatabaseError

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)

_COLUMNS = text(
    "SELECT c.relname, a.attname, a.atttypid IN ('json'::regtype, 'jsonb'::regtype),"
    " a.attnum = ANY (coalesce(i.indkey::int2[], '{}'))"
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
    " WHERE c.relnamespace = CAST(:schema AS text)::regnamespace AND c.relkind IN ('r', 'p')"
    " AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
    " ORDER BY c.relname, a.attnum"
)
_KINDS = text(
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)"
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    " WHERE c.relnamespace = CAST(:schema AS text)::regnamespace AND c.relkind IN ('r', 'p')"
    " AND a.attnum > 0 AND NOT a.attisdropped"
)
_REFERENCES = text(
    "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), f.relname"
    " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
    " JOIN pg_class f ON f.oid = k.confrelid"
    " WHERE k.connamespace = CAST(:schema AS text)::regnamespace AND k.contype = 'f'"
    " ORDER BY c.relname, k.conname"
)
_SEQUENCES = text(
    "SELECT relname FROM pg_class"
    " WHERE relnamespace = CAST(:schema AS text)::regnamespace AND relkind = 'S' ORDER BY relname"
)
_PATIENCE = (
    "SET LOCAL statement_timeout = '15min'",
    "SET LOCAL idle_in_transaction_session_timeout = '15min'",
    "SET LOCAL TimeZone = 'UTC'",
)
_FETCHED_AT_ONCE = 500


class TenantRows:
    """Works in the caller's transaction, whatever the status of the shop."""

    def __init__(self, session: PlatformSession, database: Database, tenant: TenantSchema) -> None:
        self._session = session
        self._database = database
        self._tenant = tenant

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Work as the owner of the schema; afterwards the transaction is the platform's again."""
        note_tenant(self._session.connection(), self._tenant)
        steps = [*_PATIENCE, f"SET LOCAL search_path TO {self._tenant.quoted}, public, pg_temp"]
        if self._database.tenant_roles:
            role = quote_identifier(self._database.role_of(self._tenant))
            steps.append(f"SET LOCAL ROLE {role}")
        self._run("; ".join(steps))
        yield
        if self._database.tenant_roles:
            self._run("RESET ROLE")
        self._run("SET LOCAL search_path TO DEFAULT")

    def tables(self) -> list[TableShape]:
        """Every table with the shop's own rows; one comes after those that it points at."""
        columns: dict[str, list[tuple[str, bool, bool]]] = {}
        for table, *column in self._session.execute(_COLUMNS, {"schema": self._tenant.name}):
            columns.setdefault(_plain(table), []).append((_plain(column[0]), column[1], column[2]))
        shapes = {
            name: TableShape(
                name,
                tuple(column for column, _, _ in found),
                frozenset(column for column, is_json, _ in found if is_json),
                tuple(column for column, _, in_key in found if in_key),
            )
            for name, found in columns.items()
        }
        ordered = _parents_first(list(shapes), self.references())
        return [shapes[name] for name in ordered if shapes[name].is_copied()]

    def differences_from_the_template(self) -> list[str]:
        """Columns, as `table.column`, that are missing or too many or of another type."""
        mine, wanted = (
            {tuple(row) for row in self._session.execute(_KINDS, {"schema": schema})}
            for schema in (self._tenant.name, TEMPLATE_SCHEMA)
        )
        return sorted({f"{table}.{column}" for table, column, _ in mine ^ wanted})

    def references(self) -> list[Reference]:
        """The foreign keys of the schema."""
        rows = self._session.execute(_REFERENCES, {"schema": self._tenant.name})
        return [Reference(*row) for row in rows]

    def lines(self, table: TableShape) -> Iterator[str]:
        """Each row as one line of JSON, in the order of the primary key, a few at a time.

        A key that is missing is NULL; `null` is JSON's null in a column of JSON.
        """
        fields = ", ".join(f"'\"{name}\":' || {self._out(table, name)}" for name in table.columns)
        order = ", ".join(quote_identifier(name) for name in table.key) or "1"
        statement = (
            f"SELECT '{{' || array_to_string(ARRAY[{fields}]::text[], ',') || '}}'"  # noqa: S608 - quoted identifiers
            f" FROM {self._named(table.name)} AS t ORDER BY {order}"
        )
        found = self._session.connection().exec_driver_sql(
            statement,
            execution_options={
                "no_parameters": True,
                "stream_results": True,
                "max_row_buffer": _FETCHED_AT_ONCE,
            },
        )
        yield from found.scalars()

    def add(self, table: TableShape, lines: Sequence[str], account_id: int | None) -> None:
        """Store rows from their lines; `account_id` replaces the accounts that they name.

        Raises `DatabaseError` with PostgreSQL's own first line; then roll back.
        """
        columns = ", ".join(quote_identifier(name) for name in table.columns)
        values = ", ".join(self._in(table, name, account_id) for name in table.columns)
        named = self._named(table.name)
        statement = text(
            f"INSERT INTO {named} ({columns}) SELECT {values}"  # noqa: S608 - names, quoted
            " FROM unnest(CAST(:lines AS text[])) WITH ORDINALITY AS given(line, place)"
            " CROSS JOIN LATERAL (SELECT CAST(line AS jsonb) AS doc) AS parsed"
            f" CROSS JOIN LATERAL jsonb_populate_record(CAST(NULL AS {named}), doc) AS r"
            " ORDER BY place"
        )
        bound = {"lines": lines, "folder": self._tenant.folder, "account_id": account_id}
        with _telling(table.name):
            self._session.execute(statement, bound)

    def misplaced_files(self, table: TableShape) -> int:
        """How many rows name a file outside the shop's folder, which cannot be copied."""
        wanted = [
            f"NOT starts_with({quote_identifier(column)}, '{self._tenant.folder}')"
            for column in table.columns
            if table.content_type_of(column) is not None
        ]
        return self._count(table, f" WHERE {' OR '.join(wanted)}") if wanted else 0

    def count(self, table: TableShape) -> int:
        """How many rows there are."""
        return self._count(table)

    def object_keys(self, table: TableShape) -> Iterator[tuple[str, str]]:
        """Keys below the shop's folder, with content types, of the files that the rows name."""
        for column in table.columns:
            kind = table.content_type_of(column)
            if kind is None:
                continue
            rows = self._session.execute(
                text(
                    f"SELECT DISTINCT {self._out(table, column)}::json #>> '{{}}',"  # noqa: S608 - quoted identifiers
                    f" {quote_identifier(kind)} FROM {self._named(table.name)} AS t ORDER BY 1"
                )
            )
            yield from ((key, content_type) for key, content_type in rows)

    def sequences(self) -> dict[str, SequenceState]:
        """Every sequence and where it stands."""
        names = self._session.scalars(_SEQUENCES, {"schema": self._tenant.name}).all()
        return {_plain(name): self._sequence(name) for name in names}

    def set_sequence(self, name: str, state: SequenceState) -> None:
        """Let a sequence go on where another stood. Raises `DatabaseError`."""
        bound = {"name": self._named(name), "last": state.last_value, "called": state.is_called}
        with _telling(name):
            self._session.execute(
                text("SELECT setval(CAST(:name AS text)::regclass, :last, :called)"), bound
            )

    def take_off(self, references: Sequence[Reference]) -> None:
        """Drop foreign keys, so that rows may come in any order."""
        for each in references:
            name = quote_identifier(each.name)
            self._run(f"ALTER TABLE {self._named(each.table)} DROP CONSTRAINT {name}")

    def put_back(self, references: Sequence[Reference]) -> None:
        """Make the foreign keys again; all rows are checked at once. Raises `DatabaseError`."""
        for each in references:
            name = quote_identifier(each.name)
            made = f"ADD CONSTRAINT {name} {each.definition}"
            with _telling(each.table):
                self._run(f"ALTER TABLE {self._named(each.table)} {made}")

    def lock(self, tables: Sequence[TableShape]) -> None:
        """Keep everybody else out of the tables until the commit; waits for ten seconds at most.

        Raises `DatabaseError` when somebody holds one of them for longer.
        """
        self._run("SET LOCAL lock_timeout = '10s'")
        for table in tables:
            with _telling(table.name):
                self._run(f"LOCK TABLE {self._named(table.name)} IN ACCESS EXCLUSIVE MODE")

    def _count(self, table: TableShape, where: str = "") -> int:
        counted = f"SELECT count(*) FROM {self._named(table.name)}{where}"  # noqa: S608 - quoted identifiers
        return int(self._session.scalar(text(counted)) or 0)

    def _sequence(self, name: str) -> SequenceState:
        row = self._session.execute(
            text(f"SELECT last_value, is_called FROM {self._named(name)}")  # noqa: S608 - quoted identifiers
        ).one()
        return SequenceState(*row)

    def _out(self, table: TableShape, column: str) -> str:
        """SQL: a column's value as JSON text; keys of files without the shop's folder."""
        quoted = f"t.{quote_identifier(column)}"
        if table.content_type_of(column) is None:
            return f"to_json({quoted})::text"
        folder = self._tenant.folder
        below = f"substr({quoted}, {len(folder) + 1})"
        return f"to_json(CASE WHEN starts_with({quoted}, '{folder}') THEN {below} END)::text"

    def _in(self, table: TableShape, column: str, account_id: int | None) -> str:
        """SQL: a column's value out of the parsed line `doc`, or out of the record `r` made of it.

        A key of a file that is not of the form we make becomes NULL, which the table refuses.
        """
        quoted = quote_identifier(column)
        if column in table.json_columns:
            return f"doc -> '{column}'"
        if table.content_type_of(column) is not None:
            return (
                f"CASE WHEN r.{quoted} ~ '^photos/[0-9a-f]{{64}}$' THEN :folder || r.{quoted} END"
            )
        if account_id is not None and table.names_an_account(column):
            return f"CASE WHEN r.{quoted} IS NOT NULL THEN CAST(:account_id AS bigint) END"
        return f"r.{quoted}"

    def _named(self, name: str) -> str:
        return f"{self._tenant.quoted}.{quote_identifier(name)}"

    def _run(self, statement: str) -> None:
        self._session.connection().exec_driver_sql(
            statement, execution_options={"no_parameters": True}
        )


@contextmanager
def _telling(name: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(f"{name}: {str(error.orig).partition(chr(10))[0]}") from error


def _plain(name: str) -> str:
    """The name itself. Raises `DatabaseError` when it is not one that our migrations make."""
    if not _PLAIN_NAME.fullmatch(name):
        raise DatabaseError(f"{name!r} was not made by a migration.")
    return name


def _parents_first(names: Sequence[str], references: Sequence[Reference]) -> list[str]:
    """Names so that a table follows those it points at; a circle is entered at its first name."""
    ordered: list[str] = []
    begun: set[str] = set()

    def place(name: str) -> None:
        if name in begun or name not in names:
            return
        begun.add(name)
        for each in references:
            if each.table == name:
                place(each.to)
        ordered.append(name)

    for name in names:
        place(name)
    return ordered
