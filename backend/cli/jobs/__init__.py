"""`stoflow jobs`: what sellers see of their jobs, for whoever helps them."""

import typer

from backend.cli.jobs import listing, one_job, retrying, tail

app = typer.Typer(help="Jobs: look, follow, try again, stop.", no_args_is_help=True)
app.command("list")(listing.list_jobs)
app.command("show")(one_job.show)
app.command("tail")(tail.tail)
app.command("retry")(retrying.retry)
app.command("cancel")(one_job.cancel)
