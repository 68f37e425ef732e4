"""Catalogues of categories, conditions, departments and words."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from models.base import PlatformBase
from models.reference.attributes import (
    CATEGORIES,
    SCHEMA,
    VALUE_TABLES,
    AttributeTable,
    AttributeValue,
    Category,
    Department,
    LoadedFile,
    SearchKey,
    ValueAlias,
)
from shared.database import PlatformSession

_LOADING = 7_340_002
"""Key of the advisory lock that lets one transaction load catalogues at a time."""

_AFTER_ALL = chr(0x10FFFF)
"""Sorts behind every other letter, bytes being compared."""

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


@dataclass(frozen=True)
class TableSummary:
    """An attribute table and how many values it has."""

    table: AttributeTable
    values: int


class CatalogueSearchRepository:
    """Shows catalogues, and finds their values while somebody types."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def tables(self) -> Sequence[TableSummary]:
        """Every attribute table, by name."""
        path = func.concat("attributes/values/", AttributeTable.name, ".csv")
        rows = select(AttributeTable, LoadedFile.row_count).join(
            LoadedFile, LoadedFile.name == path
        )
        found = self._session.execute(rows.order_by(AttributeTable.name))
        return [TableSummary(table, values) for table, values in found]

    def first_values(self, model: type[AttributeValue], limit: int) -> Sequence[AttributeValue]:
        """Values in the order of their source."""
        return self._session.scalars(select(model).order_by(model.position).limit(limit)).all()

    def values_beginning(
        self, model: type[AttributeValue], key: str, limit: int
    ) -> Sequence[AttributeValue]:
        """Values with a name that begins so, then those with such a word; `key` as `search_key`."""
        hits = _hits(model.__tablename__, key, limit).subquery()
        rows = select(model).join(hits, hits.c.code == model.code)
        return self._session.scalars(rows.order_by(hits.c.rank, hits.c.key, model.code)).all()

    def categories_beginning(self, key: str, limit: int) -> Sequence[Category]:
        """Categories with a name that begins so in any language, then those with such a word."""
        hits = _hits(CATEGORIES, key, limit).subquery()
        rows = select(Category).join(hits, hits.c.code == Category.code)
        return self._session.scalars(rows.order_by(hits.c.rank, hits.c.key, Category.code)).all()

    def categories_below(self, parent_code: str | None) -> Sequence[Category]:
        """The children of a category, or the roots of the tree, by name."""
        rows = select(Category).where(Category.parent_code.is_not_distinct_from(parent_code))
        return self._session.scalars(rows.order_by(Category.full_path)).all()

    def has_department(self, code: str) -> bool:
        """Whether there is a department with this code."""
        return self._session.get(Department, code) is not None

    def category(self, code: str) -> Category | None:
        """One category."""
        return self._session.get(Category, code)


def _hits(attribute: str, key: str, limit: int) -> Select[tuple[str, int, str]]:
    """Codes found by a prefix, best first: a range of the primary key of the search keys."""
    rank, first = func.min(SearchKey.rank).label("rank"), func.min(SearchKey.key).label("key")
    return (
        select(SearchKey.code, rank, first)
        .where(
            SearchKey.attribute == attribute,
            SearchKey.key >= key,
            SearchKey.key < key + _AFTER_ALL,
        )
        .group_by(SearchKey.code)
        .order_by(rank, first, SearchKey.code)
        .limit(limit)
    )


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

    def names_in(self, table: str, language: str) -> Mapping[str, str]:
        """The name of each value of a table in one of `LANGUAGES`, where the source has one."""
        model = VALUE_TABLES[table]
        name = getattr(model, f"name_{language}")
        rows = self._session.execute(select(model.code, name).where(name.is_not(None)))
        return dict(rows.tuples().all())

    def categories_by_code(self, codes: Collection[str]) -> Sequence[Category]:
        """The categories that exist among `codes`."""
        return self._session.scalars(select(Category).where(Category.code.in_(codes))).all()

    def categories_by_path(self, path_keys: Collection[str]) -> Sequence[Category]:
        """The categories whose full path, as `word_key`, is among `path_keys`."""
        return self._session.scalars(select(Category).where(Category.path_key.in_(path_keys))).all()
