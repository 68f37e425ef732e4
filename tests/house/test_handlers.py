"""Every handler that the worker has keeps the promises of the conformance suite."""

from importlib import import_module
from inspect import isclass, signature
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from backend.handlers import handler_table
from models.selling.publishing import Channel, JobAction
from tests.contracts.handler_conformance import HandlerConformance

TESTS = Path(__file__).parents[1]

EXCUSED: dict[tuple[Channel, JobAction], str] = {}
"""Handlers outside the suite, and why. One that joins leaves this list."""


def entered() -> set[tuple[Channel, JobAction]]:
    """Of which channel and action there is a suite, in any `test_conforming.py`."""
    modules = [
        import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))
        for path in TESTS.rglob("test_conforming.py")
    ]
    return {
        (each.channel, each.action)
        for module in modules
        for name, each in vars(module).items()
        if name.startswith("Test") and isclass(each) and issubclass(each, HandlerConformance)
    }


def registered() -> set[tuple[Channel, JobAction]]:
    """What the worker can do, whatever it is made of."""
    parts: list[Any] = [MagicMock() for _ in signature(handler_table).parameters]
    return set(handler_table(*parts))


def test_every_handler_is_in_the_conformance_suite() -> None:
    """B1, C1, G1, G12: a channel's handler promises what all promise, or says here why not."""
    assert registered() - entered() == set(EXCUSED)


def test_the_suite_tries_no_handler_that_nobody_has() -> None:
    assert entered() <= registered()
