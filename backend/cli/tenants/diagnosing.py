"""Finding out what is wrong with shops, and mending what is safe to mend."""

import shlex
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated

import typer

from backend.cli.terminal import AsJson, opened, say, say_json, shop_of
from backend.container import Container
from migrations.access import grant_tenant_access
from migrations.access_check import lacking_access
from migrations.lines import TENANT
from migrations.rendering import head_of
from services.accounts.tenants.clearing import Cleared, TenantClearing
from services.accounts.tenants.diagnosing import Finding, TenantDiagnosis, Trouble
from services.accounts.tenants.mending import Mending, TenantMending
from shared.database import PlatformSession, TenantSchema
from shared.database.tenant_schema import quote_identifier

Shops = Annotated[
    list[str] | None,
    typer.Argument(help="Only these, as user_5 or by address; all without.", metavar="[SHOP]..."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")]

_ORPHANS = "stoflow tenants drop-orphans --dry-run"
_BACKUP = "see docs/guides/restore-one-tenant.md"

COMMANDS = {
    Trouble.BEHIND: "stoflow tenants migrate --only {tenant}",
    Trouble.MIGRATION_FAILED: "stoflow tenants migrate --only {tenant}",
    Trouble.VERSION_DIFFERS: "stoflow tenants mend {tenant}",
    Trouble.BEING_ALTERED: "stoflow tenants doctor {tenant}",
    Trouble.SCHEMA_MISSING: _BACKUP,
    Trouble.SCHEMA_ORPHANED: _ORPHANS,
    Trouble.ROLE_ORPHANED: _ORPHANS,
    Trouble.BELLS_ORPHANED: _ORPHANS,
    Trouble.ROLE: "stoflow tenants mend {tenant}",
    Trouble.OWNERSHIP: "stoflow tenants mend {tenant}",
    Trouble.SENTINEL_MISSING: "stoflow tenants mend {tenant}",
    Trouble.SENTINEL_WRONG: 'stoflow tenants suspend {tenant} --because "we check its data"',
    Trouble.HIBERNATION_STUCK: "stoflow tenants hibernate {tenant}",
    Trouble.OVERDUE: "stoflow tenants drop-retired",
    Trouble.ACCESS: "stoflow tenants mend",
    Trouble.FORMER_GROUP: _ORPHANS,
}
STATEMENTS = {
    Trouble.ROW_SECURITY: "ALTER TABLE public.{thing} ENABLE ROW LEVEL SECURITY",
    Trouble.CATALOG_BLOAT: "VACUUM pg_catalog.{thing}",
    Trouble.MIGHTY_LOGIN: "ALTER ROLE {thing} NOSUPERUSER CREATEROLE",
}


def doctor(shops: Shops = None, as_json: AsJson = False) -> None:
    """Everything that is wrong with shops, each with the command that mends it. Changes nothing.

    Looks at revisions, failed migrations, every table, column, index, constraint, sequence, owner
    and right against the template, schemas, roles and bells without a shop and shops without
    them, sentinels, stuck hibernations, overdue drops, and what all shops share. Advice alone
    leaves the exit code 0; any other finding makes it 1.
    """
    with opened(as_it_is=True) as container:
        only = _named(container, shops)
        diagnosis = TenantDiagnosis(
            container.database, container.clock, head_of(TENANT), _lacking(container)
        )
        found = diagnosis.of_shops(only)
        if not only:
            found += diagnosis.of_installation(in_production=container.settings.in_production)
    if as_json:
        say_json({"healthy": _healthy(found), "findings": [_document(each) for each in found]})
    else:
        _show(found)
    if not _healthy(found):
        raise typer.Exit(1)


def mend(shops: Shops = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Make roles, memberships, owners, rights, lost sentinels and noted revisions right.

    For after a restore without roles, and after the database was renamed. Safe to repeat; drops
    nothing. What needs a decision (drift, orphans) is left: 'stoflow tenants doctor' names it.
    Exit code 1 when a shop could not be mended.
    """
    with opened(as_it_is=True) as container:
        only = _named(container, shops)
        mending = TenantMending(container.database, _granting(container))
        if dry_run:
            done = mending.plan(only)
        else:
            done = mending.run(only, (lambda _line: None) if as_json else say)
    if as_json:
        say_json(_mended(done, dry_run))
    elif dry_run:
        _show_plan(done)
    else:
        say(f"{len(done.mended):,} mended, {len(done.failed):,} could not be")
    if done.failed:
        raise typer.Exit(1)


def drop_orphans(
    dry_run: DryRun = False,
    with_rows: Annotated[
        bool, typer.Option("--with-rows", help="Also schemas that still hold a seller's rows.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Drop schemas, roles and bells that belong to no shop, and roles of a former database name.

    A schema with rows in it is left alone and the exit code is 1, unless --with-rows is given:
    these rows are then gone for good, so take a backup first.
    """
    with opened(as_it_is=True) as container:
        cleared = TenantClearing(container.database).run(with_rows=with_rows, dry_run=dry_run)
    roles = [container.database.role_of(each) for each in cleared.roles]
    if as_json:
        say_json(_cleared(cleared, roles, dry_run))
    else:
        _show_cleared(cleared, roles, "would drop" if dry_run else "dropped")
    if cleared.kept:
        raise typer.Exit(1)


def _named(container: Container, names: Iterable[str] | None) -> tuple[TenantSchema, ...]:
    """Shops by schema or address; a schema may be one that no shop is known for."""
    return tuple(shop_of(container, name) if "@" in name else _schema(name) for name in names or ())


def _schema(name: str) -> TenantSchema:
    try:
        return TenantSchema.parse(name)
    except ValueError:
        raise typer.BadParameter(f"{name!r} is neither user_<number> nor an address.") from None


def _lacking(container: Container) -> Callable[[PlatformSession], Sequence[str]]:
    return lambda session: lacking_access(session.connection(), container.database.name)


def _granting(container: Container) -> Callable[[PlatformSession], None]:
    return lambda session: grant_tenant_access(session.connection(), container.database.name)


def _healthy(found: Sequence[Finding]) -> bool:
    return all(each.is_advice for each in found)


def _mending_commands(finding: Finding) -> str:
    """The command that mends it."""
    if finding.trouble in STATEMENTS:
        return _psql(STATEMENTS[finding.trouble].format(thing=quote_identifier(finding.thing)))
    if finding.trouble is Trouble.DRIFT:
        return _psql(finding.repair) if finding.repair else _BACKUP
    return COMMANDS[finding.trouble].format(tenant=finding.tenant)


def _psql(statement: str) -> str:
    return f'psql "$DATABASE_URL" -c {shlex.quote(statement)}'


def _document(finding: Finding) -> dict[str, object]:
    return {
        "trouble": finding.trouble.value,
        "tenant": None if finding.tenant is None else finding.tenant.name,
        "says": finding.says,
        "mend": _mending_commands(finding),
        "advice": finding.is_advice,
    }


def _show(found: Sequence[Finding]) -> None:
    """Findings that share a command stand above it together."""
    together: dict[tuple[TenantSchema | None, str], list[Finding]] = defaultdict(list)
    for finding in found:
        together[finding.tenant, _mending_commands(finding)].append(finding)
    for (tenant, command), findings in together.items():
        for finding in findings:
            about = f"{tenant}: " if tenant else "advice: " if finding.is_advice else ""
            say(f"{about}{finding.says}")
        say(f"    {command}")
    wrong = sum(not each.is_advice for each in found)
    say(f"{wrong:,} found" if wrong else "All shops are well.")


def _show_plan(plan: Mending) -> None:
    for tenant, statements in plan.statements.items():
        for statement in statements:
            say(f"{tenant}: {statement}")
    for tenant, (noted, actual) in plan.versions.items():
        say(f"{tenant}: note that it is at {actual}, not {noted}")
    say(f"{len(plan.mended):,} would be mended")


def _mended(done: Mending, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "mended": [
            {"tenant": tenant.name, "statements": list(done.statements.get(tenant, ()))}
            for tenant in done.mended
        ],
        "failed": {tenant.name: reason for tenant, reason in done.failed.items()},
    }


def _cleared(cleared: Cleared, roles: Sequence[str], dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "schemas": [each.name for each in cleared.schemas],
        "roles": roles,
        "former_roles": list(cleared.former),
        "bells": list(cleared.bells),
        "kept": {each.name: tables for each, tables in cleared.kept.items()},
    }


def _show_cleared(cleared: Cleared, roles: Sequence[str], verb: str) -> None:
    for tenant in cleared.schemas:
        say(f"{verb} schema {tenant}")
    for role in (*roles, *cleared.former):
        say(f"{verb} role {role}")
    for number in cleared.bells:
        say(f"{verb} bells of tenant {number}")
    for tenant, tables in cleared.kept.items():
        say(f"kept schema {tenant}: rows in {', '.join(tables)}; --with-rows drops them too")
    if cleared.nothing:
        say("There are no orphans.")
