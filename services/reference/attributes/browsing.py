"""Shows the catalogues to people: tables, values found while typing, the tree of categories."""

from collections.abc import Sequence

from models.reference.attributes import VALUE_TABLES, AttributeValue, Category, search_key
from repositories.reference.attributes import CatalogueSearchRepository, TableSummary
from shared.errors import NotFound


class AttributeTableNotFound(NotFound):
    """There is no attribute table of this name."""

    code, title = "attribute-table-not-found", "There is no such attribute table"


class CategoryNotFound(NotFound):
    """There is no category with this code."""

    code, title = "category-not-found", "There is no such category"


class CatalogueBrowsing:
    """Reads for one request."""

    def __init__(self, repository: CatalogueSearchRepository) -> None:
        self._repository = repository

    def tables(self) -> Sequence[TableSummary]:
        """Every attribute table with its number of values, by name."""
        return self._repository.tables()

    def values(self, table: str, words: str | None, limit: int) -> Sequence[AttributeValue]:
        """Values of a table in the order of their source or, for `words`, best found first.

        Found is a name, in any language, that begins so; then one with a word that does. Case,
        accents and punctuation do not count. Raises `AttributeTableNotFound`.
        """
        model = VALUE_TABLES.get(table)
        if model is None:
            raise AttributeTableNotFound
        if words is None:
            return self._repository.first_values(model, limit)
        key = search_key(words)
        return self._repository.values_beginning(model, key, limit) if key else ()

    def categories(self, parent_code: str | None) -> Sequence[Category]:
        """The children of a category, or the roots. Raises `CategoryNotFound`."""
        if parent_code is not None:
            self.category(parent_code)
        return self._repository.categories_below(parent_code)

    def categories_called(self, words: str, limit: int) -> Sequence[Category]:
        """Categories whose name, in any language, begins so or has a word that does."""
        key = search_key(words)
        return self._repository.categories_beginning(key, limit) if key else ()

    def category(self, code: str) -> Category:
        """One category. Raises `CategoryNotFound`."""
        found = self._repository.category(code)
        if found is None:
            raise CategoryNotFound
        return found
