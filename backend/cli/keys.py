"""`stoflow keys`."""

import typer

from backend.cli.terminal import AsJson, opened, say, say_json
from backend.keys import new_token_key
from services.selling.ebay.resealing import EbayResealing
from shared.encryption import new_key

app = typer.Typer(help="Keys for signing tokens and for secrets at rest.", no_args_is_help=True)


@app.command()
def generate() -> None:
    """Print fresh keys as settings, for the environment of a production installation."""
    token_key = new_token_key().strip().replace("\n", "\\n")
    say(f'STOFLOW_TOKEN_PRIVATE_KEY="{token_key}"')
    say(f'STOFLOW_ENCRYPTION_KEY="{new_key()}"')


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Put stored marketplace tokens under the current encryption key. Safe to repeat.

    Exit code 1: some shops still need an older key. Keep it until none does.
    """
    with opened() as container:
        report = EbayResealing(container.database, container.secret_box).run()
        key = container.secret_box.current_key_id
    if as_json:
        say_json(
            {
                "key": key,
                "resealed": report.resealed,
                "current": report.current,
                "failed": {shop.name: reason for shop, reason in report.failed},
            }
        )
    else:
        for shop, reason in report.failed:
            say(f"{shop}: {reason}")
        say(
            f"key {key}: {report.resealed} shops put under it, {report.current} were already, "
            f"{len(report.failed)} left behind"
        )
    if report.failed:
        raise typer.Exit(1)
