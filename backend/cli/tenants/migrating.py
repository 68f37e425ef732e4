"""Moving shops to another revision."""

from typing import Annotated

import typer

from backend.cli.tenants.progress import watching
from backend.cli.terminal import AsJson, opened, say, say_json
from backend.migration import (
    JOBS,
    InstallationMigration,
    MigrationOutcome,
    MigrationPlan,
    MigrationWish,
)
from shared.database import TenantSchema

Jobs = Annotated[int, typer.Option(min=1, max=64, help="Shops at a time.")]
Canary = Annotated[
    int, typer.Option(min=0, help="So many shops first, and no other when one of them fails.")
]
Only = Annotated[list[str], typer.Option(help="Just this shop; may be repeated.", metavar="user_5")]
To = Annotated[
    str, typer.Option(help="A revision, older ones too; without it the newest.", metavar="REVISION")
]
DryRun = Annotated[bool, typer.Option(help="Show what would be done, and the SQL; change nothing.")]


def migrate(
    jobs: Jobs = JOBS,
    canary: Canary = 0,
    only: Only = [],  # noqa: B006 - typer's way to say that there may be none
    to: To = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Bring shared schemas, then every shop to this version, each shop in its own transaction.

    A shop that fails is named and left as it was while the others go on; the exit code is then 1.
    Safe to interrupt and to repeat: what is done is skipped, and nothing to do is one query. Shops
    stay open meanwhile. With --only nothing but the named shops is moved. With --to an older
    revision shops go back, and new ones are made at that revision; shared schemas stay.
    """
    wish = MigrationWish(to or None, tuple(map(_shop, only)), canary, jobs)
    with opened(as_it_is=True) as container:
        migration = InstallationMigration(container.database, container.clock, wish)
        if dry_run:
            _show_plan(migration.plan(), as_json)
            return
        with watching(quiet=as_json) as watcher:
            outcome = migration.run(watcher)
    show_outcome(outcome, as_json)
    if outcome.shops.failed:
        raise typer.Exit(1)


def show_outcome(outcome: MigrationOutcome, as_json: bool) -> None:
    """How a run ended, and what to do about shops that were left behind."""
    if as_json:
        say_json(_document(outcome))
        return
    shops = outcome.shops
    if outcome.nothing_to_do:
        say(f"Nothing to do: every shop is at {outcome.target}.")
        return
    skipped = f", {shops.skipped:,} skipped" if shops.skipped else ""
    say(
        f"{shops.migrated:,} migrated to {outcome.target}{skipped}, {len(shops.failed):,} failed,"
        f" in {shops.seconds:.1f} s"
    )
    for each in shops.failed:
        say(f"{each.tenant}: left at {each.since}: {each.error}")
    if outcome.stopped_by_canary:
        say("Stopped: a canary failed. No other shop was moved; new shops are made as before.")
    if shops.failed:
        say("Mend what the sentence names and run the same again; what is done is skipped.")


def _document(outcome: MigrationOutcome) -> dict[str, object]:
    shops = outcome.shops
    handled = shops.migrated + len(shops.failed) + shops.skipped
    return {
        "from": outcome.since,
        "to": outcome.target,
        "migrated": shops.migrated,
        "failed": [
            {"tenant": each.tenant.name, "revision": each.since, "error": each.error}
            for each in shops.failed
        ],
        "skipped": shops.skipped,
        "stopped_by_canary": outcome.stopped_by_canary,
        "seconds": shops.seconds,
        "per_second": round(handled / shops.seconds, 1) if shops.seconds else None,
    }


def _show_plan(plan: MigrationPlan, as_json: bool) -> None:
    statements = [
        {
            "from": step.since,
            "to": step.until,
            "statements": step.statements,
            "python": None if step.rows is None else step.rows.__name__,
        }
        for step in plan.steps
    ]
    if as_json:
        say_json(
            {
                "to": plan.target,
                "shared_schemas": {"at": plan.platform, "to": plan.platform_target},
                "new_shops_at": plan.blueprint,
                "shops_at": plan.revisions,
                "moving": plan.moving,
                "steps": statements,
            }
        )
        return
    say(f"shared schemas: at {plan.platform or 'nothing'}, newest is {plan.platform_target}")
    say(f"new shops: made at {plan.blueprint or 'nothing yet'}, will be at {plan.target}")
    for revision, count in plan.revisions.items():
        say(f"{count:>6,} at {revision}")
    say(f"{plan.moving:>6,} would move")
    for step in plan.steps:
        say(f"\n-- {step.since} → {step.until}")
        undone = f"-- {step.rows.__name__}(connection), in Python" if step.rows else ""
        if undone and step.rows_first:
            say(undone)
        for statement in step.statements:
            say(f"{statement};")
        if undone and not step.rows_first:
            say(undone)


def _shop(name: str) -> TenantSchema:
    try:
        return TenantSchema.parse(name)
    except ValueError:
        raise typer.BadParameter(f"{name!r} is not a shop's name; say user_5.") from None
