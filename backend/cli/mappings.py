"""`stoflow mappings`: what our categories are called elsewhere."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from backend.cli.terminal import BEHIND, AsJson, opened, say, say_json
from models.reference.marketplace_mappings import Platform
from models.selling.publishing import Channel
from services.reference.marketplace_mappings.coverage import PlatformCoverage, coverage_of
from services.selling.category_choices.places import PLATFORM_OF

app = typer.Typer(help="The mapping of our categories to marketplaces.", no_args_is_help=True)


@app.callback()
def mappings() -> None:
    """Commands of this group have names, also while there is a single one."""


@app.command()
def coverage(
    channel: Annotated[Channel | None, typer.Option(help="One marketplace; else all.")] = None,
    names: Annotated[bool, typer.Option(help="Name what is unmapped.")] = True,
    as_json: AsJson = False,
) -> None:
    """Leaves of clothing, shoes, bags and accessories that have a place, and those without.

    Exit code 3 while a leaf has none for somebody whom it is made for.
    """
    wanted = list(PLATFORM_OF.values()) if channel is None else [_platform_of(channel)]
    with opened() as container, container.database.platform() as session:
        found = [coverage_of(session, platform) for platform in wanted]
    if as_json:
        say_json([_document(each) for each in found])
    else:
        for each in found:
            _show(each, names=names)
    if not all(each.is_complete for each in found):
        raise typer.Exit(BEHIND)


def _platform_of(channel: Channel) -> Platform:
    if channel not in PLATFORM_OF:
        raise typer.BadParameter(f"nothing is mapped to {channel.value}", param_hint="--channel")
    return PLATFORM_OF[channel]


def _document(found: PlatformCoverage) -> dict[str, Any]:
    branches = [asdict(branch) | {"mapped": branch.mapped} for branch in found.branches]
    return {
        "platform": found.platform.value,
        "version": found.version,
        "complete": found.is_complete,
        "branches": branches,
        "values": {each.attribute: each.mapped for each in found.values},
    }


def _show(found: PlatformCoverage, *, names: bool) -> None:
    say(f"{found.platform.spoken}, mapping version {found.version}")
    for branch in found.branches:
        say(f"  {branch.branch} for {branch.audience}: {branch.mapped} of {branch.leaves} leaves")
        for each in branch.unmapped if names else ():
            say(f"    - {each.path} [{each.code}]: {', '.join(each.departments)}. {each.reason}")
    for value in found.values:
        say(f"  {value.attribute}: {value.mapped} values")
