"""Ticks: planned at the same moments everywhere, each planned run done once."""

import json
import re
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from models.accounts.schedule import TickOutcome, TickRun
from repositories.accounts.schedule import TickRunRepository
from services.accounts.schedule.running import TickRunner
from services.accounts.schedule.ticks import Act, Did, Tick, TickStopped, Turn
from shared.clock import MovableClock
from shared.database import Database
from tests.conftest import Run
from tests.fakes.watching import NotedRuns

EVERY = timedelta(minutes=5)


def no_stop() -> None:
    """Nobody wants the process to end."""


def tick_of(act: Act, every: timedelta = EVERY) -> Tick:
    return Tick("count", every, act, "count")


@pytest.fixture
def watch() -> NotedRuns:
    return NotedRuns()


@pytest.fixture
def runner(database: Database, clock: MovableClock, watch: NotedRuns) -> TickRunner:
    return TickRunner(database, clock, "worker-1", watch)


def runs_in(database: Database) -> Sequence[TickRun]:
    with database.platform() as session:
        return TickRunRepository(session).latest()


def counting(turns: list[Turn]) -> Callable[[Turn], Did]:
    def act(turn: Turn) -> Did:
        turns.append(turn)
        return Did(f"turn {len(turns)}", position=10 * len(turns))

    return act


@pytest.mark.parametrize(
    ("every", "planned", "following"),
    [
        (timedelta(minutes=5), (12, 15), (12, 20)),
        (timedelta(hours=1), (12, 0), (13, 0)),
    ],
)
def test_planned_moments_are_the_same_for_everybody(
    every: timedelta, planned: tuple[int, int], following: tuple[int, int]
) -> None:
    """G8: they follow from the interval alone, not from when a process started."""
    tick = tick_of(lambda _turn: Did(""), every)
    for second in (0, 1, 59):
        now = datetime(2026, 6, 1, 12, 17, second, tzinfo=UTC)
        assert tick.planned_at(now) == datetime(2026, 6, 1, *planned, tzinfo=UTC)
        assert tick.next_after(now) == datetime(2026, 6, 1, *following, tzinfo=UTC)
    assert tick.planned_at(tick.next_after(now)) == tick.next_after(now)


def test_a_planned_run_is_done_once_and_missed_ones_are_done_together(
    database: Database, clock: MovableClock, runner: TickRunner, watch: NotedRuns
) -> None:
    """G8: a second look at the same moment does nothing; an hour away costs one run."""
    turns: list[Turn] = []
    tick = tick_of(counting(turns))
    assert runner.run_due(tick, no_stop) is TickOutcome.OK
    assert runner.run_due(tick, no_stop) is None
    clock.advance(timedelta(hours=1, seconds=30))
    assert runner.run_due(tick, no_stop) is TickOutcome.OK
    assert runner.run_due(tick, no_stop) is None
    assert [(turn.position, turn.whole) for turn in turns] == [(0, False), (10, False)]
    (last,) = runs_in(database)
    assert last.planned_at == clock.now() - timedelta(seconds=30)
    assert (last.outcome, last.said, last.position) == (TickOutcome.OK, "turn 2", 20)
    assert (last.runner, last.finished_at) == ("worker-1", clock.now())
    assert watch.ran == [("count", TickOutcome.OK)] * 2


def test_a_leader_whose_clock_is_behind_repeats_nothing(
    database: Database, clock: MovableClock, runner: TickRunner
) -> None:
    """G8: an earlier moment than the last is not run any more."""
    turns: list[Turn] = []
    late = TickRunner(database, MovableClock(clock.now()), "worker-2", NotedRuns())
    clock.advance(EVERY)
    assert runner.run_due(tick_of(counting(turns)), no_stop) is TickOutcome.OK
    assert late.run_due(tick_of(counting(turns)), no_stop) is None
    assert len(turns) == 1


