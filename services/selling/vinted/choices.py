"""What a seller decides for Vinted alone: for single products, and for the account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.selling.publishing import Channel, JobAction
from models.selling.vinted import VintedProductChoice
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.selling.catalog import ProductRepository
from repositories.selling.vinted import VintedAccountRepository, VintedChoiceRepository
from services.selling.catalog.products import ProductNotFound
from services.selling.publishing.account_work import AccountJob, AccountWork
from services.selling.vinted.preflight import Examined, VintedPreflight
from services.selling.vinted.sync import CONFIRM_ENDED
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import Conflict


class VintedNotConnected(Conflict):
    """No browser was ever paired."""

    code, title = "vinted-not-connected", "The shop is not connected to Vinted"


@dataclass(frozen=True, slots=True)
class VintedProductView:
    """A product as it would go to Vinted, and what the seller chose for it."""

    choice: VintedProductChoice | None
    examined: Examined


class VintedChoices:
    """Works in the request's transaction; asks nobody."""

    def __init__(self, preflight: VintedPreflight, clock: Clock) -> None:
        self._preflight = preflight
        self._clock = clock
        self._work = AccountWork(clock)

    def view(self, session: TenantSession, product_id: int) -> VintedProductView:
        """The product as preflight sees it. Raises `ProductNotFound`."""
        examined = self._preflight.examine(session, [product_id]).get(product_id)
        if examined is None:
            raise ProductNotFound
        choice = VintedChoiceRepository(session).by_products([product_id]).get(product_id)
        return VintedProductView(choice, examined)

    def set(
        self, session: TenantSession, product_id: int, values: Mapping[str, Any]
    ) -> VintedProductView:
        """Replace the choice. Raises `ProductNotFound`. Vinted itself says whether it takes it."""
        if ProductRepository(session).get(product_id) is None:
            raise ProductNotFound
        VintedChoiceRepository(session).put(product_id, values)
        return self.view(session, product_id)

    def terms(self, session: TenantSession) -> Mapping[str, Any]:
        """What listings use unless a product says otherwise, and when nothing is sent."""
        account = VintedAccountRepository(session).get()
        return {} if account is None else account.choices

    def set_terms(self, session: TenantSession, terms: Mapping[str, Any]) -> Mapping[str, Any]:
        """Replace them. Raises `VintedNotConnected`."""
        account = VintedAccountRepository(session).locked()
        if account is None:
            raise VintedNotConnected("Pair a browser for Vinted first.")
        account.choices = {name: value for name, value in terms.items() if value is not None}
        # Whatever waits for the end of quiet hours that are no more goes on.
        BrowserBellRepository(session).ring(session.tenant, self._clock.now())
        return account.choices

    def compare(
        self, session: TenantSession, requested_by: int, *, confirm_ended: bool
    ) -> AccountJob:
        """Have the whole wardrobe compared with our books. Raises `VintedNotConnected`."""
        if VintedAccountRepository(session).get() is None:
            raise VintedNotConnected("Pair a browser for Vinted first.")
        payload = {CONFIRM_ENDED: confirm_ended}
        return self._work.request(session, JobAction.SYNC, Channel.VINTED, requested_by, payload)
