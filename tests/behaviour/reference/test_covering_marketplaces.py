"""How much of our tree has a place on each marketplace, how well it fits, and why not the rest."""

import csv
import json

import pytest

from models.reference.attributes import category_and_ancestors
from models.reference.marketplace_mappings import Platform
from services.reference.attributes.files import FILES
from services.reference.marketplace_mappings.coverage import (
    AUDIENCES,
    BRANCHES,
    coverage_of,
    reasons,
)
from shared.clock import MovableClock
from shared.database import Database, PlatformSession
from tests.conftest import Run
from tests.factories.reference import load_catalogues

ROWS = {file.name: list(file.rows()) for file in FILES}


@pytest.fixture(params=list(Platform))
def platform(request: pytest.FixtureRequest) -> Platform:
    found: Platform = request.param
    return found


@pytest.mark.parametrize(
    ("platform", "mapped", "leaves"),
    [(Platform.EBAY_US, 419, 424), (Platform.ETSY, 421, 424), (Platform.VINTED, 389, 424)],
)
def test_so_much_is_covered(
    session: PlatformSession, platform: Platform, mapped: int, leaves: int
) -> None:
    """C9: a leaf counts as mapped when it has a place for everybody it is made for."""
    found = coverage_of(session, platform)
    unmapped = {each.code for branch in found.branches for each in branch.unmapped}
    assert (leaves - len(unmapped), found.is_complete) == (mapped, False)
    assert len(found.branches) == len(BRANCHES) * len(AUDIENCES)
    told = {code for name, code in reasons() if name == platform}
    assert told == unmapped
    assert all(each.reason for branch in found.branches for each in branch.unmapped)


@pytest.mark.parametrize(
    ("platform", "values"),
    [
        (Platform.EBAY_US, {"condition": 9}),
        (Platform.ETSY, {"decade": 13}),
        (
            Platform.VINTED,
            {"brand": 12_825, "color": 28, "condition": 7, "material": 55, "size": 205},
        ),
    ],
)
def test_the_other_dimensions_are_counted_too(
    session: PlatformSession, platform: Platform, values: dict[str, int]
) -> None:
    """C9: conditions, colours, materials, sizes, brands, wherever there are ids for them."""
    found = {each.attribute: each.mapped for each in coverage_of(session, platform).values}
    assert values.items() <= found.items()


def test_a_fit_is_said_of_every_place(platform: Platform) -> None:
    """C9: exact where the place holds this category alone; broader where it holds others of ours
    too, is what is left over, or, on Etsy, has places below it.
    """
    (file,) = [
        one for one in FILES if one.name == f"marketplace_mappings/{platform}_categories.csv"
    ]
    with file.path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    nodes = ROWS["marketplace_mappings/etsy_nodes.csv"]
    parents = {row["remote_id"] for row in nodes if not row["is_leaf"]}
    held: dict[str, set[str]] = {}
    for row in rows:
        held.setdefault(row["remote_id"], set()).add(row["category_code"])
    for row in rows:
        code, last = row["category_code"], row["remote_path"].rpartition(" > ")[2]
        line = set(category_and_ancestors(code))
        others = [
            each
            for each in held[row["remote_id"]]
            if each not in line and code not in category_and_ancestors(each)
        ]
        is_parent = platform is Platform.ETSY and row["remote_id"] in parents
        broader = bool(others) or last.startswith("Other") or is_parent
        assert row["fit"] == ("broader" if broader else "exact"), row


def test_what_is_not_covered_is_named(session: PlatformSession) -> None:
    """C9: with those for whom there is no place."""
    found = coverage_of(session, Platform.VINTED)
    mens_shoes = next(
        each for each in found.branches if (each.branch, each.audience) == ("shoes", "men")
    )
    named = {each.path.rpartition(" > ")[2]: each.departments for each in mens_shoes.unmapped}
    assert named["Boots"] == ("men",)
    assert "Sneakers" not in named
    assert mens_shoes.mapped == mens_shoes.leaves - len(mens_shoes.unmapped)


def test_the_command_says_what_is_covered(
    run: Run, database: Database, clock: MovableClock
) -> None:
    """C9: for people and for programs; exit code 3 while something has no place."""
    load_catalogues(database, clock)
    shown = run("mappings", "coverage", "--channel", "vinted")
    assert shown.exit_code == 3
    assert "Vinted, mapping version 2" in shown.output
    boots = "    - Apparel & Accessories > Shoes > Boots [aa-8-3]: men. Vinted sorts boots by their"
    assert boots in shown.output
    assert "  color: 28 values\n" in shown.output
    short = run("mappings", "coverage", "--no-names").output.splitlines()
    of_branches = [line for line in short if line.endswith(" leaves")]
    assert len(of_branches) == len(Platform) * len(BRANCHES) * len(AUDIENCES)
    document = json.loads(run("mappings", "coverage", "--channel", "etsy", "--json").stdout)
    assert [each["platform"] for each in document] == ["etsy"]
    first = document[0]["branches"][0]
    assert (first["branch"], first["audience"]) == ("clothing", "women")
    assert first["mapped"] == first["leaves"] - len(first["unmapped"])
    assert document[0]["values"] == {"decade": 13}
    refused = run("mappings", "coverage", "--channel", "bazaar")
    assert refused.exit_code == 2
