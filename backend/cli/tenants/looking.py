"""Looking at shops."""

from collections import Counter

import typer

from backend.cli.terminal import BEHIND, AsJson, opened, say, say_json
from migrations.lines import TENANT
from migrations.rendering import head_of
from repositories.accounts.tenants import TenantRepository
from shared.database import TenantSchema


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
