"""`stoflow schedule`: what is done again and again, once for the whole installation."""

from typing import Annotated

import typer

from backend.cli.terminal import AsJson, opened, say, say_json
from backend.container import Container
from backend.scheduler import worker_name
from backend.ticks import ticks_of
from models.accounts.schedule import TickOutcome
from services.accounts.schedule.overview import Schedule, ScheduleOverview, TickState
from services.accounts.schedule.running import TickRunner
from services.accounts.schedule.ticks import Tick
from shared.errors import NotFound

app = typer.Typer(help="What is done again and again: look, run.", no_args_is_help=True)

NOT_DONE = 1


class TickNotFound(NotFound):
    """Nothing of this name is done here."""

    code, title = "tick-not-found", "There is no such tick"


@app.command("list")
def list_ticks(as_json: AsJson = False) -> None:
    """Every tick: how often, when and how it ran last, when it runs next, and who runs them."""
    with opened() as container, container.database.platform() as session:
        schedule = ScheduleOverview(container.clock).of(session, ticks_of(container))
    if as_json:
        say_json(_document(schedule))
        return
    say(f"led by {schedule.leader}" if schedule.leader else "led by nobody: no worker runs")
    for state in schedule.ticks:
        say(f"{state.tick.name:<24} every {_span(state.tick)}: {state.tick.about}")
        say(f"  last {_last(state, schedule.leader)}")
        say(f"  next {state.next_at:%Y-%m-%d %H:%M:%S}Z")


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="As 'stoflow schedule list' shows it.")],
    as_json: AsJson = False,
) -> None:
    """Run a tick now, here and whole, whatever is planned. Exit code 1: it failed."""
    with opened() as container:
        tick = _tick(container, name)
        runner = TickRunner(container.database, container.clock, worker_name(), container.meters)
        outcome, said = runner.run_now(tick, lambda: None)
    if as_json:
        say_json({"tick": name, "outcome": outcome.value, "said": said})
    else:
        say(f"{name}: {outcome.value}: {said}")
    if outcome is not TickOutcome.OK:
        raise typer.Exit(NOT_DONE)


def _tick(container: Container, name: str) -> Tick:
    ticks = {tick.name: tick for tick in ticks_of(container)}
    if name not in ticks:
        raise TickNotFound(f"There is no tick {name!r}; there are {', '.join(ticks)}.")
    return ticks[name]


def _span(tick: Tick) -> str:
    minutes = int(tick.every.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _last(state: TickState, leader: str | None) -> str:
    last = state.last
    if last is None:
        return "never"
    begun = f"{last.started_at:%Y-%m-%d %H:%M:%S}Z by {last.runner}"
    if last.finished_at is None or last.outcome is None:
        running = "runs" if last.runner == leader else "did not end; its process died, most likely"
        return f"{begun}: {running}"
    seconds = (last.finished_at - last.started_at).total_seconds()
    return f"{begun}: {last.outcome.value} after {seconds:.1f} s: {last.said}"


def _document(schedule: Schedule) -> dict[str, object]:
    return {"leader": schedule.leader, "ticks": [_state(state) for state in schedule.ticks]}


def _state(state: TickState) -> dict[str, object]:
    last = state.last
    return {
        "name": state.tick.name,
        "about": state.tick.about,
        "every_seconds": state.tick.every.total_seconds(),
        "next_at": state.next_at.isoformat(),
        "last": last
        and {
            "planned_at": last.planned_at.isoformat(),
            "started_at": last.started_at.isoformat(),
            "finished_at": last.finished_at and last.finished_at.isoformat(),
            "outcome": last.outcome and last.outcome.value,
            "said": last.said,
            "runner": last.runner,
        },
    }