def test_two_leaders_at_once_run_nothing_twice(database: Database, clock: MovableClock) -> None:
    """G8: a split network makes two leaders; the row of the run lets one of them begin."""
    leaders, moments = 8, 10
    turns: list[Turn] = []
    tick, together = tick_of(counting(turns)), threading.Barrier(leaders)

    def lead(name: str) -> None:
        own_clock = MovableClock(clock.now())
        runner = TickRunner(database, own_clock, name, NotedRuns())
        for _ in range(moments):
            together.wait()
            runner.run_due(tick, no_stop)
            own_clock.advance(EVERY)

    threads = [threading.Thread(target=lead, args=(f"w-{each}",)) for each in range(leaders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(turns) == moments


def test_a_tick_that_fails_is_written_down_and_tried_next_time(
    database: Database, clock: MovableClock, runner: TickRunner, watch: NotedRuns
) -> None:
    """G8, G13: with its reason, and without what a database says of rows."""

    def fail(_turn: Turn) -> Did:
        raise RuntimeError("eBay is down\nsecret row")

    assert runner.run_due(tick_of(fail), no_stop) is TickOutcome.FAILED
    (failed,) = runs_in(database)
    assert (failed.outcome, failed.said) == (TickOutcome.FAILED, "RuntimeError: eBay is down")
    assert runner.run_due(tick_of(fail), no_stop) is None
    clock.advance(EVERY)
    assert runner.run_due(tick_of(lambda _turn: Did("well")), no_stop) is TickOutcome.OK
    assert watch.ran == [("count", TickOutcome.FAILED), ("count", TickOutcome.OK)]


def test_a_tick_that_is_stopped_goes_on_where_the_last_slice_ended(
    clock: MovableClock, runner: TickRunner
) -> None:
    """G8: the slice that was broken off is done again, nothing is left out."""
    turns: list[Turn] = []
    runner.run_due(tick_of(counting(turns)), no_stop)

    def stop() -> None:
        raise TickStopped

    def stopped(turn: Turn) -> Did:
        turns.append(turn)
        turn.go_on()
        return Did("never said", position=99)

    clock.advance(EVERY)
    assert runner.run_due(tick_of(stopped), stop) is TickOutcome.STOPPED
    clock.advance(EVERY)
    assert runner.run_due(tick_of(counting(turns)), no_stop) is TickOutcome.OK
    assert [turn.position for turn in turns] == [0, 10, 10]


def test_a_run_by_hand_is_whole_and_leaves_the_next_planned_one_alone(
    clock: MovableClock, runner: TickRunner
) -> None:
    """G8."""
    turns: list[Turn] = []
    clock.advance(timedelta(seconds=10))
    assert runner.run_now(tick_of(counting(turns)), no_stop) == (TickOutcome.OK, "turn 1")
    clock.advance(EVERY)
    assert runner.run_due(tick_of(counting(turns)), no_stop) is TickOutcome.OK
    assert [turn.whole for turn in turns] == [True, False]


def test_old_runs_are_forgotten_but_the_last_of_each_tick(
    database: Database, clock: MovableClock, runner: TickRunner
) -> None:
    """G8: what an operator sees does not vanish while a worker is away for weeks."""
    for _ in range(3):
        runner.run_due(tick_of(counting([])), no_stop)
        clock.advance(EVERY)
    clock.advance(timedelta(days=30))
    with database.platform() as session:
        assert TickRunRepository(session).forget_before(clock.now() - timedelta(days=14)) == 2
    assert len(runs_in(database)) == 1


def test_an_operator_sees_the_schedule_and_runs_a_tick(run: Run) -> None:
    """G8: nobody leads in this test; a run by hand is seen afterwards."""
    shown = json.loads(run("schedule", "list", "--json").stdout)
    assert shown["leader"] is None
    names = [tick["name"] for tick in shown["ticks"]]
    assert {"ring-lost-bells", "review-dead-jobs", "forget-ended-sign-ins"} <= set(names)
    assert len(names) == len(set(names))
    assert all(tick["last"] is None for tick in shown["ticks"])
    for name in names:
        done = json.loads(run("schedule", "run", name, "--json").stdout)
        assert (done["tick"], done["outcome"]) == (name, "ok")
    after = json.loads(run("schedule", "list", "--json").stdout)["ticks"]
    assert [tick["last"]["outcome"] for tick in after] == ["ok"] * len(names)
    plain = run("schedule", "list").stdout
    assert plain.startswith("led by nobody: no worker runs\n")
    assert "ring-lost-bells          every 5 min: " in plain
    assert re.search(r"ok after \d+\.\d s: 0 of 0 shops have work waiting", plain)


def test_a_tick_that_does_not_exist_is_refused_with_those_that_do(run: Run) -> None:
    """G8."""
    refused = run("schedule", "run", "everything")
    assert refused.exit_code == 1
    assert "ring-lost-bells" in str(refused.exception)


def test_ebays_categories_are_learnt_where_there_is_a_keyset(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G8: and an eBay that does not answer is a failed run, told by exit code 1."""
    monkeypatch.setenv("STOFLOW_EBAY_CLIENT_ID", "id")
    monkeypatch.setenv("STOFLOW_EBAY_CLIENT_SECRET", "secret")
    for host in ("AUTH", "API", "IDENTITY", "MEDIA"):
        monkeypatch.setenv(f"STOFLOW_EBAY_{host}_URL", "http://127.0.0.1:1")
    done = run("schedule", "run", "learn-ebay-categories")
    ticks = json.loads(run("schedule", "list", "--json").stdout)["ticks"]
    (tick,) = [each for each in ticks if each["name"] == "learn-ebay-categories"]
    assert done.stdout.startswith("learn-ebay-categories: ")
    assert done.exit_code == (tick["last"]["outcome"] != "ok")
