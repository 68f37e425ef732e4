"""The file's words → our codes, through the known words alone. What is not known is said."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.reference.attributes.lookup import AttributeLookup
from services.selling.catalog.importing.products import ImportedProduct
from services.selling.catalog.importing.report import Issue
from services.selling.catalog.importing.table import Columns, Metafield
from shared.errors import BadInput, FieldProblem

_CONDITION_TAG = "condition:"
_SEPARATOR = ";"
_NOT_SPECIFICS = frozenset({"brand", "condition", "department", "gender", "age_group"})
"""Attributes that are fields of a product of their own, or lead to one."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """Codes or words for products of which the file says nothing that we understand."""

    category: str | None = None
    condition: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a product's words mean."""

    category: str | None
    condition: str | None
    department: str | None
    attributes: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Words:
    """What one column says, and the column's header."""

    header: str
    texts: tuple[str, ...]


class WordReader:
    """Resolves the words of one file."""

    def __init__(self, lookup: AttributeLookup, columns: Columns, defaults: Defaults) -> None:
        self._lookup = lookup
        self._defaults = self._checked(defaults)
        self._attributes = {
            metafield: name
            for metafield in columns.metafields
            if (name := self._attribute_of(metafield)) is not None
        }
        self._columns = columns

    def unused_columns(self) -> Iterator[Issue]:
        """Metafield columns that mean nothing to us."""
        for metafield in self._columns.metafields:
            if metafield not in self._attributes:
                yield Issue(1, metafield.header, "this metafield is not used", "unused-column")

    def learn(self, products: Iterable[ImportedProduct]) -> None:
        """Look up all categories at once: afterwards nothing here asks the database."""
        self._lookup.learn_categories(
            {text for product in products for words in _categories(product) for text in words.texts}
        )

    def read(self, product: ImportedProduct) -> Meaning:
        """The codes of a product; adds a warning for each word that is not known."""
        specifics = self._specifics(product)
        return Meaning(
            category=self._category(product),
            condition=self._condition(product, specifics),
            department=self._department(product, specifics),
            attributes=self._attributes_of(product, specifics),
        )

    def _category(self, product: ImportedProduct) -> str | None:
        said = [words for words in _categories(product) if words.texts]
        for words in said:
            found = _only_one(map(self._category_code, words.texts))
            if found is not None:
                return found
        stated = [words for words in said if words.header != self._columns.header("tags")]
        return self._default(product, "category", stated)

    def _category_code(self, text: str) -> str | None:
        category = self._lookup.category(text)
        return category.code if category else None

    def _condition(self, product: ImportedProduct, specifics: dict[str, _Words]) -> str | None:
        said = [
            specifics.get("condition"),
            _Words(self._columns.header("tags"), tuple(_condition_tags(product))),
            _Words(self._columns.header("condition"), _texts(product.first.get("condition"))),
        ]
        return self._resolved(product, "condition", self._lookup.condition, said)

    def _department(self, product: ImportedProduct, specifics: dict[str, _Words]) -> str | None:
        gender, age_group = specifics.get("gender"), specifics.get("age_group")
        google = [_texts(product.first.get(name)) for name in ("gender", "age_group")]
        said = [
            specifics.get("department"),
            _combined(gender, age_group),
            _combined(
                _Words(self._columns.header("gender"), google[0]),
                _Words(self._columns.header("age_group"), google[1]),
            ),
        ]
        tagged = [code for tag in product.tags if (code := self._lookup.department(tag))]
        if any(words and words.texts for words in said) or not tagged:
            return self._resolved(product, "department", self._lookup.department, said)
        tags = _Words(self._columns.header("tags"), tuple(product.tags))
        return self._resolved(product, "department", lambda _: _only_one(tagged), [tags])

    def _resolved(
        self,
        product: ImportedProduct,
        kind: str,
        resolve: Callable[[str], str | None],
        said: Sequence[_Words | None],
    ) -> str | None:
        stated = [words for words in said if words is not None and words.texts]
        for words in stated:
            found = _only_one(map(resolve, words.texts))
            if found is not None:
                return found
        return self._default(product, kind, stated)

    def _default(
        self, product: ImportedProduct, kind: str, unknown: Sequence[_Words]
    ) -> str | None:
        """What the seller chose for such products; says which words made it necessary."""
        default: str | None = getattr(self._defaults, kind)
        consequence = "left open" if default is None else f"{default} is taken instead"
        for words in unknown:
            value = "; ".join(words.texts)[:100]
            message = f"{value!r} is not a {kind} that we know; {consequence}"
            product.warn(product.first.number, words.header, message, f"unknown-{kind}")
        return default

    def _specifics(self, product: ImportedProduct) -> dict[str, _Words]:
        found: dict[str, _Words] = {}
        cells = product.first.cells
        for metafield, name in self._attributes.items():
            texts = _texts(cells[metafield.index]) if metafield.index < len(cells) else ()
            if texts and name not in found:
                found[name] = _Words(metafield.header, texts)
        return found

    def _attributes_of(
        self, product: ImportedProduct, specifics: dict[str, _Words]
    ) -> dict[str, tuple[str, ...]]:
        attributes = {
            name: tuple(self._lookup.resolve(name, text) or text for text in words.texts)
            for name, words in specifics.items()
            if name not in _NOT_SPECIFICS
        }
        for name, column in (("type", "type"), ("mpn", "mpn")):
            if name not in attributes and (text := product.first.get(column)):
                attributes[name] = (text,)
        return attributes

    def _attribute_of(self, metafield: Metafield) -> str | None:
        return self._lookup.attribute(metafield.key) or self._lookup.attribute(metafield.name)

    def _checked(self, given: Defaults) -> Defaults:
        found = Defaults(
            category=self._category_code(given.category) if given.category else None,
            condition=self._lookup.condition(given.condition) if given.condition else None,
            department=self._lookup.department(given.department) if given.department else None,
        )
        unknown = [
            FieldProblem(f"default_{kind}", f"there is no {kind} {word[:60]!r}", f"unknown-{kind}")
            for kind in Defaults.__slots__
            if (word := getattr(given, kind)) and getattr(found, kind) is None
        ]
        if unknown:
            raise BadInput(fields=unknown)
        return found


def _categories(product: ImportedProduct) -> Iterator[_Words]:
    for column in ("category", "type"):
        text = product.first.get(column)
        yield _Words(product.columns.header(column), (text,) if text else ())
    yield _Words(product.columns.header("tags"), product.tags)


def _condition_tags(product: ImportedProduct) -> Iterator[str]:
    for tag in product.tags:
        if tag.casefold().startswith(_CONDITION_TAG):
            yield tag[len(_CONDITION_TAG) :].strip()


def _combined(gender: _Words | None, age_group: _Words | None) -> _Words | None:
    """`Female` with `adult` is `Female adult`; a gender alone stands for itself."""
    if gender is None or not gender.texts:
        return None
    if age_group is None or not age_group.texts:
        return gender
    pairs = tuple(f"{one} {other}" for one in gender.texts for other in age_group.texts)
    return _Words(f"{gender.header}, {age_group.header}", pairs)


def _texts(cell: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in cell.split(_SEPARATOR) if text.strip())


def _only_one(codes: Iterable[str | None]) -> str | None:
    """The code, when all that mean anything mean the same."""
    found = {code for code in codes if code is not None}
    return found.pop() if len(found) == 1 else None
