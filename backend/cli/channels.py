"""`stoflow channels`: the operator's switch for a whole channel."""

from enum import StrEnum
from typing import Annotated

import typer

from backend.cli.terminal import AsJson, opened, say, say_json
from services.selling.publishing.stopping import ChannelSwitch

app = typer.Typer(help="Stop a whole channel, let it go on.", no_args_is_help=True)


class Stoppable(StrEnum):
    """Channels whose work can be stopped for everybody."""

    VINTED = "vinted"


AChannel = Annotated[Stoppable, typer.Argument(help="Which channel.")]


@app.command("list")
def list_stopped(as_json: AsJson = False) -> None:
    """The channels that are stopped, since when, and why."""
    with opened() as container, container.database.platform() as session:
        stopped = ChannelSwitch(container.clock).stopped(session)
    if as_json:
        say_json(
            [
                {"channel": each.channel, "stopped_at": each.stopped_at, "because": each.because}
                for each in stopped
            ]
        )
        return
    for each in stopped:
        say(f"{each.channel}: stopped since {each.stopped_at:%Y-%m-%d %H:%M}Z: {each.because}")
    if not stopped:
        say("no channel is stopped")


@app.command()
def stop(
    channel: AChannel,
    because: Annotated[str, typer.Option(help="Sellers read it.")],
) -> None:
    """Send nothing more to a channel, for any shop; work waits. Within a second, everywhere."""
    with opened() as container, container.database.platform() as session:
        changed = ChannelSwitch(container.clock).stop(session, channel, because)
    say(f"{channel}: {'stopped' if changed else 'was stopped already'}")


@app.command()
def start(channel: AChannel) -> None:
    """Let a channel go on; what waits is sent within 15 seconds."""
    with opened() as container, container.database.platform() as session:
        changed = ChannelSwitch(container.clock).start(session, channel)
    say(f"{channel}: {'goes on' if changed else 'was not stopped'}")
