"""What SQL may say inside a tenant's transaction: nothing that leaves the tenant.

A login that may take a tenant's role may leave it again, and PostgreSQL has no way to forbid it.
Values are bound, so the text of a statement is ours alone, and a text that does more than read and
write tables is a bug or an injection. Each text is judged once and the verdict kept.
"""

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

GUARDED = {"stoflow_guarded": True}
"""Execution options of a connection whose statements are judged."""

_REMEMBERED = 1_000
_LONGEST_REMEMBERED = 4_000
"""Characters. Longer texts are rare (rows written by the hundred) and are judged each time."""

_LITERAL = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_TEXT, _NAME = "\x00", "\x01"
"""What literals and quoted names are replaced by before the rest is looked at."""

_NOT_OURS = re.compile(
    rf"""
      ;\s*\S                                 # a second statement
    | -- | /\*                               # comments
    | \$\w*\$ | ['"]                         # dollar quotes, quotes without an end
    | (?<![\w$])[eE]{_TEXT}                  # strings in which a backslash means something
    | [uU]&[{_TEXT}{_NAME}]                  # names and strings written in code points
    """,
    re.VERBOSE,
)

_LEAVES = re.compile(
    r"""(?<![a-z0-9_])(?:
      set_config | pg_settings               # SET, as a function and as a view
    | query_to_xml | cursor_to_xml | ts_stat | ts_rewrite | dblink   # run a text
    | pg_(?:try_)?advisory_lock              # outlives the transaction
    | lo_(?:import|export|creat|from|put|open|unlink)
    )""",
    re.VERBOSE,
)
"""Looked for in literals too: some of these functions take SQL as a text."""
_PART_OF_THEM = (
    "set_config",
    "pg_settings",
    "_to_xml",
    "ts_stat",
    "ts_rewrite",
    "dblink",
    "advisory",
    "lo_",
)
_PART_OF_ODD = (";", "--", "/*", "$", "'", '"', _TEXT, _NAME)
"""Found quicker than the patterns; texts without them need not be searched."""

_BEGINNING = re.compile(r"[\s(]*([A-Za-z]+)(?:\s+([A-Za-z]+))?")
_MAY_BEGIN = frozenset(
    {"select", "insert", "update", "delete", "with", "values", "table", "merge", "explain", "show"}
    | {"lock", "truncate", "savepoint", "release"}
)
_MAY_BEGIN_TWO = frozenset(
    {("rollback", "to")}
    | {
        (verb, thing)
        for verb in ("create", "alter", "drop")
        for thing in ("table", "index", "unique", "sequence", "temporary")
    }
)


class StatementRefused(RuntimeError):
    """A text that could leave the tenant: a bug or an injection; nothing was executed."""


def refuse_to_leave(statement: str) -> None:
    """Raises `StatementRefused` unless this is one statement that only reads or writes tables."""
    judge = _remembered if len(statement) <= _LONGEST_REMEMBERED else _reason_against
    if (reason := judge(statement)) is not None:
        raise StatementRefused(f"not in a tenant's transaction: {reason}")


def guard(
    connection: Connection,
    _cursor: Any,
    statement: str,
    _parameters: Any,
    _context: Any,
    _many: bool,
) -> None:
    """Listens to `before_cursor_execute` of an engine."""
    if "stoflow_guarded" in connection.get_execution_options():
        refuse_to_leave(statement)


def _reason_against(statement: str) -> str | None:
    if (left := _found(_LEAVES, _PART_OF_THEM, statement.lower())) is not None:
        return left
    bare = _LITERAL.sub(lambda found: _TEXT if found.group()[0] == "'" else _NAME, statement)
    if (odd := _found(_NOT_OURS, _PART_OF_ODD, bare)) is not None:
        return f"more than one plain statement, at {odd!r}"
    words = _BEGINNING.match(bare)
    if words is None:
        return "no statement"
    first, second = words.group(1).lower(), (words.group(2) or "").lower()
    if first in _MAY_BEGIN or (first, second) in _MAY_BEGIN_TWO:
        return None
    return f"{first} {second}".strip()


def _found(pattern: re.Pattern[str], parts: tuple[str, ...], text: str) -> str | None:
    if not any(part in text for part in parts):
        return None
    found = pattern.search(text)
    return None if found is None else found.group()


_remembered = lru_cache(_REMEMBERED)(_reason_against)
