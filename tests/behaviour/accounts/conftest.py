"""What tests of the accounts wing share."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from backend.logs import configure_logs


@pytest.fixture
def captured() -> Iterator[StringIO]:
    """Everything that is logged meanwhile, at the finest level, as JSON lines."""
    lines = StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logs("json", "DEBUG", lines)
    yield lines
    root.handlers[:] = handlers
    root.setLevel(level)
