"""Looking at shops."""

from collections import Counter
from typing import Annotated

import typer

from backend.cli.terminal import BEHIND, AsJson, opened, say, say_json
from migrations.lines import TENANT
from migrations.rendering import head_of
from models.accounts.tenants import ASLEEP, TenantStatus
from repositories.accounts.tenant_overview import ShopFilter, ShopGlance, Sorting, TenantOverview


def list_tenants(
    sort: Annotated[Sorting, typer.Option(help="What comes first.")] = Sorting.NUMBER,
    status: Annotated[
        list[TenantStatus], typer.Option(help="Only shops in this state; may be repeated.")
    ] = [],  # noqa: B006 - typer's way to say that there may be none
    behind: Annotated[
        bool, typer.Option("--behind", help="Only shops behind this version.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every shop: schema, status, revision, size, last activity, owner.

    Sizes are as of PostgreSQL's last VACUUM or ANALYZE of each table. A shop was last active when
    its owner signed in or a sign-in was renewed. Why a shop is closed, and what a failed migration
    said, follows its line.
    """
    wanted = ShopFilter(status, head_of(TENANT) if behind else None)
    with opened(as_it_is=True) as container, container.database.platform() as session:
        shops = TenantOverview(session).shops(wanted, sort, limit)
    if as_json:
        say_json([_document(shop) for shop in shops])
        return
    if not shops:
        say("No shops.")
    for shop in shops:
        say(_line(shop))
        for remark in filter(None, (shop.status_because, shop.migration_error)):
            say(f"  {remark}")


def status(as_json: AsJson = False) -> None:
    """How many shops are in which state, are behind, failed to migrate. Exit code 3: some are."""
    head = head_of(TENANT)
    with opened(as_it_is=True) as container, container.database.platform() as session:
        counts = TenantOverview(session).counts()
    by_status: Counter[str] = Counter()
    by_version: Counter[str] = Counter()
    behind = failed = 0
    for state, version, shops, failures in counts:
        by_status[state.value] += shops
        by_version[version] += shops
        failed += failures
        if version != head and state not in ASLEEP:
            behind += shops
    if as_json:
        facts = {"head": head, "behind": behind, "failed": failed}
        say_json({**facts, "by_status": by_status, "by_version": by_version})
    else:
        for word, shops in (by_status + by_version).items():
            say(f"{shops:>6}  {word}")
        say(f"{behind:>6}  behind {head}")
        say(f"{failed:>6}  failed to migrate")
    if behind:
        raise typer.Exit(BEHIND)


def _document(shop: ShopGlance) -> dict[str, object]:
    return {
        "tenant": shop.tenant.name,
        "email": shop.email,
        "status": shop.status.value,
        "status_because": shop.status_because,
        "schema_version": shop.version,
        "bytes": shop.size,
        "last_active": None if shop.last_active is None else shop.last_active.isoformat(),
        "migration_error": shop.migration_error,
    }


def _line(shop: ShopGlance) -> str:
    active = "never" if shop.last_active is None else f"{shop.last_active:%Y-%m-%d %H:%M}"
    return (
        f"{shop.tenant.name:<12} {shop.status:<11} {shop.version:<12} {_in_words(shop.size):>8}"
        f"  {active:<16}  {shop.email}"
    )


def _in_words(size: int) -> str:
    """Bytes for people."""
    number = float(size)
    for unit in ("B", "kB", "MB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} GB"
