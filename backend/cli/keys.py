"""`stoflow keys`."""

import typer

from backend.cli.terminal import AsJson, opened, say, say_json
from backend.keys import new_token_key
from repositories.selling.ebay import EbayConnectionRepository
from repositories.selling.etsy import EtsyAccountRepository
from services.accounts.channel_consents.resealing import Holder, TokenResealing
from shared.encryption import new_key

app = typer.Typer(help="Keys for signing tokens and for secrets at rest.", no_args_is_help=True)


HOLDERS: tuple[Holder, ...] = (
    lambda session: EbayConnectionRepository(session).locked(),
    lambda session: EtsyAccountRepository(session).locked(),
)
"""Where tokens of marketplaces are kept."""


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
        resealing = TokenResealing(container.database, container.secret_box, HOLDERS)
        report = resealing.run()
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
            f"key {key}: {report.resealed} accounts put under it, {report.current} were already, "
            f"{len(report.failed)} left behind"
        )
    if report.failed:
        raise typer.Exit(1)
