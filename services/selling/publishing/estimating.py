"""When jobs that are not queued yet would be finished, and why not sooner: a range, no promise."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction
from repositories.selling.publishing import RunningCaps
from services.selling.publishing.channels import Capabilities, ChannelTable, JobSize
from services.selling.publishing.outlook import Estimate, Reason, in_words
from services.selling.quotas.ledger import QuotaForecast

MEASURED_FROM = 5
"""Of fewer jobs no pace is told."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a job takes."""

    usual: float
    slow: float
    jobs: int
    """Of how many it was measured; 0: assumed."""


@dataclass(frozen=True, slots=True)
class Load:
    """Jobs of one kind."""

    channel: Channel
    action: JobAction
    jobs: int
    pace: Pace
    waits: bool = False
    """Whether they were asked for before."""


def measured(seconds: Sequence[float]) -> Pace | None:
    """Half of a shop's jobs took `usual`, nine of ten no more than `slow`."""
    if len(seconds) < MEASURED_FROM:
        return None
    return Pace(median(seconds), quantiles(seconds, n=10, method="inclusive")[-1], len(seconds))


def assumed(capabilities: Capabilities, action: JobAction, sizes: Collection[JobSize]) -> Pace:
    """By the calls that an average one of these jobs makes."""
    assert capabilities.seconds_a_call is not None
    calls = sum(sum(capabilities.operations(action, size).values()) for size in sizes)
    at_best, at_worst = capabilities.seconds_a_call
    return Pace(calls / len(sizes) * at_best, calls / len(sizes) * at_worst, 0)


def takes_a_place(channels: ChannelTable, channel: Channel) -> bool:
    """Whether a channel's jobs hold up others while they run: those at a pace of their own are
    parked most of the time, as long as it takes.
    """
    return channel in channels and channels[channel].capabilities.seconds_a_call is not None


def estimate(
    loads: Sequence[Load],
    forecasts: Sequence[QuotaForecast],
    caps: RunningCaps,
    lane: Lane,
    now: datetime,
) -> Estimate:
    """At best as many at a time as a shop may run; at worst one after the other.

    Calls that have to wait for a quota come on top: what they leave for later takes its time then.
    """
    opens = max((each.state.open_at or now for each in forecasts), default=now)
    enough = max((each.enough_at or now for each in forecasts), default=now)
    usual = max(load.pace.usual for load in loads)
    slow = max(load.pace.slow for load in loads)
    at_best, at_worst = _side_by_side(loads, caps, lane), _one_by_one(loads)
    return Estimate(
        earliest=max(opens + at_best, enough + timedelta(seconds=usual)),
        latest=max(opens + at_worst, enough + timedelta(seconds=slow)),
        reasons=(
            *_about_pace(loads),
            *_about_caps(caps, lane),
            *_about_the_queue(loads),
            *_about_quotas(forecasts, now + at_best),
        ),
    )


def _side_by_side(loads: Sequence[Load], caps: RunningCaps, lane: Lane) -> timedelta:
    jobs = sum(load.jobs for load in loads)
    most = caps.lanes.get(lane) or jobs
    by_channel: dict[Channel, float] = {}
    for load in loads:
        seconds = by_channel.get(load.channel, 0.0)
        by_channel[load.channel] = seconds + load.jobs * load.pace.usual
    longest = max(load.pace.usual for load in loads)
    account = min(most, caps.account or most)
    return timedelta(
        seconds=max(longest, sum(by_channel.values()) / most, max(by_channel.values()) / account)
    )


def _one_by_one(loads: Sequence[Load]) -> timedelta:
    return timedelta(seconds=sum(load.jobs * load.pace.slow for load in loads))


def _about_pace(loads: Sequence[Load]) -> list[Reason]:
    return [_pace_of(load) for load in loads if not load.waits]


def _pace_of(load: Load) -> Reason:
    what = f"{load.action} on {load.channel}: {load.pace.usual:.1f} to {load.pace.slow:.1f} seconds"
    if load.pace.jobs:
        return Reason("pace-measured", f"{what} a job, by this shop's last {load.pace.jobs}.")
    return Reason("pace-assumed", f"{what} a job, assumed: this shop has too few to measure.")


def _about_caps(caps: RunningCaps, lane: Lane) -> list[Reason]:
    most = caps.lanes.get(lane)
    if most is None and caps.account is None:
        return []
    said = f"At most {most or caps.account} of a shop's jobs run at a time"
    if caps.account is not None and (most is None or caps.account < most):
        said += f", {caps.account} on one channel" if most else " on one channel"
    return [Reason("shop-cap", f"{said}, and fewer while other shops are busy.")]


def _about_the_queue(loads: Sequence[Load]) -> list[Reason]:
    waiting = sum(load.jobs for load in loads if load.waits)
    message = f"{waiting} jobs of this shop were asked for before."
    return [Reason("jobs-before", message)] if waiting else []


def _about_quotas(forecasts: Sequence[QuotaForecast], unhindered: datetime) -> list[Reason]:
    found = []
    for each in forecasts:
        name, opens = each.state.quota.name, each.state.open_at
        if opens is not None:
            message = f"{name} takes no call before {in_words(opens)}; it goes on by itself then."
            found.append(Reason("quota-opens", message))
        if each.enough_at is not None and each.enough_at > max(unhindered, opens or unhindered):
            message = (
                f"{name} takes {each.state.left} of {each.calls} calls now, "
                f"the last of them at {in_words(each.enough_at)}."
            )
            found.append(Reason("quota-fills", message))
    return found
