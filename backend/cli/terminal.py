"""What commands share: the composition for one command, and how they speak."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from backend.container import Container, build_container
from backend.logs import configure_logs
from backend.pools import ProcessKind
from backend.settings import read_settings
from repositories.accounts.identity import UserRepository
from repositories.accounts.tenants import TenantRepository
from shared.database import TenantSchema
from shared.errors import NotFound
from shared.text import one_line

BEHIND = 3
"""Exit code: something wants migrating."""

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@contextmanager
def opened(
    kind: ProcessKind = ProcessKind.COMMAND, *, as_it_is: bool = False
) -> Iterator[Container]:
    """The composition from the environment, closed afterwards; logs go to standard error.

    The embedded database is brought up to date first, unless it is wanted `as_it_is`.
    """
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level)
    container = build_container(settings, kind=kind, as_it_is=as_it_is)
    try:
        yield container
    finally:
        container.close()


def shop_of(container: Container, email: str) -> TenantSchema:
    """The shop of the account with this address. Raises `NotFound`."""
    with container.database.platform() as session:
        user = UserRepository(session).by_email(one_line(email).lower())
        if user is None or TenantRepository(session).get(user.id) is None:
            raise NotFound(f"There is no shop of {email}; 'stoflow tenants list' shows all.")
        return TenantSchema(user.id)


def say(line: str) -> None:
    """A line for people."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_json(document: Any) -> None:
    """A line for programs."""
    say(json.dumps(document, default=str))
