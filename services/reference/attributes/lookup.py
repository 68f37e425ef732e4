"""Says which value of ours a word means, or that it means none: never a guess."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from models.reference.attributes import Category, search_key, word_key
from repositories.reference.attributes import AttributeRepository


class AttributeLookup:
    """Resolves words of sellers. Reads the words once; keep it for a request or an import."""

    def __init__(self, repository: AttributeRepository) -> None:
        self._repository = repository
        self._names: dict[tuple[str, str], Mapping[str, str]] = {}
        self._categories: dict[str, Category | None] = {}

    @cached_property
    def _aliases(self) -> Mapping[tuple[str, str], str]:
        return self._repository.aliases()

    def resolve(self, attribute: str, word: str) -> str | None:
        """The code that `word` means for `attribute`, or None when we do not know the word."""
        return self._aliases.get((attribute, word_key(word)))

    def value(self, attribute: str, table: str, word: str) -> str | None:
        """The code of an attribute table that a word means: known as a word, or by its whole name.

        A name that two values share means neither.
        """
        known = self.resolve(attribute, word)
        if known is not None:
            return known
        codes = self._repository.codes_named(table, search_key(word))
        return codes[0] if len(codes) == 1 else None

    def name(self, table: str, code: str, language: str) -> str | None:
        """What a value of a table is called in one of `LANGUAGES`, where its source says so."""
        if (table, language) not in self._names:
            self._names[table, language] = self._repository.names_in(table, language)
        return self._names[table, language].get(code)

    def attribute(self, name: str) -> str | None:
        """Our attribute behind a column, option or metafield name: `Colour` gives `color`."""
        return self.resolve("attribute", name)

    def condition(self, word: str) -> str | None:
        """Our grade for a word: `Pre-owned - Excellent` gives `excellent`."""
        return self.resolve("condition", word)

    def department(self, word: str) -> str | None:
        """Our department for one word: `Mens` gives `men`; `Female` alone gives None."""
        return self.resolve("department", word)

    def department_of(self, gender: str | None, age_group: str | None) -> str | None:
        """Our department for a gender with an age group: `female`, `kids` gives `girls`.

        A gender without an age group is no answer: it may be a girl's or a woman's.
        """
        if not gender or not age_group:
            return None
        return self.resolve("department", f"{gender} {age_group}")

    def category(self, text: str) -> Category | None:
        """The category that a full path, a code or a known word means."""
        self.learn_categories([text])
        return self._categories[word_key(text)]

    def learn_categories(self, texts: Iterable[str]) -> None:
        """Look up many at once, so that `category` then answers from memory."""
        wanted = {word_key(text): text.strip() for text in texts}
        new = {key: text for key, text in wanted.items() if key not in self._categories}
        if not new:
            return
        by_path = {row.path_key: row for row in self._repository.categories_by_path(new)}
        codes = {key: self._category_code(text) for key, text in new.items() if key not in by_path}
        by_code = {
            row.code: row for row in self._repository.categories_by_code(set(codes.values()))
        }
        for key in new:
            self._categories[key] = by_path.get(key) or by_code.get(codes.get(key, ""))

    def _category_code(self, text: str) -> str:
        return self.resolve("category", text) or text.casefold()
