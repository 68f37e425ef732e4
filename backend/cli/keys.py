"""`stoflow keys`."""

from time import monotonic
from typing import Annotated

import typer

from backend.cli.terminal import AsJson, opened, say, say_json
from backend.container import Container
from backend.keys import new_token_key
from repositories.selling.ebay import EbayConnectionRepository
from repositories.selling.etsy import EtsyAccountRepository
from services.accounts.channel_consents.key_references import KeyCount, KeyReferences
from services.accounts.channel_consents.resealing import (
    Holder,
    Progress,
    TokenResealing,
    nobody_looks,
)
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


SEEN: tuple[Holder, ...] = (
    lambda session: EbayConnectionRepository(session).get(),
    lambda session: EtsyAccountRepository(session).get(),
)
"""The same, for whoever only looks."""

LINE_EVERY_S = 2.0


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Put stored marketplace tokens under the current encryption key. Killed, it is begun again.

    Everything may run meanwhile. Exit code 1: some shops still need an older key; keep it until
    none does.
    """
    with opened() as container:
        resealing = TokenResealing(container.database, container.secret_box, HOLDERS)
        report = resealing.run(nobody_looks if as_json else _lines())
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


@app.command()
def references(as_json: AsJson = False) -> None:
    """How many stored secrets each encryption key still opens."""
    with opened() as container:
        found = _counted(container, quiet=as_json)
        known = container.secret_box.key_ids
    if as_json:
        unseen = {shop.name: reason for shop, reason in found.unseen}
        say_json({"current": known[0], "by_key": found.by_key, "unseen": unseen})
        return
    for key in sorted({*known, *found.by_key}):
        what = "current" if key == known[0] else "older" if key in known else "not given here"
        say(f"key {key} ({what}): {found.left(key)} secrets")
    _say_unseen(found)


@app.command()
def retire(key: Annotated[str, typer.Argument(help="Its id, as 'references' shows it.")]) -> None:
    """Say whether an older encryption key may be thrown away.

    Exit code 1, and the reason, as long as anything may need it.
    """
    with opened() as container:
        if key == container.secret_box.current_key_id:
            say(f"key {key} is the current one: put another into STOFLOW_ENCRYPTION_KEY first.")
            raise typer.Exit(1)
        found = _counted(container, quiet=False)
    if not found.may_go(key):
        say(f"key {key} must stay: {found.left(key)} secrets need it; run 'stoflow keys rotate'.")
        _say_unseen(found)
        raise typer.Exit(1)
    say(f"key {key} opens nothing any more: take it out of STOFLOW_ENCRYPTION_PREVIOUS_KEYS.")


def _counted(container: Container, *, quiet: bool) -> KeyCount:
    counting = KeyReferences(container.database, SEEN, container.clock)
    return counting.count(nobody_looks if quiet else _lines())


def _say_unseen(found: KeyCount) -> None:
    for shop, reason in found.unseen:
        say(f"{shop} could not be looked into: {reason}")


def _lines() -> Progress:
    """A line now and then."""
    said_at = monotonic()

    def progress(done: int, shops: int) -> None:
        nonlocal said_at
        if monotonic() - said_at >= LINE_EVERY_S:
            said_at = monotonic()
            say(f"{done} of {shops} shops")

    return progress
