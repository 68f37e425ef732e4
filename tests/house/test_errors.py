"""Every error has a code that clients may rely on."""

import importlib
import pkgutil
import re
from http import HTTPStatus
from pathlib import Path

import pytest

from shared.errors import StoflowError

FLOORS = ("shared", "models", "repositories", "services", "api")
LIST = Path(__file__).parents[2] / "docs" / "problems.md"


def everything_derived(kind: type[StoflowError]) -> set[type[StoflowError]]:
    return {kind}.union(*(everything_derived(each) for each in kind.__subclasses__()))


def all_errors() -> list[type[StoflowError]]:
    """Every error class of the house below its roof."""
    for floor in FLOORS:
        for module in pkgutil.walk_packages(importlib.import_module(floor).__path__, f"{floor}."):
            importlib.import_module(module.name)
    ours = [
        each
        for each in everything_derived(StoflowError)
        if each.__module__.partition(".")[0] in FLOORS
    ]
    return sorted(ours, key=lambda each: each.code)


ERRORS = all_errors()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_has_a_code_a_status_a_title_and_a_meaning(error: type[StoflowError]) -> None:
    """ST3."""
    assert "code" in vars(error), "give it a code of its own"
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", error.code)
    assert HTTPStatus(error.status) >= HTTPStatus.BAD_REQUEST
    assert error.title
    assert error.__doc__


def test_no_two_errors_share_a_code() -> None:
    """ST3."""
    codes = [error.code for error in ERRORS]
    assert sorted({code for code in codes if codes.count(code) > 1}) == []


def test_the_published_list_is_complete() -> None:
    """ST3: docs/problems.md; a code in it that disappears breaks clients."""
    expected = [f"| `{each.code}` | {each.status} | {each.title} |" for each in ERRORS]
    listed = [line for line in LIST.read_text().splitlines() if line.startswith("| `")]
    to_add = [line for line in expected if line not in listed]
    to_remove = [line for line in listed if line not in expected]
    assert (to_add, to_remove) == ([], []), "change docs/problems.md, in alphabetical order"
    assert listed == expected
