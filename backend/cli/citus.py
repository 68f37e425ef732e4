"""`stoflow db prepare-citus`."""

from typing import Annotated

import typer

from backend.cli.terminal import AsJson, opened, say, say_json
from services.accounts.tenants.sharding import CitusPreparation
from shared.database import TenantSchema

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be said.")]


def prepare_citus(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Tell Citus of the shared tables, before shops are moved there; safe to run again.

    Catalogues become reference tables, what is written together with shops' rows becomes managed
    local tables, and SET LOCAL is passed on to the nodes. Ends with one line for each shop that is
    not on Citus yet: the command that moves it from the old server. DATABASE_URL names the
    database with Citus, OLD_DATABASE_URL in these lines the one the shop is in.
    """
    with opened(as_it_is=True) as container:
        preparation = CitusPreparation(container.database)
        if dry_run:
            prepared = preparation.plan()
        else:
            prepared = preparation.run((lambda _line: None) if as_json else say)
    moves = [_move(tenant) for tenant in prepared.to_move]
    if as_json:
        say_json(
            {
                "dry_run": dry_run,
                "statements": [step.sql for step in prepared.done],
                "known_before": [step.sql for step in prepared.known_before],
                "moves": moves,
            }
        )
        return
    if dry_run:
        for step in prepared.done:
            say(f"{step.sql};")
    say(f"-- {len(prepared.known_before)} of these Citus knew before")
    say(f"-- {len(moves):,} shops to move")
    for line in moves:
        say(line)


def _move(tenant: TenantSchema) -> str:
    """One shop, from the old server to Citus."""
    return (
        f'pg_dump -d "$OLD_DATABASE_URL" -n {tenant.name} --no-owner --no-privileges'
        " | PGOPTIONS='-c citus.enable_schema_based_sharding=on'"
        ' psql -d "$DATABASE_URL" -q -v ON_ERROR_STOP=1'
    )
