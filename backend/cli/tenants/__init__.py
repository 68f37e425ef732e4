"""`stoflow tenants`: a file for each thing an operator wants."""

import typer

from backend.cli.tenants import diagnosing, lifecycle, looking, migrating, moving, opening

app = typer.Typer(
    help="Shops: open them, look at them, bring them up to date, move and end them.",
    no_args_is_help=True,
)
app.command("provision")(opening.provision)
app.command("list")(looking.list_tenants)
app.command("status")(looking.status)
app.command("doctor")(diagnosing.doctor)
app.command("mend")(diagnosing.mend)
app.command("drop-orphans")(diagnosing.drop_orphans)
app.command("migrate")(migrating.migrate)
app.command("suspend")(lifecycle.suspend)
app.command("resume")(lifecycle.resume)
app.command("hibernate")(lifecycle.hibernate)
app.command("restore")(lifecycle.restore)
app.command("export")(moving.export)
app.command("import")(moving.import_shop)
app.command("retire")(lifecycle.retire)
app.command("reinstate")(lifecycle.reinstate)
app.command("drop-retired")(lifecycle.drop_retired)
