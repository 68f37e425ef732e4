"""What there is in a shop's schema, and what its models say about copying it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Table

from models.base import ACCOUNT_ID, MADE_WITH_THE_SCHEMA, OBJECT_KEY, SECRET, VERSION_TABLE
from models.registry import TENANT_METADATA


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table as it is in the schema, whatever the models say."""

    name: str
    columns: tuple[str, ...]
    json_columns: frozenset[str]
    key: tuple[str, ...]

    @property
    def declared(self) -> Table | None:
        """The model's table; None for one that this version does not know."""
        return TENANT_METADATA.tables.get(self.name)

    def is_copied(self) -> bool:
        """Whether its rows are the shop's rather than the schema's own."""
        if self.declared is None:
            return self.name != VERSION_TABLE
        return not self.declared.info.keys() & MADE_WITH_THE_SCHEMA

    def is_secret(self) -> bool:
        """Whether no row of it may leave the installation."""
        return self.declared is not None and bool(self.declared.info.keys() & SECRET)

    def without_secrets(self) -> "TableShape":
        """Without the columns that may not leave the installation."""
        secret = {name for name in self.columns if self._info(name).keys() & SECRET}
        return self.with_columns([name for name in self.columns if name not in secret])

    def with_columns(self, columns: Sequence[str]) -> "TableShape":
        """The same table, of which only these columns are looked at."""
        return TableShape(self.name, tuple(columns), self.json_columns, self.key)

    def content_type_of(self, column: str) -> str | None:
        """The column with the content type of the file that `column` names, if it does."""
        named: str | None = self._info(column).get(OBJECT_KEY)
        return named

    def names_an_account(self, column: str) -> bool:
        """Whether the column is the number of an account."""
        return bool(self._info(column).keys() & ACCOUNT_ID)

    def _info(self, name: str) -> dict[str, str]:
        column: Column[object] | None = None
        if self.declared is not None:
            column = self.declared.columns.get(name)
        return {} if column is None else column.info


@dataclass(frozen=True, slots=True)
class SequenceState:
    """Where a sequence stands."""

    last_value: int
    is_called: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: from a table to a table."""

    table: str
    name: str
    definition: str
    to: str
