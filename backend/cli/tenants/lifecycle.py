"""A shop's life: closed for a while, asleep, gone."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from backend.cli.tenants.copying import copying
from backend.cli.tenants.naming import Shop, shop_named, span
from backend.cli.terminal import AsJson, opened, say, say_json
from services.accounts.tenants.archives.manifest import Progress
from services.accounts.tenants.hibernating import Hibernation, Slept
from shared.database import TenantSchema
from shared.errors import StoflowError

Refusals = list[tuple[TenantSchema, str]]

_MEGABYTE = 1_000_000


def suspend(
    shop: Shop,
    because: Annotated[str, typer.Option(help="Why; 'tenants list' shows it.")],
    as_json: AsJson = False,
) -> None:
    """Close a shop for a while; everything stays where it is.

    From now on every transaction of the shop is refused (403 tenant-unavailable). Its owner can
    sign in and sees that it is suspended. Running jobs stop and go on after 'resume'. A shop that
    is suspended keeps its first reason.
    """
    with opened() as container:
        tenant = shop_named(container, shop)
        with container.database.platform() as session:
            changed = container.shop_life.suspension.suspend(session, tenant, because)
    _tell(as_json, tenant, changed, "suspended", "suspended" if changed else "was suspended")


def resume(shop: Shop, as_json: AsJson = False) -> None:
    """Open a suspended shop again; its jobs go on."""
    with opened() as container:
        tenant = shop_named(container, shop)
        with container.database.platform() as session:
            changed = container.shop_life.suspension.resume(session, tenant)
    _tell(as_json, tenant, changed, "active", "open again" if changed else "was open")


def hibernate(
    shop: Annotated[
        str, typer.Argument(help="The shop's schema or its owner's e-mail.", metavar="SHOP")
    ] = "",
    idle_for: Annotated[
        str, typer.Option(help="Instead: all shops that nobody signed in to for so long, as 180d.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Put a shop to sleep: its rows into an archive in the object store, its schema dropped.

    It wakes by itself when its owner signs in, or with 'restore'; photos stay where they are.
    Refused while it has jobs. Safe to interrupt and to repeat: until the archive was read back
    and compared, the shop is whole. Exit code 1 when one could not be put to sleep.
    """
    if bool(shop) == bool(idle_for):
        raise typer.BadParameter("Name a shop, or say --idle-for.")
    idle = span(idle_for) if idle_for else timedelta()
    slept: list[Slept] = []
    refused: Refusals = []
    with opened() as container:
        hibernation = container.shop_life.hibernation
        wanted = [shop_named(container, shop)] if shop else hibernation.idle_for(idle)
        with copying(quiet=as_json) as progress:
            for tenant in wanted:
                _put_to_sleep(hibernation, tenant, slept, refused, progress)
    if as_json:
        say_json(
            {
                "hibernated": [_slept(each) for each in slept],
                "refused": _refused(refused),
            }
        )
    else:
        _tell_who_sleeps(slept, refused)
    if refused:
        raise typer.Exit(1)


def restore(shop: Shop, as_json: AsJson = False) -> None:
    """Wake a sleeping shop; also takes back a hibernation that was broken off.

    Its rows, sequences and jobs are as they were, at the revision of today.
    """
    with opened() as container:
        tenant = shop_named(container, shop)
        with copying(quiet=as_json) as progress:
            changed = container.shop_life.waking.wake(tenant, progress)
    _tell(as_json, tenant, changed, "active", "awake" if changed else "was awake")


