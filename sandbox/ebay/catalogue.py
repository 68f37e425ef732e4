"""Categories, item specifics and conditions, read from CSV files."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from sandbox.ebay.values import Site

DATA = Path(__file__).parent / "data"
SEPARATOR = " > "
FIRST_BRANCH_ID = 90_000_000
FIRST_SITE_ID = 100_000_000
"""Times the number of a site's tree: where that site's numbers begin."""
MAX_ASPECT_VALUE = 65
"""Characters in a value of an item specific."""
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Aspect:
    """One item specific of a category."""

    name: str
    required: bool
    mode: str
    cardinality: str
    values: tuple[str, ...]
    variant: bool


@dataclass(frozen=True)
class Condition:
    """A condition id, its Inventory API word, and what buyers read."""

    condition_id: str
    inventory_api_enum: str
    name: str
    apparel_name: str


BRAND_ONLY = Aspect("Brand", True, "FREE_TEXT", "SINGLE", (), False)


class Catalogue:
    """What eBay US would say about its categories. Files are read when first asked for."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or DATA

    @cached_property
    def leaves(self) -> dict[str, str]:
        """Full path by leaf category id."""
        return {row["category_id"]: row["full_path"] for row in self._rows("leaf_categories_us")}

    @cached_property
    def branches(self) -> dict[str, str]:
        """Path by id for the nodes above the leaves; their ids are the sandbox's own."""
        paths = {branch for path in self.leaves.values() for branch in ancestors(path)}
        return {str(FIRST_BRANCH_ID + place): path for place, path in enumerate(sorted(paths))}

    @cached_property
    def branch_ids(self) -> dict[str, str]:
        """Id by branch path."""
        return {path: branch_id for branch_id, path in self.branches.items()}

    @cached_property
    def leaf_ids(self) -> dict[str, str]:
        """Leaf id by full path."""
        return {path: leaf for leaf, path in self.leaves.items()}

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """The paths right below each path, sorted; the top level stands under ""."""
        found: dict[str, set[str]] = {}
        for path in [*self.leaves.values(), *self.branches.values()]:
            found.setdefault(path.rpartition(SEPARATOR)[0], set()).add(path)
        return {path: sorted(below) for path, below in found.items()}

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """Every condition by its id."""
        return {
            row["condition_id"]: Condition(
                row["condition_id"], row["inventory_api_enum"], row["name"], row["apparel_name"]
            )
            for row in self._rows("conditions")
        }

    @cached_property
    def condition_words(self) -> dict[str, str]:
        """Condition id by Inventory API word."""
        return {word.inventory_api_enum: word.condition_id for word in self.conditions.values()}

    def aspects(self, category_id: str) -> list[Aspect]:
        """The item specifics of a leaf; of several scopes naming one, the most specific wins."""
        found: dict[str, Aspect] = {}
        for scope in self._scopes(category_id):
            found |= self._aspects_by_scope.get(scope, {})
        return list(found.values()) or [BRAND_ONLY]

    def allowed_conditions(self, category_id: str) -> list[Condition]:
        """The conditions a leaf allows, in the order of the policy."""
        for scope in reversed(["*", *self._scopes(category_id)]):
            if scope in self._policies:
                return [self.conditions[one] for one in self._policies[scope] if one]
        return []

    def suggestions(self, query: str, limit: int = 10) -> list[str]:
        """Leaf ids ranked by the words they share with `query`; never empty."""
        words = set(_words(query))
        ranked = sorted(
            (-_likeness(words, index), len(self.leaves[leaf]), leaf)
            for leaf, index in self._word_index.items()
            if words & index[1]
        )
        return [leaf for _, _, leaf in ranked[:limit]] or [next(iter(self.leaves))]

    def _scopes(self, category_id: str) -> Iterator[str]:
        """From the widest path to the category's own id."""
        path = self.leaves.get(category_id)
        if path is not None:
            yield from ancestors(path)
            yield path
            yield category_id

    @cached_property
    def _aspects_by_scope(self) -> dict[str, dict[str, Aspect]]:
        found: dict[str, dict[str, Aspect]] = {}
        for row in self._rows("category_aspects"):
            found.setdefault(row["scope"], {})[row["aspect"]] = Aspect(
                name=row["aspect"],
                required=row["required"] == "1",
                mode=row["mode"],
                cardinality=row["cardinality"],
                values=tuple(word for word in row["values"].split("|") if word),
                variant=row["variant"] == "1",
            )
        return found

    @cached_property
    def _policies(self) -> dict[str, list[str]]:
        return {
            row["scope"]: row["condition_ids"].split("|")
            for row in self._rows("condition_policies")
        }

    @cached_property
    def _word_index(self) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        """By leaf: the words of its own name, and those of its whole path."""
        return {
            leaf: (frozenset(_words(path.rsplit(SEPARATOR)[-1])), frozenset(_words(path)))
            for leaf, path in self.leaves.items()
        }

    def _rows(self, name: str) -> Iterator[dict[str, str]]:
        with (self.folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


class SiteCatalogue(Catalogue):
    """What another site would say: the home site's categories under numbers of its own.

    The numbers are the sandbox's, as are the branches' of the home site: no number of one tree is
    a number of another. Names of item specifics are in the site's language, as far as
    `aspect_names.csv` has them; paths and values stay English.
    """

    def __init__(self, home: Catalogue, site: Site) -> None:
        super().__init__(home.folder)
        self._home = home
        self._site = site
        self._shift = int(site.tree_id) * FIRST_SITE_ID

    @cached_property
    def leaves(self) -> dict[str, str]:
        """See `Catalogue`."""
        return {self._own(leaf): path for leaf, path in self._home.leaves.items()}

    @cached_property
    def branches(self) -> dict[str, str]:
        """See `Catalogue`."""
        return {self._own(branch): path for branch, path in self._home.branches.items()}

    def aspects(self, category_id: str) -> list[Aspect]:
        """See `Catalogue`."""
        return [
            replace(aspect, name=self._names.get(aspect.name, aspect.name))
            for aspect in self._home.aspects(self._homes(category_id))
        ]

    def allowed_conditions(self, category_id: str) -> list[Condition]:
        """See `Catalogue`."""
        return self._home.allowed_conditions(self._homes(category_id))

    @cached_property
    def _names(self) -> dict[str, str]:
        language = self._site.language
        return {row["en-US"]: row[language] or row["en-US"] for row in _names_of_aspects()}

    def _own(self, home_id: str) -> str:
        return str(int(home_id) + self._shift)

    def _homes(self, category_id: str) -> str:
        return str(int(category_id) - self._shift)


def _names_of_aspects() -> Iterator[dict[str, str]]:
    with (DATA / "aspect_names.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def ancestors(path: str) -> list[str]:
    """The paths above `path`, widest first."""
    parts = path.split(SEPARATOR)
    return [SEPARATOR.join(parts[:depth]) for depth in range(1, len(parts))]


def _words(text: str) -> list[str]:
    return [
        word[:-1] if word.endswith("s") and len(word) > 3 and not word.endswith("ss") else word
        for word in _WORD.findall(text.lower().replace("'s", "s").replace("t-shirt", "tshirt"))
    ]


def _likeness(words: set[str], index: tuple[frozenset[str], frozenset[str]]) -> float:
    """Shared words, those of the leaf's own name twice, less a little for unshared name words."""
    name, path = index
    return len(words & path) + len(words & name) - 0.1 * len(name - words)
