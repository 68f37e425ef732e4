"""`stoflow tenants migrate` and `stoflow db migrate`: what they print and how they end."""

import json
import re
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from backend.cli.tenants import progress
from migrations.lines import PLATFORM, TENANT
from migrations.rendering import head_of, revisions
from models.accounts.tenants import TenantStatus
from repositories.accounts.tenants import TenantRepository
from services.accounts.tenants.migrating import Ending, ShopMoved
from shared.database import Database, TenantSchema
from tests.conftest import MakeTenant, Run
from tests.tenancy.moving import HEAD, Mover, at, blueprint_of, revision_of, run_in

BEFORE = revisions(TENANT)[-2]
HIDE = f"ALTER TABLE {TENANT.version_table} RENAME TO elsewhere"
BRING_BACK = f"ALTER TABLE elsewhere RENAME TO {TENANT.version_table}"
REASON = f'relation "{TENANT.version_table}" does not exist'


@pytest.fixture
def database(database_of_its_own: Database) -> Database:
    """Template and blueprint move here."""
    return database_of_its_own


@pytest.fixture
def shops(database: Database, mover: Mover, make_tenant: MakeTenant) -> list[TenantSchema]:
    """Three shops, one revision behind this version; the second cannot be migrated."""
    shops = [make_tenant() for _ in range(3)]
    mover.run(to=BEFORE)
    run_in(database, shops[1], HIDE)
    return shops


def document(run: Run, *words: str) -> dict[str, Any]:
    """What a command prints for programs."""
    printed = run(*words, "--json").stdout
    assert printed.count("\n") == 1
    found: dict[str, Any] = json.loads(printed)
    return found


def test_a_failing_shop_is_named_and_the_command_fails(
    run: Run, database: Database, shops: list[TenantSchema]
) -> None:
    """F3: what was wrong, what is next; and it is done as soon as the shop was mended."""
    failed = run("tenants", "migrate")
    assert failed.exit_code == 1
    *_, summary, named, advice = failed.stdout.splitlines()
    assert re.fullmatch(rf"2 migrated to {HEAD}, 1 failed, in \d+\.\d s", summary)
    assert named == f"{shops[1]}: left at {BEFORE}: {REASON}"
    assert "run the same again" in advice
    run_in(database, shops[1], BRING_BACK)
    mended = run("tenants", "migrate")
    assert mended.exit_code == 0
    assert f"1 migrated to {HEAD}, 0 failed" in mended.stdout
    assert run("tenants", "migrate").stdout == f"Nothing to do: every shop is at {HEAD}.\n"


def test_a_program_reads_one_document(run: Run, shops: list[TenantSchema]) -> None:
    """F1: with the rate and the errors."""
    found = document(run, "tenants", "migrate")
    assert found.pop("seconds") > 0
    assert found.pop("per_second") > 0
    assert found == {
        "from": {BEFORE: 3},
        "to": HEAD,
        "migrated": 2,
        "failed": [{"tenant": shops[1].name, "revision": BEFORE, "error": REASON}],
        "skipped": 0,
        "stopped_by_canary": False,
    }
    again = document(run, "tenants", "migrate", "--only", shops[0].name)
    assert (again["migrated"], again["failed"], again["per_second"]) == (0, [], None)


def test_a_failing_canary_stops_the_command(
    run: Run, database: Database, shops: list[TenantSchema]
) -> None:
    """F1: and says that nothing else was touched."""
    stopped = run("tenants", "migrate", "--canary", "2", "--jobs", "1")
    assert stopped.exit_code == 1
    assert "Stopped: a canary failed." in stopped.stdout
    assert revision_of(database, shops[2]) == at(BEFORE)
    assert blueprint_of(database) == BEFORE


def test_a_dry_run_shows_the_sql_and_changes_nothing(
    run: Run, database: Database, shops: list[TenantSchema]
) -> None:
    """F4."""
    shown = run("tenants", "migrate", "--dry-run")
    assert shown.exit_code == 0
    head = head_of(PLATFORM)
    assert shown.stdout.splitlines()[:4] == [
        f"shared schemas: at {head}, newest is {head}",
        f"new shops: made at {BEFORE}, will be at {HEAD}",
        f"     3 at {BEFORE}",
        "     3 would move",
    ]
    assert f"-- {BEFORE} → {HEAD}\n" in shown.stdout
    assert f"UPDATE {TENANT.version_table} SET version_num='{HEAD}'" in shown.stdout
    found = document(run, "tenants", "migrate", "--dry-run")
    assert (found["shops_at"], found["moving"], found["new_shops_at"]) == ({BEFORE: 3}, 3, BEFORE)
    assert [(each["from"], each["to"]) for each in found["steps"]] == [(BEFORE, HEAD)]
    assert revision_of(database, shops[0]) == at(BEFORE)
    assert blueprint_of(database) == BEFORE


