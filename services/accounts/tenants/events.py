"""What happens to a shop as a whole."""

from dataclasses import dataclass
from typing import ClassVar

from services.accounts.outbox.events import Event


@dataclass(frozen=True, slots=True)
class ShopOpened(Event):
    """An account registered, and its shop was made."""

    kind: ClassVar[str] = "shop-opened"


@dataclass(frozen=True, slots=True)
class ShopSuspended(Event):
    """The operator closed it for a while."""

    kind: ClassVar[str] = "shop-suspended"


@dataclass(frozen=True, slots=True)
class ShopResumed(Event):
    """The operator opened it again."""

    kind: ClassVar[str] = "shop-resumed"
