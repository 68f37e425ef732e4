"""`stoflow db`."""

import typer

from backend.cli.terminal import BEHIND, AsJson, opened, say, say_json
from backend.upkeep import bring_up_to_date
from migrations.lines import PLATFORM, TENANT
from migrations.rendering import head_of
from migrations.runner import current_platform_revision
from repositories.accounts.tenants import TenantRepository

app = typer.Typer(help="The shared schemas and the blueprint of shops.", no_args_is_help=True)


@app.command("migrate")
def migrate_shared() -> None:
    """Bring shared schemas, catalogues and every shop to this version; safe to run again.

    Exit code 1 when a shop was left behind; the line above says which and why.
    """
    with opened() as container:
        if bring_up_to_date(container.database, container.clock, say).failed:
            raise typer.Exit(1)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Where the shared schemas are and how many shops are behind. Exit code 3: behind."""
    with opened() as container:
        revision = current_platform_revision(container.database.engine)
        behind = 0
        if revision is not None:
            with container.database.platform() as session:
                behind = len(TenantRepository(session).behind(head_of(TENANT)))
    facts = {
        "platform": revision,
        "platform_head": head_of(PLATFORM),
        "tenant_head": head_of(TENANT),
        "tenants_behind": behind,
    }
    if as_json:
        say_json(facts)
    else:
        say(f"shared schemas: at {revision or 'nothing'}, newest is {facts['platform_head']}")
        say(f"shops: {behind} behind {facts['tenant_head']}")
    if revision != facts["platform_head"] or behind:
        raise typer.Exit(BEHIND)
