"""`python -m sandbox`: run a marketplace to practise on."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from sandbox.ebay.app import create_app
from sandbox.ebay.sandbox import Options
from sandbox.ebay.state import Keyset
from sandbox.server import configured

cli = typer.Typer(
    no_args_is_help=True,
    help="Local marketplaces that keep state and answer as the real ones do, faults included.",
)
STANDARD = Keyset()


@cli.callback()
def main() -> None:
    """Local marketplaces that keep state and answer as the real ones do, faults included."""


@cli.command()
def ebay(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8701,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    state: Annotated[
        Path | None,
        typer.Option(help="JSON file that keeps all state; without it all is forgotten at exit."),
    ] = None,
    client_id: Annotated[str, typer.Option(help="App ID of the keyset.")] = STANDARD.client_id,
    client_secret: Annotated[
        str, typer.Option(help="Cert ID of the keyset.", envvar="SANDBOX_EBAY_CLIENT_SECRET")
    ] = STANDARD.client_secret,
    ru_name: Annotated[
        str, typer.Option(help="RuName: what clients send as redirect_uri.")
    ] = STANDARD.ru_name,
    accepted_url: Annotated[
        str, typer.Option(help="Where the RuName sends a seller who agreed.")
    ] = STANDARD.accepted_url,
    declined_url: Annotated[
        str, typer.Option(help="Where it sends one who declined; by default the same address.")
    ] = "",
    latency_ms: Annotated[int, typer.Option(help="Time every call takes at least.", min=0)] = 0,
) -> None:
    """Run the sandbox eBay: every eBay host collapsed on one address, same paths.

    Consent page, token endpoint, Account, Inventory, Taxonomy, Metadata, Media, Identity and
    Analytics. Any user name may sign in; a new one opens a seller account that is ready to sell
    on EBAY_US. Faults, the ledger of listings, time and more are under /_sandbox/, described in
    sandbox/README.md. Stop with Ctrl+C.
    """
    keyset = Keyset(client_id, client_secret, ru_name, accepted_url, declined_url)
    options = Options(keyset=keyset, state_file=state, latency_s=latency_ms / 1000)
    try:
        app = create_app(options)
    except (OSError, ValueError) as unreadable:
        raise typer.BadParameter(f"{state} is not a sandbox's state", param_hint="--state") from (
            unreadable
        )
    _announce(f"http://{host}:{port}", keyset, state)
    uvicorn.Server(configured(app, host, port)).run()


def _announce(base_url: str, keyset: Keyset, state: Path | None) -> None:
    table = Table(title="Sandbox eBay", show_header=False, title_justify="left")
    for name, value in (
        ("all eBay hosts", base_url),
        ("client id", keyset.client_id),
        ("RuName", keyset.ru_name),
        ("accepted", keyset.accepted_url),
        ("ledger", f"{base_url}/_sandbox/ledger"),
        ("state", str(state) if state else "in memory only"),
    ):
        table.add_row(name, value)
    Console().print(table)


if __name__ == "__main__":
    cli(prog_name="python -m sandbox")
