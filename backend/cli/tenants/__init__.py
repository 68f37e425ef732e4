"""`stoflow tenants`: a file for each thing an operator wants."""

import typer

from backend.cli.tenants import diagnosing, looking, migrating, opening

app = typer.Typer(
    help="Shops: open them, look at them, bring them up to date.", no_args_is_help=True
)
app.command("provision")(opening.provision)
app.command("list")(looking.list_tenants)
app.command("status")(looking.status)
app.command("doctor")(diagnosing.doctor)
app.command("mend")(diagnosing.mend)
app.command("drop-orphans")(diagnosing.drop_orphans)
app.command("migrate")(migrating.migrate)
