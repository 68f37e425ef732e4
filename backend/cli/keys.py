"""`stoflow keys`."""

import typer

from backend.cli.terminal import say
from backend.keys import new_token_key
from shared.encryption import new_key

app = typer.Typer(help="Keys for signing tokens and for secrets at rest.", no_args_is_help=True)


@app.callback()
def _keys() -> None:
    """So that `generate` stays a subcommand while it is the only one."""


@app.command()
def generate() -> None:
    """Print fresh keys as settings, for the environment of a production installation."""
    token_key = new_token_key().strip().replace("\n", "\\n")
    say(f'STOFLOW_TOKEN_PRIVATE_KEY="{token_key}"')
    say(f'STOFLOW_ENCRYPTION_KEY="{new_key()}"')
