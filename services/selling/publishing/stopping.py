"""The operator's switch for a whole channel: while it is off, nothing is sent there for anybody."""

from collections.abc import Sequence

from models.accounts.stopped_channels import StoppedChannel
from repositories.accounts.stopped_channels import StoppedChannelRepository
from shared.clock import Clock
from shared.database import PlatformSession


class ChannelSwitch:
    """Works in the caller's transaction on the shared schemas."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def stopped(self, session: PlatformSession) -> Sequence[StoppedChannel]:
        """Every channel that is stopped, since when, and why."""
        return StoppedChannelRepository(session).all()

    def stop(self, session: PlatformSession, channel: str, because: str) -> bool:
        """Send nothing more; what is on its way is finished. False when it was stopped already."""
        row = StoppedChannel(channel=channel, because=because, stopped_at=self._clock.now())
        return StoppedChannelRepository(session).add_unless_there(row)

    def start(self, session: PlatformSession, channel: str) -> bool:
        """Go on, within seconds. False when it was not stopped."""
        return StoppedChannelRepository(session).remove(channel)