def retire(
    shop: Shop,
    grace: Annotated[str, typer.Option(help="How long it can be taken back: 30d, 12h.")] = "30d",
    as_json: AsJson = False,
) -> None:
    """Close a shop for good: sign its owner out, keep an export, drop it after a time of grace.

    Until then 'reinstate' brings it back as it is; then 'drop-retired' drops it. What is listed on
    marketplaces stays there: it belongs to the seller.
    """
    time_of_grace = span(grace)
    with opened() as container:
        tenant = shop_named(container, shop)
        with copying(quiet=as_json) as progress:
            retired = container.shop_life.retirement.retire(tenant, time_of_grace, progress)
    if as_json:
        say_json(
            {
                "tenant": tenant.name,
                "status": "retired",
                "drop_after": retired.drop_after.isoformat(),
                "archive_key": retired.archive_key,
            }
        )
        return
    say(f"{tenant}: retired, archived at {retired.archive_key}")
    say(f"'stoflow tenants drop-retired' drops it after {retired.drop_after:%Y-%m-%d %H:%M}Z")


def reinstate(shop: Shop, as_json: AsJson = False) -> None:
    """Take a retirement back within its grace period; the owner signs in again."""
    with opened() as container:
        tenant = shop_named(container, shop)
        changed = container.shop_life.retirement.reinstate(tenant)
    _tell(as_json, tenant, changed, "active", "open again" if changed else "was open")


def drop_retired(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which.")] = False,
    keep_archive: Annotated[
        bool, typer.Option("--keep-archive", help="Leave the archives in the object store.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Drop every retired shop whose grace period is over: rows, photos, archive and account.

    Nothing of it comes back, and the e-mail address is free again. Safe to repeat. Exit code 1 when
    one could not be dropped; the others are.
    """
    dropped: list[dict[str, Any]] = []
    refused: Refusals = []
    with opened() as container:
        retirement = container.shop_life.retirement
        for due in retirement.due():
            try:
                if not dry_run:
                    retirement.drop(due.tenant, keep_archive=keep_archive)
            except StoflowError as error:
                refused.append((due.tenant, error.detail))
                continue
            kept = due.archive_key if keep_archive else None
            dropped.append({"tenant": due.tenant.name, "email": due.email, "archive_kept": kept})
    if as_json:
        say_json({"dry_run": dry_run, "dropped": dropped, "refused": _refused(refused)})
    else:
        _tell_who_was_dropped(dropped, refused, dry_run=dry_run)
    if refused:
        raise typer.Exit(1)


def _put_to_sleep(
    hibernation: Hibernation,
    tenant: TenantSchema,
    slept: list[Slept],
    refused: Refusals,
    progress: Progress,
) -> None:
    try:
        slept.append(hibernation.hibernate(tenant, progress))
    except StoflowError as error:
        refused.append((tenant, error.detail))


def _tell_who_sleeps(slept: list[Slept], refused: Refusals) -> None:
    for each in slept:
        size = f"{each.archive_bytes / _MEGABYTE:.2f} MB"
        say(f"{each.tenant}: asleep, {each.rows:,} rows in {size} at {each.archive_key}")
    for tenant, why in refused:
        say(f"{tenant}: left as it was: {why}")
    say(f"{len(slept):,} put to sleep, {len(refused):,} left as they were")


def _tell_who_was_dropped(
    dropped: list[dict[str, Any]], refused: Refusals, *, dry_run: bool
) -> None:
    for each in dropped:
        archive = f", archive kept at {each['archive_kept']}" if each["archive_kept"] else ""
        say(f"{each['tenant']}: {'would be ' * dry_run}dropped ({each['email']}){archive}")
    for tenant, why in refused:
        say(f"{tenant}: left as it was: {why}")
    say(f"{len(dropped):,} {'would be ' * dry_run}dropped")


def _refused(refused: Refusals) -> list[dict[str, str]]:
    return [{"tenant": tenant.name, "because": why} for tenant, why in refused]


def _slept(slept: Slept) -> dict[str, Any]:
    return {
        "tenant": slept.tenant.name,
        "rows": slept.rows,
        "archive_key": slept.archive_key,
        "archive_bytes": slept.archive_bytes,
    }


def _tell(as_json: bool, tenant: TenantSchema, changed: bool, status: str, said: str) -> None:
    if as_json:
        say_json({"tenant": tenant.name, "status": status, "changed": changed})
    else:
        say(f"{tenant}: {said}")
