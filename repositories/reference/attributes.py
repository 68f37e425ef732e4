"""Catalogues of categories, conditions, departments and words."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from models.base import PlatformBase
from models.reference.attributes import SCHEMA, Category, LoadedFile, SearchKey, ValueAlias
from shared.database import PlatformSession

_LOADING = 7_340_002
"""Key of the advisory lock that lets one transaction load catalogues at a time."""

_TOGETHER = 5_000
"""Search keys that one statement adds."""

_ADD_SEARCH_KEYS = text(
    f"INSERT INTO {SCHEMA}.search_keys (attribute, key, code, rank)"  # noqa: S608 # a constant
    " SELECT :attribute, * FROM unnest(:texts, :codes, CAST(:ranks AS bigint[]))"
)

Row = Mapping[str, Any]


class CatalogueRepository:
    """Fills catalogues from files."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def wait_for_turn(self) -> None:
        """Hold back other loaders until this transaction ends."""
        self._session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOADING})

    def loaded_hashes(self) -> Mapping[str, str]:
        """Content hash of each file that the catalogues hold, by file name."""
        rows = self._session.execute(select(LoadedFile.name, LoadedFile.content_hash))
        return dict(rows.tuples().all())

    def replace(self, model: type[PlatformBase], rows: Sequence[Row], part: Row) -> None:
        """Make the table hold exactly `rows`: changed ones are updated, missing ones removed.

        `part` names the values that all rows share; rows with others are left alone.
        """
        table = model.__table__
        assert isinstance(table, Table)
        keys = [column.name for column in table.primary_key]
        wanted = {tuple(row[key] for key in keys) for row in rows}
        self._remove_all_but(table, wanted, part)
        statement = insert(table)
        changes = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        fresh = (
            statement.on_conflict_do_update(index_elements=keys, set_=changes)
            if changes
            else statement.on_conflict_do_nothing(index_elements=keys)
        )
        self._session.execute(fresh, list(rows))

    def replace_search_keys(
        self, attribute: str, keys: Iterable[tuple[str, Mapping[str, int]]]
    ) -> None:
        """Make the search keys of an attribute exactly these: of each code, ranks by key."""
        self._session.execute(delete(SearchKey).where(SearchKey.attribute == attribute))
        found = [(key, code, rank) for code, ranks in keys for key, rank in ranks.items()]
        for start in range(0, len(found), _TOGETHER):
            texts, codes, ranks = zip(*found[start : start + _TOGETHER], strict=True)
            rows = {"texts": list(texts), "codes": list(codes), "ranks": list(ranks)}
            self._session.execute(_ADD_SEARCH_KEYS, {"attribute": attribute, **rows})

    def record(self, name: str, content_hash: str, row_count: int, at: datetime) -> None:
        """Remember which version of a file was loaded."""
        row = {"name": name, "content_hash": content_hash, "row_count": row_count, "loaded_at": at}
        statement = insert(LoadedFile)
        changes = {key: statement.excluded[key] for key in row if key != "name"}
        self._session.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_=changes), [row]
        )

    def _remove_all_but(self, table: Table, wanted: Collection[tuple[Any, ...]], part: Row) -> None:
        columns = list(table.primary_key)
        mine = [table.c[name] == value for name, value in part.items()]
        stored = {tuple(row) for row in self._session.execute(select(*columns).where(*mine))}
        gone = sorted(stored.difference(wanted))
        if gone:
            self._session.execute(delete(table).where(tuple_(*columns).in_(gone)))


class AttributeRepository:
    """Answers what a word means."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def aliases(self) -> Mapping[tuple[str, str], str]:
        """Every code by attribute and word; about a thousand."""
        rows = self._session.execute(
            select(ValueAlias.attribute, ValueAlias.alias, ValueAlias.code)
        )
        return {(attribute, alias): code for attribute, alias, code in rows}

    def codes_named(self, attribute: str, key: str) -> Sequence[str]:
        """Codes of the values that are called so, in any language; `key` as `search_key`."""
        return self._session.scalars(
            select(SearchKey.code).where(
                SearchKey.attribute == attribute, SearchKey.key == key, SearchKey.rank == 0
            )
        ).all()

    def categories_by_code(self, codes: Collection[str]) -> Sequence[Category]:
        """The categories that exist among `codes`."""
        return self._session.scalars(select(Category).where(Category.code.in_(codes))).all()

    def categories_by_path(self, path_keys: Collection[str]) -> Sequence[Category]:
        """The categories whose full path, as `word_key`, is among `path_keys`."""
        return self._session.scalars(select(Category).where(Category.path_key.in_(path_keys))).all()
