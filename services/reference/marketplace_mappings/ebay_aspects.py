"""Fills eBay's item specifics from a product's attributes, options and category."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from models.reference.attributes import word_key
from models.reference.marketplace_mappings import EbayCategoryAspect
from repositories.reference.marketplace_mappings import EbayMappingRepository
from services.gateways.ebay.marketplaces import Marketplace
from services.reference.attributes.lookup import AttributeLookup
from services.reference.marketplace_mappings.facts import AspectFacts, Gap, GapKind, ProductFacts

_CHOICES_SHOWN = 30
"""A list of accepted values is shown to the seller up to this length."""

TRANSLATED: Mapping[str, str] = {
    "color": "colors",
    "material": "materials",
    "pattern": "patterns",
    "neckline": "necklines",
    "sleeve_length": "sleeve_lengths",
    "season": "seasons",
}
"""Attributes whose values have names in other languages, and the table that has them."""


class EbayWords:
    """eBay's names and words for our attributes and values; read once."""

    def __init__(
        self, repository: EbayMappingRepository, lookup: AttributeLookup, site: Marketplace
    ) -> None:
        self._repository = repository
        self._lookup = lookup
        self._language = site.language.partition("-")[0]
        self._spelled: dict[tuple[str, str], Mapping[str, str]] = {}
        self._candidates: dict[str, Sequence[str]] = {}
        self._said: dict[tuple[str, str, str, str], str] = {}

    @cached_property
    def _sources(self) -> Mapping[str, Sequence[str]]:
        sources: dict[str, list[str]] = {}
        for row in self._repository.aspects():
            sources.setdefault(word_key(row.aspect_name), []).append(row.attribute)
        return sources

    @property
    def in_english(self) -> bool:
        """Whether the site speaks the language of our data files."""
        return self._language == "en"

    @cached_property
    def _values(self) -> Mapping[tuple[str, str], str]:
        return self._repository.aspect_values()

    def attributes_for(self, aspect_name: str) -> Sequence[str]:
        """What may fill an aspect, first choice first: the aspect's own name, then ours."""
        if aspect_name not in self._candidates:
            key = word_key(aspect_name)
            ours = self._lookup.attribute(aspect_name)
            named = [] if ours is None else [ours]
            self._candidates[aspect_name] = [key, *(self._sources.get(key) or named)]
        return self._candidates[aspect_name]

    def attribute_named(self, name: str) -> str:
        """Our attribute behind a name, or the name itself when only eBay knows it."""
        return self._lookup.attribute(name) or word_key(name)

    def code(self, attribute: str, text: str) -> str:
        """Our code for a word, or the word itself when we have none."""
        return self._lookup.resolve(attribute, text) or text

    def value(self, attribute: str, text: str, aspect: EbayCategoryAspect) -> str:
        """eBay's word for a value, spelled as eBay spells it; the seller's own word otherwise."""
        said = (attribute, text, aspect.category_id, aspect.name)
        if said not in self._said:
            self._said[said] = self._in_ebays_words(attribute, text, aspect)
        return self._said[said]

    def _in_ebays_words(self, attribute: str, text: str, aspect: EbayCategoryAspect) -> str:
        code = self._lookup.resolve(attribute, text) or text
        word = self._said_there(attribute, code) or text.strip()
        return self._spelling_of(aspect).get(word_key(word), word)

    def _said_there(self, attribute: str, code: str) -> str | None:
        """The site's word for a code: eBay's own in English, else our tables' translation."""
        if self.in_english:
            return self._values.get((attribute, word_key(code)))
        table = TRANSLATED.get(attribute)
        return self._lookup.name(table, code, self._language) if table else None

    def _spelling_of(self, aspect: EbayCategoryAspect) -> Mapping[str, str]:
        """Made once: eBay knows thousands of brands, and a batch has thousands of products."""
        name = (aspect.category_id, aspect.name)
        if name not in self._spelled:
            self._spelled[name] = {word_key(value): value for value in aspect.values}
        return self._spelled[name]


@dataclass(frozen=True)
class _Given:
    """What a product says, by attribute."""

    shared: Mapping[str, Sequence[str]]
    options: Mapping[str, int]
    """Attributes in which the variants differ, with the index of the option."""

    @classmethod
    def by(cls, product: ProductFacts, words: EbayWords) -> "_Given":
        shared = {words.attribute_named(name): list(v) for name, v in product.attributes.items()}
        if product.brand:
            shared["brand"] = [product.brand]
        if product.department_code:
            shared["department"] = [product.department_code]
        names = [words.attribute_named(name) for name in product.option_names]
        if len(product.variants) == 1:
            own = zip(names, product.variants[0], strict=True)
            return cls({**shared, **{name: [value] for name, value in own}}, {})
        return cls(shared, {name: index for index, name in enumerate(names)})


