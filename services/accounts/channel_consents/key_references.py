"""Counts what is still sealed under which encryption key, before a key is thrown away."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from repositories.accounts.channel_consents import ChannelConsentRepository
from repositories.accounts.tenants import TenantRepository
from services.accounts.channel_consents.resealing import Holder, Progress, nobody_looks
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.encryption import key_of
from shared.errors import TenantUnavailable


@dataclass(frozen=True, slots=True)
class KeyCount:
    """Stored secrets by the key that opens them, as far as could be seen."""

    by_key: Mapping[str, int]
    unseen: tuple[tuple[TenantSchema, str], ...]
    """Shops that could not be looked into, with the reason: they may need any key."""

    def left(self, key: str) -> int:
        """How many need this key."""
        return self.by_key.get(key, 0)

    def may_go(self, key: str) -> bool:
        """Whether nothing needs this key, and every shop was looked into."""
        return not self.left(key) and not self.unseen


class KeyReferences:
    """Reads only; a short transaction a shop."""

    def __init__(self, database: Database, holders: Sequence[Holder], clock: Clock) -> None:
        self._database = database
        self._holders = holders
        self._clock = clock

    def count(self, progress: Progress = nobody_looks) -> KeyCount:
        """Look into every shop, and at consents that are under way."""
        with self._database.platform() as session:
            shops = TenantRepository(session).all_schemas()
            verifiers = ChannelConsentRepository(session).open_verifiers(self._clock.now())
        found = Counter(key_of(verifier) for verifier in verifiers)
        unseen: list[tuple[TenantSchema, str]] = []
        for number, shop in enumerate(shops, start=1):
            try:
                found.update(self._of(shop))
            except TenantUnavailable as closed:
                unseen.append((shop, closed.detail))
            progress(number, len(shops))
        return KeyCount(dict(found), tuple(unseen))

    def _of(self, shop: TenantSchema) -> Sequence[str]:
        with self._database.tenant(shop) as session:
            rows = [holder(session) for holder in self._holders]
            secrets = [
                secret
                for row in rows
                if row is not None
                for secret in (row.access_token, row.refresh_token)
            ]
        return [key_of(secret) for secret in secrets if secret]
