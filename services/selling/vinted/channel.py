"""Vinted as publishing sees it before there is a job: what it would refuse, what a job costs."""

from collections.abc import Mapping, Sequence

from models.selling.publishing import JobAction
from repositories.selling.catalog import ProductRepository
from services.gateways.quotas import Quota
from services.selling.publishing.channels import CallCost, Capabilities, JobSize, Unit
from services.selling.vinted.listings import known_photos
from services.selling.vinted.pacing import BUDGET, kinds_of
from services.selling.vinted.preflight import READ_TOGETHER, VintedPreflight
from shared.database import TenantSession
from shared.errors import FieldProblem

SECONDS_A_CALL = (6.0, 30.0)
"""By the pace that an account is worked on at; the seller's browser may be away for longer."""

_REQUESTS: Mapping[JobAction, Sequence[tuple[str, str, str, Unit]]] = {
    JobAction.PUBLISH: (
        ("upload a photo", "POST", "/api/v2/photos", Unit.PHOTO),
        ("begin a draft", "POST", "/api/v2/item_upload/drafts", Unit.LISTING),
        ("complete a draft", "POST", "/api/v2/item_upload/drafts/0/completion", Unit.LISTING),
        ("read the item", "GET", "/api/v2/item_upload/items/0", Unit.LISTING),
    ),
    JobAction.UPDATE: (
        ("read the item", "GET", "/api/v2/item_upload/items/0", Unit.LISTING),
        ("upload a photo", "POST", "/api/v2/photos", Unit.PHOTO),
        ("replace the item", "PUT", "/api/v2/item_upload/items/0", Unit.LISTING),
        ("read it back", "GET", "/api/v2/item_upload/items/0", Unit.LISTING),
    ),
    JobAction.DELETE: (
        ("delete the item", "POST", "/api/v2/items/0/delete", Unit.LISTING),
        ("look whether it is gone", "GET", "/api/v2/item_upload/items/0", Unit.LISTING),
    ),
    JobAction.SYNC: (("read the item", "GET", "/api/v2/item_upload/items/0", Unit.LISTING),),
}
"""What a job asks of Vinted when nothing goes wrong: in words, method, path, for each of what."""


def _quotas(method: str, path: str) -> tuple[Quota, ...]:
    """The rules of the budget that a request counts against, but for those of a few seconds."""
    kinds = kinds_of(method, path)
    return tuple(rule.quota for rule in BUDGET if rule.kind in kinds and rule.limit > 1)


VINTED_CAPABILITIES = Capabilities(
    costs={
        action: [
            CallCost(words, unit, _quotas(method, path)) for words, method, path, unit in requests
        ]
        for action, requests in _REQUESTS.items()
    },
    seconds_a_call=SECONDS_A_CALL,
)


class VintedChannel:
    """Satisfies `services.selling.publishing.channels.Preflight`."""

    capabilities = VINTED_CAPABILITIES

    def __init__(self, preflight: VintedPreflight) -> None:
        self._preflight = preflight

    def gaps(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Sequence[FieldProblem]]:
        """What Vinted would refuse, by product id."""
        return self._preflight.gaps(session, product_ids)

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
