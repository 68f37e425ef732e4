"""Puts stored tokens under the current encryption key, so that an older key can be thrown away."""

from dataclasses import dataclass

from repositories.accounts.tenants import TenantRepository
from repositories.selling.ebay import EbayConnectionRepository
from shared.database import Database, TenantSchema
from shared.encryption import SecretBox
from shared.errors import Misconfigured, TenantUnavailable


@dataclass(frozen=True)
class ResealReport:
    """How many shops' tokens were put under the current key, were there already, or stay behind."""

    resealed: int
    current: int
    failed: tuple[tuple[TenantSchema, str], ...]
    """Shops whose tokens still need another key, with the reason."""


class EbayResealing:
    """A short transaction a shop; safe to repeat and to run while everything works."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box

    def run(self) -> ResealReport:
        """Go through all shops; one that cannot be read does not stop the others."""
        with self._database.platform() as session:
            shops = TenantRepository(session).all_schemas()
        changed: list[bool] = []
        failed: list[tuple[TenantSchema, str]] = []
        for shop in shops:
            try:
                answer = self._reseal(shop)
            except (Misconfigured, TenantUnavailable) as error:
                failed.append((shop, error.detail))
            else:
                changed += [] if answer is None else [answer]
        return ResealReport(changed.count(True), changed.count(False), tuple(failed))

    def _reseal(self, shop: TenantSchema) -> bool | None:
        """Whether anything had to change; None where nothing is stored."""
        with self._database.tenant(shop) as session:
            connection = EbayConnectionRepository(session).locked()
            # A disconnected account keeps empty texts.
            if connection is None or not connection.refresh_token:
                return None
            tokens = (connection.access_token, connection.refresh_token)
            if all(map(self._box.is_current, tokens)):
                return False
            connection.access_token, connection.refresh_token = (
                self._box.seal(self._box.open(token)) for token in tokens
            )
            return True
