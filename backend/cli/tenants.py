"""`stoflow tenants`."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from email_validator import EmailNotValidError, validate_email
from rich.progress import Progress

from backend.cli.terminal import BEHIND, AsJson, opened, say, say_json
from backend.container import Container
from migrations.lines import TENANT
from migrations.runner import head_of, tenant_script
from repositories.accounts.tenants import TenantRepository
from services.accounts.identity.registration import Registration
from services.accounts.tenants.upgrading import TenantUpgrades
from shared.database import TenantSchema
from shared.errors import BadInput

PASSWORD_VARIABLE = "STOFLOW_NEW_PASSWORD"  # noqa: S105 - a name, not a password

app = typer.Typer(help="Shops: open them, look at them, bring them up to date.")


@app.command()
def provision(
    email: Annotated[str, typer.Argument(help="Address of the account.")],
    full_name: Annotated[str, typer.Option(help="For a new account.")] = "",
    as_json: AsJson = False,
) -> None:
    """Give the account its shop; open the account first when there is none.

    The password of a new account is taken from STOFLOW_NEW_PASSWORD or asked for. Safe to repeat.
    """
    try:
        email = validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise typer.BadParameter(str(error)) from None
    with opened() as container:
        shop, new_account = _provision(container, email, full_name or email.partition("@")[0])
    if as_json:
        say_json({"tenant": shop.name, "email": email, "new_account": new_account})
    else:
        say(f"{shop}: {'new account' if new_account else 'existing account'} {email}")


@app.command("list")
def list_tenants(as_json: AsJson = False) -> None:
    """Every shop: schema, status, revision, owner."""
    with opened() as container, container.database.platform() as session:
        shops = TenantRepository(session).with_owners()
    if as_json:
        say_json(
            [
                {
                    "tenant": TenantSchema(tenant.id).name,
                    "status": tenant.status.value,
                    "schema_version": tenant.schema_version,
                    "email": email,
                }
                for tenant, email in shops
            ]
        )
        return
    for tenant, email in shops:
        name = TenantSchema(tenant.id).name
        say(f"{name:<16} {tenant.status.value:<10} {tenant.schema_version:<14} {email}")


@app.command()
def status(as_json: AsJson = False) -> None:
    """How many shops are in which state, and how many are behind. Exit code 3: some are."""
    head = head_of(TENANT)
    with opened() as container, container.database.platform() as session:
        shops = TenantRepository(session).with_owners()
    by_status = Counter(tenant.status.value for tenant, _ in shops)
    by_version = Counter(tenant.schema_version for tenant, _ in shops)
    behind = len(shops) - by_version[head]
    if as_json:
        say_json({"head": head, "behind": behind, "by_status": by_status, "by_version": by_version})
    else:
        for word, count in (by_status + by_version).items():
            say(f"{count:>6}  {word}")
        say(f"{behind:>6}  behind {head}")
    if behind:
        raise typer.Exit(BEHIND)


@app.command()
def migrate() -> None:
    """Bring every shop to this version, each in a transaction of its own.

    A shop that fails is named and left where it was; the exit code is then 1.
    """
    with opened() as container:
        with container.database.platform() as session:
            behind = len(TenantRepository(session).behind(head_of(TENANT)))
        upgrades = TenantUpgrades(container.database, tenant_script, head_of(TENANT))
        with _progress(behind) as report:
            outcome = upgrades.run(report)
    say(f"{len(outcome.upgraded)} upgraded, {len(outcome.failed)} failed")
    if outcome.failed:
        raise typer.Exit(1)


def _provision(container: Container, email: str, full_name: str) -> tuple[TenantSchema, bool]:
    registration = Registration(container.passwords, container.provisioning, container.clock)
    with container.database.platform() as session:
        shop = registration.open_shop(session, email)
    if shop is not None:
        return shop, False
    password = _password()
    with container.database.platform() as session:
        user = registration.register(session, email, password, full_name)
    return TenantSchema(user.id), True


def _password() -> str:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise BadInput(f"There is no such account. To open it, set {PASSWORD_VARIABLE}.")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, plain lines elsewhere."""
    if not sys.stdout.isatty():
        yield say
        return
    with Progress() as progress:
        task = progress.add_task("shops", total=total)

        def advance(line: str) -> None:
            progress.console.print(line)
            progress.advance(task)

        yield advance
