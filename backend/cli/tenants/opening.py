"""Opening a shop."""

import os
import sys
from typing import Annotated

import typer
from email_validator import EmailNotValidError, validate_email

from backend.cli.terminal import AsJson, opened, say, say_json
from backend.container import Container
from services.accounts.identity.registration import Registration
from shared.database import TenantSchema
from shared.errors import BadInput

PASSWORD_VARIABLE = "STOFLOW_NEW_PASSWORD"  # noqa: S105 - a name, not a password


def provision(
    email: Annotated[str, typer.Argument(help="Address of the account.")],
    full_name: Annotated[str, typer.Option(help="For a new account.")] = "",
    as_json: AsJson = False,
) -> None:
    """Give the account its shop; open the account first when there is none.

    The password of a new account is taken from STOFLOW_NEW_PASSWORD or asked for. Safe to repeat.
    """
    email = checked_address(email)
    with opened() as container:
        shop, new_account = _provision(container, email, full_name or email.partition("@")[0])
    if as_json:
        say_json({"tenant": shop.name, "email": email, "new_account": new_account})
    else:
        say(f"{shop}: {'new account' if new_account else 'existing account'} {email}")


def _provision(container: Container, email: str, full_name: str) -> tuple[TenantSchema, bool]:
    registration = Registration(container.passwords, container.provisioning, container.clock)
    with container.database.platform() as session:
        shop = registration.open_shop(session, email)
    if shop is not None:
        return shop, False
    password = password_of_a_new_account()
    with container.database.platform() as session:
        user = registration.register(session, email, password, full_name)
    return TenantSchema(user.id), True


def checked_address(email: str) -> str:
    """The address as it is stored. Raises `typer.BadParameter`."""
    try:
        return validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise typer.BadParameter(str(error)) from None


def password_of_a_new_account() -> str:
    """From the environment, or asked for. Raises `BadInput` when nobody can be asked."""
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise BadInput(f"There is no such account. To open it, set {PASSWORD_VARIABLE}.")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
