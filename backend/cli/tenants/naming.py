"""How a command is told which shop and how long."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from backend.cli.terminal import shop_of
from backend.container import Container
from repositories.accounts.tenants import TenantRepository
from shared.database import TenantSchema
from shared.errors import NotFound

Shop = Annotated[
    str, typer.Argument(help="The shop's schema or its owner's e-mail address.", metavar="SHOP")
]

_SPAN = re.compile(r"(\d{1,6})([dhm])", re.ASCII)
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def shop_named(container: Container, name: str) -> TenantSchema:
    """The shop of this name, `user_5` or an e-mail address. Raises `NotFound`."""
    if "@" in name:
        return shop_of(container, name)
    try:
        tenant = TenantSchema.parse(name)
    except ValueError:
        raise typer.BadParameter(f"{name!r} is neither user_<number> nor an address.") from None
    with container.database.platform() as session:
        if TenantRepository(session).get(tenant.tenant_id) is None:
            raise NotFound(f"There is no shop {name}; 'stoflow tenants list' shows all.")
    return tenant


def span(text: str) -> timedelta:
    """`30d`, `12h` or `45m`."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter("Say it like 30d, 12h or 45m.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
