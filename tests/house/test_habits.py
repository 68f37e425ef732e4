"""Habits that keep the house livable, read from the source itself."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("backend", "api", "services", "repositories", "models", "shared")
MAX_LINES = 350

SOURCES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))

KNOWS_SQL = (
    "repositories/",
    "models/",
    "shared/database/",
    "backend/embedded.py",
    "backend/cli/commands.py",
)
"""`backend/embedded.py` makes the embedded server's database, before there is any engine;
`backend/cli` tells an operator that the database does not answer."""

STATES_SQL = ("repositories/", "shared/database/", "backend/embedded.py")
STATEMENTS = {"select", "insert", "update", "delete", "exec_driver_sql"}

SPEAKS_HTTP = ("services/gateways/", "shared/http_client.py", "backend/demo/")
"""The demo is a client of our own API."""

COMMITS = ("api/dependencies/sessions.py", "backend/", "shared/database/")

READS_THE_CLOCK = ("shared/clock.py",)
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def offenders(breaks_the_rule: Callable[[ast.Module], object], *excused: str) -> list[str]:
    """Files that break a rule, apart from those to which it does not apply."""
    return [
        name_of(path)
        for path in SOURCES
        if not name_of(path).startswith(excused or ("-",)) and breaks_the_rule(tree_of(path))
    ]


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported, and every name as `module.name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def packages_of(tree: ast.Module) -> set[str]:
    return {name.partition(".")[0] for name in imported(tree)}


def calls(tree: ast.Module) -> set[tuple[str, str]]:
    """`(owner, method)` of every call `owner.method(…)`."""
    return {
        (ast.unparse(node.func.value).rpartition(".")[2], node.func.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def methods_called(tree: ast.Module) -> set[str]:
    return {method for _, method in calls(tree)}


def test_sql_is_only_in_repositories() -> None:
    """ST5: whoever needs a row asks a repository."""
    assert offenders(lambda tree: packages_of(tree) & {"sqlalchemy", "psycopg2"}, *KNOWS_SQL) == []


def test_models_declare_tables_and_no_query() -> None:
    """ST5."""

    def states_a_query(tree: ast.Module) -> bool:
        names = {
            name.rpartition(".")[2] for name in imported(tree) if name.startswith("sqlalchemy")
        }
        return bool(names & STATEMENTS or "exec_driver_sql" in methods_called(tree))

    assert offenders(states_a_query, *STATES_SQL) == []


def test_only_edges_commit() -> None:
    """One request, one transaction: services flush."""
    assert offenders(lambda tree: methods_called(tree) & {"commit", "rollback"}, *COMMITS) == []


def test_only_gateways_speak_http() -> None:
    """E10: all outbound traffic goes through one limited transport."""
    clients = {"httpx", "requests", "aiohttp", "urllib3"}

    def speaks_http(tree: ast.Module) -> bool:
        return bool(packages_of(tree) & clients or "urllib.request" in set(imported(tree)))

    assert offenders(speaks_http, *SPEAKS_HTTP) == []


def test_time_is_handed_in() -> None:
    """K9: a test can move it."""
    assert offenders(lambda tree: calls(tree) & CLOCKS, *READS_THE_CLOCK) == []


def test_a_file_can_be_read_in_one_sitting() -> None:
    """Split by behaviour before it grows."""
    long = [name_of(path) for path in SOURCES if path.read_text().count("\n") > MAX_LINES]
    assert long == []


def test_a_module_says_what_it_is_for() -> None:
    """Docstrings at the door; empty files need none."""
    assert offenders(lambda tree: tree.body and not ast.get_docstring(tree)) == []


def test_no_file_is_a_drawer() -> None:
    """Names say what is inside; none shadows a standard module that people import."""
    drawers = {"utils", "util", "helpers", "misc", "common", "logging", "platform"}
    assert [name_of(path) for path in SOURCES if path.stem in drawers] == []


def test_nothing_names_the_machine_it_was_written_on() -> None:
    """The repository speaks of the product alone."""
    folders = re.compile(r"[\"' (](/work|/root|/home|/tmp)/")
    assert [name_of(path) for path in SOURCES if folders.search(path.read_text())] == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("from sqlalchemy import select", lambda tree: "sqlalchemy" in packages_of(tree)),
        ("import httpx as h", lambda tree: "httpx" in packages_of(tree)),
        ("import datetime as d\nd.datetime.now()", lambda tree: calls(tree) & CLOCKS),
        ("from datetime import datetime\ndatetime.now(UTC)", lambda tree: calls(tree) & CLOCKS),
        ("self._session.commit()", lambda tree: "commit" in methods_called(tree)),
    ],
)
def test_the_rules_do_notice(source: str, rule: Callable[[ast.Module], object]) -> None:
    """A rule that finds nothing must be able to find something."""
    assert rule(ast.parse(source))
    assert not rule(ast.parse("import json"))
