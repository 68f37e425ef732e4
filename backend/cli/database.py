"""`stoflow db`."""

import typer

from backend.cli.citus import prepare_citus
from backend.cli.tenants.migrating import Canary, Jobs, show_outcome
from backend.cli.tenants.progress import watching
from backend.cli.terminal import BEHIND, AsJson, opened, say, say_json
from backend.migration import JOBS, MigrationWish
from backend.upkeep import bring_up_to_date
from migrations.lines import PLATFORM, TENANT
from migrations.rendering import head_of
from migrations.runner import has_reached, state_of

app = typer.Typer(help="The shared schemas and the blueprint of shops.", no_args_is_help=True)


app.command("prepare-citus")(prepare_citus)


@app.command("migrate")
def migrate_shared(jobs: Jobs = JOBS, canary: Canary = 0, as_json: AsJson = False) -> None:
    """Bring shared schemas, catalogues and every shop to this version; safe to run again.

    Exit code 1 when a shop was left behind; it is named with what went wrong.
    """
    wish = MigrationWish(jobs=jobs, canaries=canary)
    with opened(as_it_is=True) as container, watching(quiet=as_json) as watcher:
        outcome = bring_up_to_date(container.database, container.clock, wish, watcher)
    show_outcome(outcome, as_json)
    if outcome.shops.failed:
        raise typer.Exit(1)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Where the shared schemas are and how many shops are behind. Exit code 3: behind."""
    with opened(as_it_is=True) as container:
        state = state_of(container.database.engine, head_of(TENANT))
    facts = {
        "platform": state.platform,
        "platform_head": head_of(PLATFORM),
        "new_shops": state.blueprint,
        "tenant_head": head_of(TENANT),
        "tenants_behind": state.shops_elsewhere,
    }
    if as_json:
        say_json(facts)
    else:
        say(f"shared schemas: at {state.platform or 'nothing'}, newest is {head_of(PLATFORM)}")
        say(f"new shops: made at {state.blueprint or 'nothing'}, newest is {head_of(TENANT)}")
        say(f"shops: {state.shops_elsewhere:,} behind {head_of(TENANT)}")
    reached = has_reached(PLATFORM, state.platform) and has_reached(TENANT, state.blueprint)
    if not reached or state.shops_elsewhere:
        raise typer.Exit(BEHIND)
