"""A shop out of an installation and into another."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from backend.cli.tenants.copying import copying
from backend.cli.tenants.naming import Shop, shop_named
from backend.cli.tenants.opening import checked_address, password_of_a_new_account
from backend.cli.terminal import AsJson, opened, say, say_json
from backend.container import Container
from services.accounts.identity.registration import NewAccount, Registration
from services.accounts.tenants.archives.manifest import Manifest


def export(
    shop: Shop,
    to: Annotated[Path, typer.Option(help="The file to write; there must be none of this name.")],
    as_json: AsJson = False,
) -> None:
    """Write a shop with its photos into a .zip that a person can read and 'import' takes.

    The shop goes on working. Access to marketplaces is left out.
    """
    with opened() as container:
        tenant = shop_named(container, shop)
        with copying(quiet=as_json) as progress:
            exported = container.shop_life.exporting.export(tenant, to, progress)
    manifest = exported.manifest
    if as_json:
        facts = {"file": str(to), "bytes": exported.bytes}
        say_json({"tenant": tenant.name, **facts, **_facts(manifest)})
        return
    say(f"{tenant}: {manifest.rows:,} rows and {manifest.photos:,} photos in {to}")
    _tell_what_is_missing(manifest)


def import_shop(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    email: Annotated[str, typer.Option(help="Whose shop it becomes; opened when there is none.")],
    full_name: Annotated[str, typer.Option(help="For a new account.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make the archive of 'export' somebody's shop, all or nothing.

    The whole file is checked before anything changes. A shop that has rows is refused. Jobs that
    had not ended are called off; channels have to be connected again. The password of a new
    account is taken from STOFLOW_NEW_PASSWORD or asked for.
    """
    email = checked_address(email)
    with opened() as container:
        new_account = partial(_new_account, container, email, full_name)
        with copying(quiet=as_json) as progress:
            imported = container.shop_life.importing.bring_in(file, email, new_account, progress)
    manifest = imported.manifest
    if as_json:
        say_json(
            {
                "tenant": imported.tenant.name,
                "email": email,
                "new_account": imported.new_account,
                "jobs_called_off": imported.jobs_called_off,
                **_facts(manifest),
            }
        )
        return
    account = "new account" if imported.new_account else "existing account"
    say(f"{imported.tenant}: {account} {email}")
    say(f"{manifest.rows:,} rows and {manifest.photos:,} photos, made {manifest.made_at:%Y-%m-%d}")
    if imported.jobs_called_off:
        say(f"{imported.jobs_called_off:,} jobs that had not ended were called off")
    _tell_what_is_missing(manifest)


def _new_account(container: Container, email: str, full_name: str) -> NewAccount:
    registration = Registration(container.passwords, container.provisioning, container.clock)
    name = full_name or email.partition("@")[0]
    return registration.prepare(email, password_of_a_new_account(), name)


def _facts(manifest: Manifest) -> dict[str, object]:
    return {
        "revision": manifest.revision,
        "rows": {name: table.rows for name, table in manifest.tables.items()},
        "photos": manifest.photos,
        "missing_photos": len(manifest.missing_photos),
        "left_out": manifest.left_out,
    }


def _tell_what_is_missing(manifest: Manifest) -> None:
    if manifest.missing_photos:
        say(f"{len(manifest.missing_photos):,} photos are no longer stored and are not in it")
    if manifest.left_out:
        say(f"left out, so connect the channels again: {', '.join(manifest.left_out)}")
