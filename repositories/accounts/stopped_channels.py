"""Channels on which the operator lets nothing be done."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from models.accounts.stopped_channels import StoppedChannel
from shared.database import PlatformSession


class StoppedChannelRepository:
    """Rows of `public.stopped_channels`."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def all(self) -> Sequence[StoppedChannel]:
        """Every channel that is stopped."""
        return self._session.scalars(select(StoppedChannel).order_by(StoppedChannel.channel)).all()

    def get(self, channel: str) -> StoppedChannel | None:
        """Since when and why a channel is stopped; None when it is not."""
        return self._session.get(StoppedChannel, channel)

    def add_unless_there(self, stopped: StoppedChannel) -> bool:
        """Stop a channel; False, changing nothing, when it is stopped already."""
        values = {
            "channel": stopped.channel,
            "because": stopped.because,
            "stopped_at": stopped.stopped_at,
        }
        added = self._session.scalar(
            insert(StoppedChannel)
            .values(values)
            .on_conflict_do_nothing()
            .returning(StoppedChannel.channel)
        )
        return added is not None

    def remove(self, channel: str) -> bool:
        """Let it go on; False when it was not stopped."""
        removed = self._session.scalar(
            delete(StoppedChannel)
            .where(StoppedChannel.channel == channel)
            .returning(StoppedChannel.channel)
        )
        return removed is not None
