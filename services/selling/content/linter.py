"""Finds in a product's words what a channel does not want to read. Asks nobody."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from models.selling.publishing import Channel
from services.selling.content.rulebook import TOKEN, Kind, Rule, Weight, rules_of
from shared.errors import FieldProblem

SHOWN = 3
"""Findings of one rule in one field that are quoted."""

_FEW = 3
"""So many words in capitals are still a brand and a size."""

_WORD = re.compile(r"[^\W\d_]{3,}")


class Words(Protocol):
    """What of a product is read."""

    @property
    def title(self) -> str:
        """One line."""
        ...

    @property
    def description(self) -> str:
        """Plain text."""
        ...

    @property
    def brand(self) -> str | None:
        """As the seller writes it."""
        ...

    @property
    def tags(self) -> Sequence[str]:
        """Search words."""
        ...


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found."""

    gaps: tuple[FieldProblem, ...]
    """What must be mended first."""
    advice: tuple[FieldProblem, ...]
    """What the channel takes, and what would serve the listing better."""


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    folded: str
    tokens: frozenset[str]

    @classmethod
    def of(cls, text: str, brand: str) -> "_Text":
        """Letters that look the same are the same; without the product's own brand."""
        same = unicodedata.normalize("NFKC", text)
        if brand:
            same = re.sub(re.escape(brand), "\x1f", same, flags=re.IGNORECASE)
        folded = same.casefold()
        return cls(same, folded, frozenset(TOKEN.findall(folded)))


class ContentLinter:
    """Holds words against the rules of one channel."""

    def __init__(self, channel: Channel) -> None:
        self._rules = rules_of(channel)
        self._fields = {name for rule in self._rules for name in rule.fields}

    def lint(self, words: Words) -> Linted:
        """The product's own brand is nobody else's name: what stands in it is never found."""
        brand = unicodedata.normalize("NFKC", (words.brand or "").strip())
        said = {
            "title": words.title,
            "description": words.description,
            "tags": "\n".join(words.tags),
        }
        texts = {name: _Text.of(said[name], brand) for name in self._fields}
        found = [
            (rule.weight, FieldProblem(name, _told(rule, quotes), rule.code))
            for rule in self._rules
            for name in rule.fields
            if (quotes := _quotes(rule, texts[name], brand))
        ]
        return Linted(
            tuple(problem for weight, problem in found if weight is Weight.REFUSE),
            tuple(problem for weight, problem in found if weight is Weight.ADVISE),
        )


@cache
def linter_of(channel: Channel) -> ContentLinter:
    """The linter of a channel; one that has no rules finds nothing."""
    return ContentLinter(channel)


def _quotes(rule: Rule, text: _Text, brand: str) -> Sequence[str]:
    if rule.search is None:
        return list(_capitals(text.text))
    found = rule.search.in_text(text.text, text.folded, text.tokens)
    if rule.allowed:
        found = [quote for quote in found if rule.allowed not in quote.casefold()]
    if rule.kind is Kind.BRANDS:
        found = [quote for quote in found if quote.casefold() not in brand.casefold()]
        return found if len(found) + bool(brand) > 1 else []
    return found


def _capitals(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    shouted = [word for word in words if word.isupper()]
    if len(shouted) > _FEW and 2 * len(shouted) > len(words):
        yield " ".join(shouted[:SHOWN])


def _told(rule: Rule, quotes: Sequence[str]) -> str:
    return rule.message.format(found=", ".join(f"“{quote}”" for quote in quotes[:SHOWN]))
