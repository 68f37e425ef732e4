"""The one row of a table of accounts, whichever the channel."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert

from models.selling.channel_accounts import ChannelAccount
from models.selling.publishing import Channel, ChannelListing, ListingStatus
from shared.database import TenantSession

_THE_ONE = 1

AccountT = TypeVar("AccountT", bound=ChannelAccount)


class ChannelAccountRepository(Generic[AccountT]):
    """A channel's repository names its channel and its table."""

    channel: Channel
    table: type[AccountT]

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def get(self) -> AccountT | None:
        """The account, whatever its status."""
        return self._session.get(self.table, _THE_ONE)

    def locked(self) -> AccountT | None:
        """The account, locked until the commit and read anew."""
        return self._session.scalar(
            select(self.table).with_for_update().execution_options(populate_existing=True)
        )

    def add_unless_there(self, values: Mapping[str, Any]) -> bool:
        """Store the first account; False, changing nothing, when there is one."""
        added = self._session.scalar(
            insert(self.table)
            .values(id=_THE_ONE, **values)
            .on_conflict_do_nothing()
            .returning(self.table.id)
        )
        return added is not None

    def has_live_listings(self) -> bool:
        """Whether anything is listed there, as far as we know."""
        question = select(
            exists().where(
                ChannelListing.channel == self.channel,
                ChannelListing.status == ListingStatus.LIVE,
            )
        )
        return bool(self._session.scalar(question))
