"""Bringing shops up to date."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.progress import Progress

from backend.cli.terminal import opened, say
from migrations.lines import TENANT
from migrations.rendering import head_of, tenant_script
from repositories.accounts.tenants import TenantRepository
from services.accounts.tenants.upgrading import TenantUpgrades


def migrate() -> None:
    """Bring every shop to this version, each in a transaction of its own.

    A shop that fails is named and left where it was; the exit code is then 1.
    """
    with opened() as container:
        with container.database.platform() as session:
            behind = len(TenantRepository(session).behind(head_of(TENANT)))
        upgrades = TenantUpgrades(container.database, tenant_script, head_of(TENANT))
        with _progress(behind) as report:
            outcome = upgrades.run(report)
    say(f"{len(outcome.upgraded)} upgraded, {len(outcome.failed)} failed")
    if outcome.failed:
        raise typer.Exit(1)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, plain lines elsewhere."""
    if not sys.stdout.isatty():
        yield say
        return
    with Progress() as progress:
        task = progress.add_task("shops", total=total)

        def advance(line: str) -> None:
            progress.console.print(line)
            progress.advance(task)

        yield advance
