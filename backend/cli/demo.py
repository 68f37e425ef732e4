"""`stoflow demo`."""

import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from backend.cli.terminal import say_json
from backend.container import build_container, open_database
from backend.demo.play import DATA, Play, Summary
from backend.demo.sellers import Seller
from backend.demo.showing import Showing
from backend.demo.stage import Addresses, Stage, environment_of
from backend.logs import configure_logs
from backend.settings import Settings, read_settings
from shared.clock import SystemClock
from shared.errors import Misconfigured


def demo(
    csv: Annotated[
        Path,
        typer.Option(
            help="A product CSV in Shopify's format.",
            exists=True,
            dir_okay=False,
            show_default="13 garments",
        ),
    ] = DATA / "products.csv",
    serve: Annotated[
        bool, typer.Option("--serve", help="Leave API, worker and sandboxes running at the end.")
    ] = False,
    chromium: Annotated[
        bool,
        typer.Option(help="Use the extension in a Chromium for Vinted, where one is installed."),
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="End with one JSON line on standard output.")
    ] = False,
) -> None:
    """Publish a shop to sandboxes of eBay, Etsy and Vinted, and prove that nobody else sees it.

    Two shops are opened and connected by OAuth, a browser is paired for Vinted, the CSV is imported
    with its photos, a worker publishes everything, each listing is read back. Vinted takes single
    pieces in a category and size it has; of the others it is said why not. Safe to repeat: nothing
    is listed twice. Data and logs are kept in the folder `demo` of the data folder.
    """
    console = Console(stderr=as_json)
    summary = _perform(csv.resolve(), serve, chromium, console)
    if as_json:
        say_json(summary.as_json())
    if summary.duplicates or summary.leaks:
        raise typer.Exit(1)


def _perform(csv: Path, serve: bool, chromium: bool, console: Console) -> Summary:
    # Being told to end is a way to end: the processes of the demo must not outlive it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    showing, addresses = Showing(console), Addresses.free()
    folder = _demo_folder()
    showing.say("starting PostgreSQL, migrating, loading catalogues")
    database, embedded = open_database(Settings(), SystemClock())
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    os.environ.update(environment_of(folder, url, addresses))
    container = build_container(Settings(), database=database)
    try:
        with Stage(folder, url, addresses) as stage:
            summary, seller = Play(container, stage, showing, csv, chromium=chromium).perform()
            console.print(summary.in_words(), highlight=False, soft_wrap=True)
            if serve:
                _keep_serving(console, addresses, seller, folder)
    finally:
        container.close()
        database.engine.dispose()
        if embedded is not None:
            embedded.stop()
    return summary


def _demo_folder() -> Path:
    settings = read_settings()
    if settings.in_production:
        raise Misconfigured("The demo does not run where STOFLOW_ENVIRONMENT is production.")
    folder = (settings.data_dir / "demo").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["STOFLOW_DATA_DIR"] = str(folder)
    configure_logs("console", "ERROR")
    return folder


def _keep_serving(console: Console, addresses: Addresses, seller: Seller, folder: Path) -> None:
    console.print(
        f"\nSwagger:  {addresses.api}/docs  (Authorize as {seller.email}, {seller.password})\n"
        f"eBay:     {addresses.ebay}/_sandbox/ledger\n"
        f"Etsy:     {addresses.etsy}/_sandbox/ledger\n"
        f"Vinted:   {addresses.vinted}/_sandbox/ledger\n"
        f"Commands: STOFLOW_DATA_DIR='{folder}' .venv/bin/stoflow --help\n"
        "Stop with Ctrl+C.",
        highlight=False,
        soft_wrap=True,
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("stopping")
