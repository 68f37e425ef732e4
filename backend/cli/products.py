"""`stoflow products`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from backend.cli.terminal import AsJson, opened, say, say_json, shop_of
from backend.container import Container
from services.selling.catalog.importing.importer import ImportOptions, ProductImport
from services.selling.catalog.importing.pictures import PhotoFolder
from services.selling.catalog.importing.report import ImportReport, Progress, ReportProgress
from services.selling.catalog.importing.words import Defaults

_SHOWN = 20
"""Errors and warnings shown to people; `--json` has all."""

app = typer.Typer(help="Products: bring them in.", no_args_is_help=True)


@app.callback()
def _products() -> None:
    """Keep `import` a command of its own while it is the only one."""


@app.command("import")
def import_products(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    email: Annotated[str, typer.Option(help="Whose shop: the account's e-mail address.")],
    photos: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Where photos named by file name are."),
    ] = None,
    currency: Annotated[str, typer.Option(help="Of every price in the file.")] = "USD",
    default_category: Annotated[str, typer.Option(help="Where none is understood.")] = "",
    default_condition: Annotated[str, typer.Option(help="Where none is understood.")] = "",
    default_department: Annotated[str, typer.Option(help="Where none is understood.")] = "",
    fetch_images: Annotated[bool, typer.Option(help="Fetch photos named by URL.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    atomic: Annotated[bool, typer.Option("--atomic", help="All products or none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a product CSV in Shopify's format. The same file again changes only what differs.

    Exit code 1: a product, or the whole file, was refused.
    """
    options = ImportOptions(
        currency=currency.upper(),
        defaults=Defaults(
            default_category or None, default_condition or None, default_department or None
        ),
        dry_run=dry_run,
        atomic=atomic,
        fetch_images=fetch_images,
        photos=PhotoFolder(photos) if photos else None,
    )
    with opened() as container, _progress(hidden=as_json) as report_progress:
        report = _importing(container, email).run(file.read_bytes(), options, report_progress)
    if as_json:
        say_json(asdict(report))
    else:
        _tell(report)
    if report.failed:
        raise typer.Exit(1)


def _importing(container: Container, email: str) -> ProductImport:
    shop = shop_of(container, email)
    return ProductImport(
        partial(container.database.tenant, shop),
        shop,
        container.object_store,
        container.image_fetcher,
        container.clock,
    )


@contextmanager
def _progress(*, hidden: bool) -> Iterator[ReportProgress]:
    """A bar on a terminal, plain lines elsewhere, nothing between a program and its JSON."""
    if hidden:
        yield lambda _progress: None
    elif sys.stdout.isatty():
        columns = (TextColumn("products"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Bar(*columns, TextColumn("{task.fields[photos]} photos")) as bar:
            task = bar.add_task("products", total=None, photos=0)
            yield lambda now: bar.update(
                task, total=now.products, completed=now.products_done, photos=now.images
            )
    else:
        yield lambda now: say(_line(now))


def _line(now: Progress) -> str:
    return (
        f"{now.products_done} of {now.products} products, "
        f"{now.rows_done} of {now.rows} rows, {now.images} photos"
    )


def _tell(report: ImportReport) -> None:
    for word, issues in (("error", report.errors), ("warning", report.warnings)):
        for issue in issues[:_SHOWN]:
            where = f"row {issue.row}, {issue.column} ({issue.handle})"
            say(f"{word}: {where}: {issue.message}")
        if len(issues) > _SHOWN:
            say(f"… and {len(issues) - _SHOWN} more; --json shows all")
    would = "would be " if report.dry_run else ""
    say(
        f"{report.products} products: {report.created} {would}created, "
        f"{report.updated} {would}updated, {report.unchanged} unchanged, {report.failed} refused; "
        f"{report.images_added} photos added, {report.images_missing} missing"
    )
