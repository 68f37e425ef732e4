"""Tries to read another shop's rows by naming its schema in full."""

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from models.base import TenantBase
from shared.database import TenantSchema, TenantSession


class IsolationProbe:
    """For proofs, in the demo and for an operator who wants to see it."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def readable_rows_of(self, other: TenantSchema) -> int:
        """How many rows of the other shop this session can read: 0, unless isolation is broken."""
        return sum(self._readable(other, table) for table in TenantBase.metadata.tables)

    def _readable(self, other: TenantSchema, table: str) -> int:
        try:
            with self._session.begin_nested():
                count = self._session.scalar(
                    text(f'SELECT count(*) FROM {other.quoted}."{table}"')  # noqa: S608 - our names
                )
        except ProgrammingError:
            return 0
        return int(count or 0)
