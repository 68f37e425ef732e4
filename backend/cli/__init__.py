"""The command `stoflow`.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 something is behind and wants migrating.
"""

import sys

import typer

from backend.cli import database, demo, keys, openapi, products, serve, tenants, worker
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


def main() -> None:
    """Run a command; an expected failure is one line on standard error."""
    try:
        app()
    except StoflowError as error:
        sys.stderr.write(f"{error.detail}\n")
        for each in error.fields:
            sys.stderr.write(f"  {each.field}: {each.message}\n")
        sys.exit(1)
