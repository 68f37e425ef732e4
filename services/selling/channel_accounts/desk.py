"""A shop's account as the seller sees it: whether there is one, and what it lacks."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from models.selling.channel_accounts import ChannelAccount
from services.selling.channel_accounts.access import ChannelAccess
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import FieldProblem

GatewayT = TypeVar("GatewayT")
AccountT = TypeVar("AccountT", bound=ChannelAccount)


@dataclass(frozen=True, slots=True)
class AccountView(Generic[AccountT]):
    """The account, if there ever was one, and what is missing."""

    account: AccountT | None
    gaps: tuple[FieldProblem, ...]

    @property
    def ready(self) -> bool:
        """Whether products can be listed."""
        return not self.gaps


class AccountDesk(ABC, Generic[GatewayT, AccountT]):
    """Reads and mends the account's settings. Opens its own short transactions."""

    def __init__(
        self,
        database: Database,
        gateway: GatewayT,
        access: ChannelAccess[Any, AccountT, Any],
        clock: Clock,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._access = access
        self._clock = clock

    def view(self, tenant: TenantSchema) -> AccountView[AccountT]:
        """What we last knew; asks nobody."""
        with self._database.tenant(tenant) as session:
            return self._known(session)

    @abstractmethod
    def check(self, tenant: TenantSchema) -> AccountView[AccountT]:
        """Read what the account lacks anew. Raises what the gateway raises."""

    @abstractmethod
    def _known(self, session: TenantSession) -> AccountView[AccountT]:
        """What we last knew."""
