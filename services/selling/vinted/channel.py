"""Vinted as publishing sees it before there is a job: what it would refuse, what a job costs."""

from collections.abc import Mapping, Sequence

from models.selling.publishing import JobAction
from repositories.selling.catalog import ProductRepository
from services.selling.publishing.channels import Findings, JobSize, Unit
from services.selling.publishing.outlook import Outlook
from services.selling.vinted.costs import vinted_capabilities
from services.selling.vinted.listings import known_photos
from services.selling.vinted.outlook import VintedOutlooks
from services.selling.vinted.pacing import Pacing
from services.selling.vinted.preflight import READ_TOGETHER, VintedPreflight
from shared.clock import Clock
from shared.database import TenantSession


class VintedChannel:
    """Satisfies `services.selling.publishing.channels.Preflight`."""

    def __init__(self, preflight: VintedPreflight, pacing: Pacing, clock: Clock) -> None:
        self._preflight = preflight
        self._outlooks = VintedOutlooks(pacing, clock)
        self.capabilities = vinted_capabilities(pacing.rules)

    def findings(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Findings]:
        """What Vinted would refuse and what it could do better with, by product id."""
        return self._preflight.findings(session, product_ids)

    def sizes(
        self, session: TenantSession, action: JobAction, product_ids: Sequence[int]
    ) -> Mapping[int, JobSize]:
        """Photos that the live item has already are not counted."""
        there = known_photos(session, product_ids)
        found = {}
        for start in range(0, len(product_ids), READ_TOGETHER):
            some = product_ids[start : start + READ_TOGETHER]
            for product in ProductRepository(session).by_ids(some):
                photos = {image.sha256 for image in product.images}
                new = photos - there.get(product.id, frozenset())
                found[product.id] = {Unit.LISTING: 1, Unit.PHOTO: len(new)}
        return found

    def outlook(
        self,
        session: TenantSession,
        action: JobAction,
        sizes: Sequence[JobSize],
        queued: int = 0,
    ) -> Outlook:
        """By the pace of the account, what was sent lately, and what is in the way."""
        return self._outlooks.of(session, action, sizes, queued)
