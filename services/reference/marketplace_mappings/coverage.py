"""How much of our tree is mapped to a marketplace, and what is not: by name, with the reason."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from models.reference.attributes import category_and_ancestors
from models.reference.marketplace_mappings import Platform, PlatformCategory
from repositories.reference.marketplace_mappings import (
    AudienceRepository,
    EbayMappingRepository,
    PlatformMappingRepository,
)
from services.reference.marketplace_mappings.places import nearest_rows
from shared.database import PlatformSession

BRANCHES: Mapping[str, tuple[str, ...]] = {
    "clothing": ("aa-1",),
    "shoes": ("aa-7", "aa-8"),
    "bags": ("aa-5", "lb"),
    "accessories": ("aa-2", "aa-3", "aa-4", "aa-6"),
}
"""The parts of our tree that a mapping has to cover."""

AUDIENCES: Mapping[str, frozenset[str]] = {
    "women": frozenset({"women"}),
    "men": frozenset({"men"}),
    "children": frozenset({"girls", "boys", "baby_girls", "baby_boys"}),
}


@dataclass(frozen=True)
class Unmapped:
    """A leaf without a place for some of those whom it is made for."""

    code: str
    path: str
    departments: tuple[str, ...]
    reason: str
    """Why, by `data/unmapped_categories.csv`."""


@dataclass(frozen=True)
class ValueCoverage:
    """An attribute of which the marketplace has values of its own."""

    attribute: str
    mapped: int
    """Pairs of ours and theirs."""


@dataclass(frozen=True)
class BranchCoverage:
    """A branch of our tree for one audience."""

    branch: str
    audience: str
    leaves: int
    """Leaves that exist for this audience."""
    unmapped: tuple[Unmapped, ...]
    """Those of them without a place for everybody in it."""

    @property
    def mapped(self) -> int:
        """Leaves with a place for everybody in the audience."""
        return self.leaves - len(self.unmapped)


@dataclass(frozen=True)
class PlatformCoverage:
    """A marketplace."""

    platform: Platform
    version: int
    branches: tuple[BranchCoverage, ...]
    values: tuple[ValueCoverage, ...]
    """What is not here goes to the marketplace as words."""

    @property
    def is_complete(self) -> bool:
        """Whether every leaf has its place."""
        return not any(branch.unmapped for branch in self.branches)


def coverage_of(session: PlatformSession, platform: Platform) -> PlatformCoverage:
    """Counts every leaf of clothing, shoes, bags and accessories, for whom it exists."""
    repository, audiences = (
        PlatformMappingRepository(session, platform),
        AudienceRepository(session),
    )
    rows: dict[str, list[PlatformCategory]] = {}
    for row in repository.all_categories():
        rows.setdefault(row.category_code, []).append(row)
    made_for = audiences.departments()
    branches = []
    for branch, codes in BRANCHES.items():
        leaves = {
            leaf.code: leaf.full_path for code in codes for leaf in audiences.leaves_below(code)
        }
        for audience, departments in AUDIENCES.items():
            counted = _branch(branch, audience, departments, leaves, made_for, rows)
            branches.append(_explained(counted, platform))
    values = tuple(_values(session, platform))
    return PlatformCoverage(platform, repository.version().version, tuple(branches), values)


@cache
def reasons() -> Mapping[tuple[str, str], str]:
    """Why a leaf has no place, by platform and our code."""
    text = files(__package__).joinpath("data/unmapped_categories.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {(row["platform"], row["category_code"]): row["reason"] for row in rows}


def _explained(branch: BranchCoverage, platform: Platform) -> BranchCoverage:
    told = (replace(each, reason=reasons()[platform, each.code]) for each in branch.unmapped)
    return replace(branch, unmapped=tuple(told))


def _values(session: PlatformSession, platform: Platform) -> Iterator[ValueCoverage]:
    counted = PlatformMappingRepository(session, platform).counted_values()
    if platform is Platform.EBAY_US:
        ebay = EbayMappingRepository(session)
        counted = {
            "condition": len({row.condition_code for row in ebay.conditions()}),
            **Counter(attribute for attribute, _ in ebay.aspect_values()),
        }
    for attribute, mapped in sorted(counted.items()):
        yield ValueCoverage(attribute, mapped)


def departments_of(code: str, made_for: Mapping[str, set[str]]) -> set[str]:
    """For whom a category exists: as the nearest one says that says so."""
    for ancestor in category_and_ancestors(code):
        if ancestor in made_for:
            return made_for[ancestor]
    return set()


def _branch(
    branch: str,
    audience: str,
    departments: frozenset[str],
    leaves: Mapping[str, str],
    made_for: Mapping[str, set[str]],
    rows: Mapping[str, Sequence[PlatformCategory]],
) -> BranchCoverage:
    counted, unmapped = 0, []
    for code, path in leaves.items():
        wanted = departments & departments_of(code, made_for)
        if not wanted:
            continue
        counted += 1
        known = [row for each in category_and_ancestors(code) for row in rows.get(each, ())]
        places = {row.department for row in nearest_rows(code, known)}
        missing = set() if "" in places else wanted - places
        if missing:
            unmapped.append(Unmapped(code, path, tuple(sorted(missing)), ""))
    return BranchCoverage(branch, audience, counted, tuple(unmapped))
