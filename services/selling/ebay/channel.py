"""eBay as publishing sees it before there is a job."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from models.selling.publishing import JobAction
from repositories.selling.ebay import EbayPictureRepository
from services.gateways.ebay.bulk import packs_of
from services.gateways.ebay.quotas import EbayQuotas
from services.selling.ebay.costs import ebay_capabilities
from services.selling.ebay.pictures import GOOD_FOR
from services.selling.ebay.preflight import EbayPreflight, Examined
from services.selling.publishing.channels import Capabilities, Findings, JobSize, Unit
from shared.clock import Clock
from shared.database import TenantSession

_ASKED_TOGETHER = 5_000
"""Photos looked up in one statement."""


class EbayChannel:
    """Satisfies `services.selling.publishing.channels.Preflight`."""

    def __init__(self, preflight: EbayPreflight, quotas: EbayQuotas, clock: Clock) -> None:
        self._preflight = preflight
        self._quotas = quotas
        self._clock = clock

    @cached_property
    def capabilities(self) -> Capabilities:
        """What eBay lets us do, and what it costs."""
        return ebay_capabilities(self._quotas)

    def findings(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Findings]:
        """What eBay would refuse and what it could do better with, by product id."""
        return self._preflight.findings(session, product_ids)

    def sizes(
        self, session: TenantSession, action: JobAction, product_ids: Sequence[int]
    ) -> Mapping[int, JobSize]:
        """A photo or a category that several of them share is counted with the first."""
        outlines = [_outline(each, action) for each in self._preflight.each(session, product_ids)]
        there = self._hosted(session, {photo for each in outlines for photo in each.photos})
        asked: set[str] = set()
        found = {}
        for each in outlines:
            found[each.product_id] = {
                Unit.LISTING: int(not each.several),
                Unit.GROUP: int(each.several),
                Unit.VARIANT: each.variants,
                Unit.PACK: packs_of(each.variants) if each.several else 0,
                Unit.PHOTO: len(each.photos - there),
                Unit.CATEGORY: len(each.categories - asked),
            }
            there |= each.photos
            asked |= each.categories
        return found

    def outlook(
        self,
        session: TenantSession,
        action: JobAction,
        sizes: Sequence[JobSize],
        queued: int = 0,
    ) -> None:
        """As soon as its calls are made."""

    def _hosted(self, session: TenantSession, photos: Collection[str]) -> set[str]:
        pictures, ordered = EbayPictureRepository(session), sorted(photos)
        valid_at = self._clock.now() + GOOD_FOR
        return {
            photo
            for start in range(0, len(ordered), _ASKED_TOGETHER)
            for photo in pictures.urls(ordered[start : start + _ASKED_TOGETHER], valid_at)
        }


@dataclass(frozen=True, slots=True)
class _Outline:
    """What of a product decides how many calls its job makes."""

    product_id: int
    several: bool
    variants: int
    photos: frozenset[str]
    """By content: the same one twice is uploaded once."""
    categories: frozenset[str]
    """To be asked about first: one or none."""


def _outline(examined: Examined, action: JobAction) -> _Outline:
    product, learn = examined.product, examined.category_to_learn
    sold_out = [each for each in product.variants if each.quantity <= 0]
    left_out = len(sold_out) if action is JobAction.PUBLISH else 0
    return _Outline(
        product.id,
        bool(examined.resolution.variant_aspects),
        len(product.variants) - left_out,
        frozenset(image.sha256 for image in product.images),
        frozenset() if learn is None else frozenset([learn]),
    )
