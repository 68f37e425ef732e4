"""What Citus refuses in statements that write, looked for in everything that tests execute."""

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, event

_WRITES = re.compile(r"\s*(UPDATE|INSERT INTO|DELETE FROM|MERGE)\s", re.I)
_COMPUTED = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|random|gen_random_uuid"
    r"|jsonb?_build_object)\s*\(|\bCURRENT_(TIMESTAMP|DATE)\b|\bINTERVAL\b",
    re.I,
)
_ASKED = re.compile(r"VALUES\s*\(.*\(\s*SELECT\b|DO UPDATE SET.*\(\s*SELECT\b", re.I | re.S)


@lru_cache(maxsize=10_000)
def refused_on_citus(statement: str) -> str | None:
    """Why Citus would not take it; None for what it takes and for what writes nothing."""
    written = _WRITES.match(statement)
    if written is None:
        return None
    if written[1].upper() == "MERGE":
        return "MERGE"
    computed = _COMPUTED.search(statement)
    if computed is not None:
        return f"{computed[0]} is computed in Python and bound"
    if _ASKED.search(statement):
        return "a subquery among the values"
    return None


class WatchedStatements:
    """Notes each statement built by SQLAlchemy that Citus would refuse, in all engines.

    Statements that tests write as text are their own business; the product's are read from its
    source (tests/house/test_citus_rules.py).
    """

    def __init__(self) -> None:
        self.refused: set[tuple[str, str]] = set()

    def watch(self) -> None:
        """Begin."""
        event.listen(Engine, "before_cursor_execute", self._look)

    def end(self) -> None:
        """Leave engines alone."""
        event.remove(Engine, "before_cursor_execute", self._look)

    def _look(self, *call: Any) -> None:
        _connection, _cursor, statement, _values, context, _many = call
        if context is None or not (context.isinsert or context.isupdate or context.isdelete):
            return
        why = refused_on_citus(statement)
        if why is not None:
            self.refused.add((why, statement))
