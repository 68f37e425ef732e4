"""`python -m sandbox`: run a marketplace to practise on."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette

from sandbox.ebay.app import create_app as create_ebay
from sandbox.ebay.sandbox import Options as EbayOptions
from sandbox.ebay.state import Keyset
from sandbox.etsy.app import create_app as create_etsy
from sandbox.etsy.sandbox import Options as EtsyOptions
from sandbox.etsy.state import App
from sandbox.server import configured
from sandbox.vinted.app import create_app as create_vinted
from sandbox.vinted.sandbox import Options as VintedOptions

cli = typer.Typer(
    no_args_is_help=True,
    help="Local marketplaces that keep state and answer as the real ones do, faults included.",
)
STANDARD = Keyset()
STANDARD_APP = App()

Port = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
StateFile = Annotated[
    Path | None,
    typer.Option(help="JSON file that keeps all state; without it all is forgotten at exit."),
]
Latency = Annotated[int, typer.Option(help="Time every call takes at least.", min=0)]


@cli.callback()
def main() -> None:
    """Local marketplaces that keep state and answer as the real ones do, faults included."""


@cli.command()
def ebay(
    port: Port = 8701,
    host: Host = "127.0.0.1",
    state: StateFile = None,
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
    latency_ms: Latency = 0,
) -> None:
    """Run the sandbox eBay: every eBay host collapsed on one address, same paths.

    Consent page, token endpoint, Account, Inventory, Taxonomy, Metadata, Media, Identity and
    Analytics. Any user name may sign in; a new one opens a seller account that is ready to sell
    on EBAY_US; EBAY_GB, EBAY_FR and EBAY_DE want policies of their own. Faults, the ledger of
    listings, time and more are under /_sandbox/, described in sandbox/README.md. Stop with Ctrl+C.
    """
    keyset = Keyset(client_id, client_secret, ru_name, accepted_url, declined_url)
    options = EbayOptions(keyset=keyset, state_file=state, latency_s=latency_ms / 1000)
    facts = {"client id": client_id, "RuName": ru_name, "accepted": accepted_url}
    _run("eBay", lambda: create_ebay(options), (host, port), state, facts)


@cli.command()
def etsy(
    port: Port = 8702,
    host: Host = "127.0.0.1",
    state: StateFile = None,
    keystring: Annotated[
        str, typer.Option(help="Keystring of the application: what clients send as client_id.")
    ] = STANDARD_APP.keystring,
    shared_secret: Annotated[
        str,
        typer.Option(help="Its shared secret.", envvar="SANDBOX_ETSY_SHARED_SECRET"),
    ] = STANDARD_APP.shared_secret,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(help="An address the application may be called back at; can be repeated."),
    ] = None,
    latency_ms: Latency = 0,
) -> None:
    """Run the sandbox Etsy: Open API v3 with its consent page and token endpoint.

    Two test sellers are there, alice (US, USD) and bruno (FR, EUR); any other name opens a new
    shop. Faults, the ledger, buyers, time and more are under /_sandbox/, described in
    sandbox/README.md. Stop with Ctrl+C.
    """
    redirect_uris = redirect_uri or STANDARD_APP.redirect_uris
    app = App(keystring, shared_secret, redirect_uris)
    options = EtsyOptions(app=app, state_file=state, latency_s=latency_ms / 1000)
    facts = {"keystring": keystring, "redirect_uri": ", ".join(redirect_uris)}
    _run("Etsy", lambda: create_etsy(options), (host, port), state, facts)


@cli.command()
def vinted(
    port: Port = 8703,
    host: Host = "127.0.0.1",
    state: StateFile = None,
    currency: Annotated[str, typer.Option(help="Of all prices, as on one of the sites.")] = "EUR",
    latency_ms: Latency = 0,
) -> None:
    """Run the sandbox Vinted: a site to sign in to with a browser, and its private API.

    Two members are there, camille and jonas, password "sandbox"; any other name is enrolled when
    it first signs in. Faults, challenges, the ledger, buyers, time and more are under /_sandbox/,
    described in docs/guides/sandbox-vinted.md. Stop with Ctrl+C.
    """
    options = VintedOptions(state, latency_ms / 1000, currency=currency)
    facts = {"sign in": f"http://{host}:{port}/member/login", "members": "camille, jonas"}
    _run("Vinted", lambda: create_vinted(options), (host, port), state, facts)


def _run(
    name: str,
    create: Callable[[], Starlette],
    address: tuple[str, int],
    state: Path | None,
    facts: dict[str, str],
) -> None:
    host, port = address
    try:
        app = create()
    except (OSError, ValueError) as unreadable:
        raise typer.BadParameter(f"{state} is not a sandbox's state", param_hint="--state") from (
            unreadable
        )
    base_url = f"http://{host}:{port}"
    table = Table(title=f"Sandbox {name}", show_header=False, title_justify="left")
    ledger, kept = f"{base_url}/_sandbox/ledger", str(state) if state else "in memory only"
    for row in {f"all {name} hosts": base_url, **facts, "ledger": ledger, "state": kept}.items():
        table.add_row(*row)
    Console().print(table)
    uvicorn.Server(configured(app, host, port)).run()


if __name__ == "__main__":
    cli(prog_name="python -m sandbox")
