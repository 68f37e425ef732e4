"""The rules about words, as data: `data/rules.csv`, and the lists that they use."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from models.selling.publishing import Channel

TOKEN = re.compile(r"\w+")


class Kind(StrEnum):
    """How a rule looks at a text."""

    WORDS = "words"
    """It has one of the words of a list, whole."""
    PATTERN = "pattern"
    """It has a place that one of the expressions of a list fits."""
    BRANDS = "brands"
    """It names a brand of a list that is not the product's own."""
    CAPITALS = "capitals"
    """More than half of its words, and more than three, are in capitals."""


class Weight(StrEnum):
    """What becomes of a product that breaks a rule."""

    REFUSE = "refuse"
    """It is not sent: the channel would refuse it, hide it or punish the seller."""
    ADVISE = "advise"
    """It is sent, and the seller is told."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a list looks for, and what a text must have before looking is worth the time."""

    pattern: re.Pattern[str]
    tokens: frozenset[str] = frozenset()
    """The first words of the list's words, folded."""
    marks: tuple[str, ...] = ()

    def in_text(self, text: str, folded: str, tokens: frozenset[str]) -> Sequence[str]:
        """Everything that was found, as it stands there; each once, whatever its case."""
        if tokens.isdisjoint(self.tokens) and not any(mark in folded for mark in self.marks):
            return []
        found = {match[0].casefold(): match[0].strip() for match in self.pattern.finditer(text)}
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the rules."""

    channel: Channel
    code: str
    kind: Kind
    search: Search | None
    """None where the rule looks at the text as a whole."""
    allowed: str
    """What a finding may have in it and be none, such as the channel's own address."""
    fields: tuple[str, ...]
    weight: Weight
    message: str
    """What is wrong and what to do; `{found}` stands for what was found."""


@cache
def rules_of(channel: Channel) -> Sequence[Rule]:
    """A channel's rules, in the order of the file; a channel without rules has none."""
    return [
        Rule(
            channel,
            row["code"],
            kind := Kind(row["kind"]),
            _search(kind, row["list"], channel),
            row["allowed"],
            tuple(row["fields"].split()),
            Weight(row["weight"]),
            row["message"],
        )
        for row in _rows("rules.csv")
        if row["channel"] == channel
    ]


def words_of(name: str) -> Sequence[str]:
    """A list of words, whole."""
    return [row["word"] for row in _rows("words.csv") if row["list"] == name]


def _search(kind: Kind, name: str, channel: Channel) -> Search | None:
    match kind:
        case Kind.CAPITALS:
            return None
        case Kind.PATTERN:
            rows = [row for row in _rows("patterns.csv") if row["list"] == name]
            marks = {mark for row in rows for mark in row["needs"].split()}
            return Search(_either([row["pattern"] for row in rows]), marks=tuple(sorted(marks)))
        case Kind.WORDS | Kind.BRANDS:
            words = [
                row["word"]
                for row in _rows("words.csv")
                if row["list"] == name and row["not_on"] != channel
            ]
            tokens = frozenset(TOKEN.findall(word.casefold())[0] for word in words)
            return Search(_either([_whole(word) for word in words]), tokens=tokens)


def _whole(word: str) -> str:
    """The word, not a part of another, whatever the space within."""
    spelled = r"\s+".join(re.escape(part) for part in word.split())
    return rf"(?<!\w){spelled}(?!\w)"


def _either(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in patterns), re.IGNORECASE)


@cache
def _rows(name: str) -> Sequence[Mapping[str, str]]:
    text = files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
