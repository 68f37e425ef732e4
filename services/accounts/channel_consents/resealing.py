"""Puts stored tokens under the current encryption key, so that an older key can be thrown away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from repositories.accounts.tenants import TenantRepository
from shared.database import Database, TenantSchema, TenantSession
from shared.encryption import SecretBox
from shared.errors import Misconfigured, TenantUnavailable


class SealedTokens(Protocol):
    """A row with tokens; a disconnected account keeps empty texts."""

    access_token: str
    refresh_token: str


Progress = Callable[[int, int], None]
"""Told after each shop how many are done, of how many."""


def nobody_looks(_done: int, _shops: int) -> None:
    """No progress is shown."""


Holder = Callable[[TenantSession], SealedTokens | None]
"""Finds the row of one channel in a shop, and locks it."""


@dataclass(frozen=True)
class ResealReport:
    """How many accounts' tokens were put under the current key, were there already, or stay."""

    resealed: int
    current: int
    failed: tuple[tuple[TenantSchema, str], ...]
    """Shops whose tokens still need another key, with the reason."""


class TokenResealing:
    """A short transaction a shop; safe to repeat and to run while everything works.

    The rows themselves say what is done, so a run that was killed is simply begun again. A refresh
    that is under way meanwhile stores its tokens under the same row's lock, before or after.
    """

    def __init__(self, database: Database, box: SecretBox, holders: Sequence[Holder]) -> None:
        self._database = database
        self._box = box
        self._holders = holders

    def run(self, progress: Progress = nobody_looks) -> ResealReport:
        """Go through all shops; one that cannot be read does not stop the others."""
        with self._database.platform() as session:
            shops = TenantRepository(session).all_schemas()
        changed: list[bool] = []
        failed: list[tuple[TenantSchema, str]] = []
        for number, shop in enumerate(shops, start=1):
            for holder in self._holders:
                try:
                    answer = self._reseal(shop, holder)
                except (Misconfigured, TenantUnavailable) as error:
                    failed.append((shop, error.detail))
                else:
                    changed += [] if answer is None else [answer]
            progress(number, len(shops))
        return ResealReport(changed.count(True), changed.count(False), tuple(failed))

    def _reseal(self, shop: TenantSchema, holder: Holder) -> bool | None:
        """Whether anything had to change; None where nothing is stored."""
        with self._database.tenant(shop) as session:
            row = holder(session)
            if row is None or not row.refresh_token:
                return None
            tokens = (row.access_token, row.refresh_token)
            if all(map(self._box.is_current, tokens)):
                return False
            row.access_token, row.refresh_token = (
                self._box.seal(self._box.open(token)) for token in tokens
            )
            return True