class AspectFilling:
    """Fills the aspects of one category for one product."""

    def __init__(
        self,
        words: EbayWords,
        aspects: Sequence[EbayCategoryAspect],
        implied: Mapping[str, str],
        product: ProductFacts,
    ) -> None:
        self._words = words
        self._aspects = aspects
        self._implied = implied
        self._product = product
        self._given = _Given.by(product, words)
        self._shared: dict[str, tuple[str, ...]] = {}
        self._by_variant: tuple[dict[str, str], ...] = tuple(
            {} for _ in (product.variants if self._given.options else ())
        )
        self._filled = {name: values for name, values in self._given.shared.items() if any(values)}
        self._gaps: list[Gap] = []

    def fill(self) -> AspectFacts:
        """Item specifics of the product, with a gap for each that is missing or refused."""
        options_left = dict(self._given.options)
        for aspect in self._aspects:
            attribute = self._first_of(aspect.name, options_left)
            if attribute is None:
                self._fill_shared(aspect)
            else:
                self._fill_varying(aspect, attribute, options_left.pop(attribute))
        for index in options_left.values():
            self._fill_own(self._product.option_names[index], index)
        self._refuse_twins()
        return AspectFacts(self._shared, self._by_variant, tuple(self._gaps))

    def _first_of(self, aspect_name: str, given: Mapping[str, object]) -> str | None:
        if not given:
            return None
        candidates = self._words.attributes_for(aspect_name)
        return next(
            (attribute for attribute in candidates if given.get(attribute) is not None), None
        )

    def _field(self, aspect: EbayCategoryAspect) -> str:
        fields = {"brand": "brand", "department": "department"}
        attribute = self._words.attribute_named(aspect.name)
        known = self._words.attributes_for(aspect.name)[1:]
        name = known[0] if known else attribute
        return fields.get(name, f"attributes.{name}")

    def _fill_shared(self, aspect: EbayCategoryAspect) -> None:
        attribute = self._first_of(aspect.name, self._filled)
        if attribute is not None:
            texts = [text for text in self._filled[attribute] if text.strip()]
            values = [self._words.value(attribute, text, aspect) for text in texts]
        else:
            implied = self._implied.get(aspect.name)
            values = [implied] if implied else []
        values = list(dict.fromkeys(values))
        if not values:
            self._miss(aspect)
        elif self._accepted(aspect, values):
            self._shared[aspect.name] = tuple(values)

    def _fill_varying(self, aspect: EbayCategoryAspect, attribute: str, index: int) -> None:
        if not aspect.enabled_for_variations:
            self._gaps.append(
                Gap(
                    GapKind.ASPECT_CANNOT_VARY,
                    "option_names",
                    f"On eBay, variants of one listing cannot differ in {aspect.name} here.",
                )
            )
            return
        texts = [values[index] for values in self._product.variants]
        values = [self._words.value(attribute, text, aspect) for text in texts]
        if all(self._accepted(aspect, [value]) for value in dict.fromkeys(values)):
            for filled, value in zip(self._by_variant, values, strict=True):
                filled[aspect.name] = value

    def _fill_own(self, name: str, index: int) -> None:
        for filled, values in zip(self._by_variant, self._product.variants, strict=True):
            filled[name] = values[index].strip()

    def _accepted(self, aspect: EbayCategoryAspect, values: Sequence[str]) -> bool:
        refusal = _refusal(aspect, values)
        if refusal is None:
            return True
        kind, message = refusal
        choices = self._choices(aspect)
        self._gaps.append(
            Gap(kind, self._field(aspect), message, choices, blocking=aspect.required)
        )
        return False

    def _miss(self, aspect: EbayCategoryAspect) -> None:
        if aspect.required:
            message = f"eBay asks for {aspect.name} in this category."
            choices = self._choices(aspect)
            self._gaps.append(Gap(GapKind.ASPECT_MISSING, self._field(aspect), message, choices))

    def _choices(self, aspect: EbayCategoryAspect) -> tuple[str, ...]:
        """What the field would take: eBay's words, or our codes where the field wants a code."""
        if len(aspect.values) > _CHOICES_SHOWN:
            return ()
        if self._field(aspect) == "department":
            return tuple(self._words.code("department", value) for value in aspect.values)
        return tuple(aspect.values)

    def _refuse_twins(self) -> None:
        known = {tuple(sorted(filled.items())) for filled in self._by_variant}
        if len(known) < len(self._by_variant):
            message = "Two variants are the same in eBay's words."
            self._gaps.append(Gap(GapKind.VARIANTS_ALIKE, "variants", message))


def _refusal(aspect: EbayCategoryAspect, values: Sequence[str]) -> tuple[GapKind, str] | None:
    if len(values) > 1 and aspect.cardinality == "SINGLE":
        return GapKind.ASPECT_TAKES_ONE_VALUE, f"eBay takes a single value for {aspect.name}."
    unknown = (
        [value for value in values if value not in aspect.values]
        if aspect.mode == "SELECTION_ONLY"
        else []
    )
    if unknown:
        said = ", ".join(unknown)
        message = f"eBay does not accept “{said}” as {aspect.name} in this category."
        return GapKind.ASPECT_VALUE_NOT_ACCEPTED, message
    if aspect.max_length is not None and any(len(value) > aspect.max_length for value in values):
        message = f"eBay takes at most {aspect.max_length} characters for {aspect.name}."
        return GapKind.ASPECT_VALUE_NOT_ACCEPTED, message
    return None