def test_shops_go_back_and_the_exit_code_of_status_says_so(
    run: Run, database: Database, tenant: TenantSchema
) -> None:
    """F1, F4."""
    assert run("tenants", "migrate", "--to", BEFORE).exit_code == 0
    assert revision_of(database, tenant) == at(BEFORE)
    assert run("db", "status").exit_code == 3
    assert document(run, "db", "status") == {
        "platform": head_of(PLATFORM),
        "platform_head": head_of(PLATFORM),
        "new_shops": BEFORE,
        "tenant_head": HEAD,
        "tenants_behind": 1,
    }
    assert run("db", "migrate").exit_code == 0
    assert revision_of(database, tenant) == at(HEAD)
    assert run("db", "status").exit_code == 0


def test_db_migrate_reports_shops_as_tenants_migrate_does(
    run: Run, database: Database, shops: list[TenantSchema]
) -> None:
    """F3: the command that a deployment runs."""
    failed = run("db", "migrate", "--canary", "1")
    assert failed.exit_code == 1
    assert f"{shops[1]}: left at {BEFORE}: {REASON}" in failed.stdout
    assert revision_of(database, shops[2]) == at(HEAD)


def test_what_cannot_be_asked_for_is_refused(run: Run, tenant: TenantSchema) -> None:
    """ST3: wrong names and revisions, before anything is done."""
    assert run("tenants", "migrate", "--only", "nobody").exit_code == 2
    for words in (("--only", "user_999"), ("--to", "tenant_none")):
        refused = run("tenants", "migrate", *words)
        assert refused.exit_code == 1
        assert words[1] in str(refused.exception)


def test_a_shop_asleep_counts_as_up_to_date(
    run: Run, database: Database, shops: list[TenantSchema]
) -> None:
    """F13."""
    with database.platform() as session:
        for shop in shops:
            row = TenantRepository(session).get(shop.tenant_id)
            assert row is not None
            row.status = TenantStatus.HIBERNATED
    assert run("tenants", "migrate").exit_code == 0
    assert run("db", "status").exit_code == 0


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the progress takes for the time, in seconds."""
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


def moved(ending: Ending = Ending.MIGRATED) -> ShopMoved:
    return ShopMoved(TenantSchema(1), BEFORE, ending)


def test_away_from_a_terminal_a_line_comes_every_two_seconds(time: list[float]) -> None:
    """F1: how many, how fast, how long still, how many failed."""
    said: list[str] = []
    lines = progress.Lines(said.append)
    lines.say("template_tenant: at tenant_0001")
    lines.begins(2_000)
    for number in range(1_000):
        time[0] += 0.01
        lines.moved(moved(Ending.FAILED if number == 150 else Ending.MIGRATED))
    assert said == [
        "template_tenant: at tenant_0001",
        "200 of 2,000 · 100/s · 18 s left · 1 failed",
        "400 of 2,000 · 100/s · 16 s left · 1 failed",
        "600 of 2,000 · 100/s · 14 s left · 1 failed",
        "800 of 2,000 · 100/s · 12 s left · 1 failed",
        "1,000 of 2,000 · 100/s · 10 s left · 1 failed",
    ]


def test_on_a_terminal_a_bar_moves(time: list[float]) -> None:
    """F1."""
    console = Console(force_terminal=True, width=80)
    with console.capture() as captured, Progress(console=console) as shown:
        bar = progress.Bar(shown)
        bar.say("template_tenant: at [b]")
        bar.begins(4)
        time[0] += 1
        for ending in (Ending.MIGRATED, Ending.FAILED):
            bar.moved(moved(ending))
        [task] = shown.tasks
    assert (task.completed, task.total, task.fields["pace"]) == (2, 4, "2.0/s · 1 failed")
    assert "template_tenant: at [b]" in captured.get()
