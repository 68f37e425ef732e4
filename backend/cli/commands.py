"""All commands, and how a failure is said."""

import sys
from typing import NoReturn

import typer

from backend.cli import (
    batches,
    channels,
    database,
    demo,
    jobs,
    keys,
    mappings,
    openapi,
    outbox,
    products,
    schedule,
    serve,
    tenants,
    worker,
)
from shared.database import outage_in
from shared.errors import StoflowError

app = typer.Typer(
    help="One product record, sold everywhere, never sold twice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("openapi")(openapi.openapi)
app.add_typer(keys.app, name="keys")
app.add_typer(database.app, name="db")
app.add_typer(tenants.app, name="tenants")
app.add_typer(products.app, name="products")
app.add_typer(jobs.app, name="jobs")
app.add_typer(batches.app, name="batches")
app.add_typer(channels.app, name="channels")
app.add_typer(schedule.app, name="schedule")
app.add_typer(outbox.app, name="outbox")
app.add_typer(mappings.app, name="mappings")


def run() -> None:
    """Run the command that was asked for; an expected failure is one line on standard error."""
    try:
        app()
    except StoflowError as error:
        _refuse(error.detail, *(f"  {each.field}: {each.message}" for each in error.fields))
    except Exception as error:
        outage = outage_in(error)
        if outage is None:
            raise
        _refuse(outage)


def _refuse(*lines: str) -> NoReturn:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.exit(1)
