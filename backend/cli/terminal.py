"""What commands share: the composition for one command, and how they speak."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from backend.container import Container, build_container
from backend.logs import configure_logs
from backend.settings import Settings

BEHIND = 3
"""Exit code: something wants migrating."""

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@contextmanager
def opened() -> Iterator[Container]:
    """The composition from the environment, closed afterwards; logs go to standard error."""
    settings = Settings()
    configure_logs(settings.log_format, settings.log_level)
    container = build_container(settings)
    try:
        yield container
    finally:
        container.close()


def say(line: str) -> None:
    """A line for people."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_json(document: Any) -> None:
    """A line for programs."""
    say(json.dumps(document, default=str))
