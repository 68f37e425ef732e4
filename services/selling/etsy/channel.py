"""Etsy as publishing sees it before there is a job: what it would refuse, what a job costs."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from models.selling.publishing import Channel, JobAction
from repositories.selling.catalog import ProductRepository
from repositories.selling.etsy import EtsyPictureRepository
from repositories.selling.publishing import ListingRepository
from services.gateways.etsy.quotas import EtsyQuotas
from services.selling.etsy.preflight import READ_TOGETHER, EtsyPreflight
from services.selling.publishing.channels import (
    CallCost,
    Capabilities,
    Fee,
    Findings,
    JobSize,
    Unit,
)
from shared.database import TenantSession
from shared.money import Money

SECONDS_A_CALL = (0.2, 1.0)
"""An assumption; a shop with jobs of its own is told what these took."""

_READ_BACK = (("getListing", Unit.LISTING), ("getListingImages", Unit.LISTING))

_CALLS: Mapping[JobAction, Sequence[tuple[str, Unit]]] = {
    JobAction.PUBLISH: (
        ("createDraftListing", Unit.LISTING),
        ("uploadListingImage", Unit.PHOTO),
        ("updateListingInventory", Unit.LISTING),
        ("updateListing", Unit.LISTING),
        *_READ_BACK,
    ),
    JobAction.UPDATE: (
        ("getListingImages", Unit.LISTING),
        ("uploadListingImage", Unit.PHOTO),
        ("updateListing", Unit.LISTING),
        ("updateListingInventory", Unit.LISTING),
        *_READ_BACK,
    ),
    JobAction.SYNC: _READ_BACK,
    JobAction.DELETE: (("updateListing", Unit.LISTING), ("getListing", Unit.LISTING)),
}
"""A listing costs the same with variants and without: they are one inventory."""

_FEES: Mapping[JobAction, Sequence[Fee]] = {
    JobAction.PUBLISH: (
        Fee(
            "listing-fee",
            "Etsy charges it for every listing that goes live, and again each time it is renewed: "
            "after four months, and after a sale when more are left.",
            Money(20, "USD"),
        ),
    )
}
"""Etsy's listing fee, in USD whatever the shop's currency."""


def etsy_capabilities(quotas: EtsyQuotas) -> Capabilities:
    """Etsy's declaration; every call counts against the same quotas."""
    return Capabilities(
        costs={
            action: [CallCost(operation, unit, tuple(quotas.all)) for operation, unit in calls]
            for action, calls in _CALLS.items()
        },
        seconds_a_call=SECONDS_A_CALL,
        fees=_FEES,
    )


class EtsyChannel:
    """Satisfies `services.selling.publishing.channels.Preflight`."""

    def __init__(self, preflight: EtsyPreflight, quotas: EtsyQuotas) -> None:
        self._preflight = preflight
        self._quotas = quotas

    @cached_property
    def capabilities(self) -> Capabilities:
        """What Etsy lets us do, and what it costs."""
        return etsy_capabilities(self._quotas)

    def findings(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Findings]:
        """What Etsy would refuse and what it could do better with, by product id."""
        return self._preflight.findings(session, product_ids)

    def sizes(
        self, session: TenantSession, action: JobAction, product_ids: Sequence[int]
    ) -> Mapping[int, JobSize]:
        """Photos that the live listing has already are not counted."""
        listed = ListingRepository(session).live([Channel.ETSY], product_ids)
        there = EtsyPictureRepository(session).hashes_by_listing(
            [int(listing_id) for listing_id in listed.values()]
        )
        found = {}
        for start in range(0, len(product_ids), READ_TOGETHER):
            some = product_ids[start : start + READ_TOGETHER]
            for product in ProductRepository(session).by_ids(some):
                listing_id = listed.get((product.id, Channel.ETSY))
                known = there.get(int(listing_id), frozenset()) if listing_id else frozenset()
                photos = {image.sha256 for image in product.images} - known
                found[product.id] = {Unit.LISTING: 1, Unit.PHOTO: len(photos)}
        return found

    def outlook(
        self,
        session: TenantSession,
        action: JobAction,
        sizes: Sequence[JobSize],
        queued: int = 0,
    ) -> None:
        """As soon as its calls are made."""
