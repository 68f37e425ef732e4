"""What a job asks of Vinted when nothing goes wrong, and what of the account's pace that takes."""

from collections.abc import Iterator, Mapping, Sequence

from models.selling.publishing import JobAction
from services.gateways.quotas import Quota
from services.gateways.vinted.client import WARDROBE_PAGES
from services.selling.publishing.channels import CallCost, Capabilities, JobSize, Unit
from services.selling.vinted.pacing import PaceRule, kinds_of

Request = tuple[str, str]
"""Method and path."""

READ_ITEM: Request = ("GET", "/api/v2/item_upload/items/0")

_REQUESTS: Mapping[JobAction, Sequence[tuple[str, Request, Unit]]] = {
    JobAction.PUBLISH: (
        ("upload a photo", ("POST", "/api/v2/photos"), Unit.PHOTO),
        ("begin a draft", ("POST", "/api/v2/item_upload/drafts"), Unit.LISTING),
        ("complete it", ("POST", "/api/v2/item_upload/drafts/0/completion"), Unit.LISTING),
        ("read the item", READ_ITEM, Unit.LISTING),
    ),
    JobAction.UPDATE: (
        ("read the item", READ_ITEM, Unit.LISTING),
        ("upload a photo", ("POST", "/api/v2/photos"), Unit.PHOTO),
        ("replace the item", ("PUT", "/api/v2/item_upload/items/0"), Unit.LISTING),
        ("read it back", READ_ITEM, Unit.LISTING),
    ),
    JobAction.DELETE: (
        ("delete the item", ("POST", "/api/v2/items/0/delete"), Unit.LISTING),
        ("look whether it is gone", READ_ITEM, Unit.LISTING),
    ),
    JobAction.SYNC: (("read the item", READ_ITEM, Unit.LISTING),),
    JobAction.MESSAGE: (("reply", ("POST", "/api/v2/conversations/0/replies"), Unit.LISTING),),
    JobAction.ORDERS: (("read the orders", ("GET", "/api/v2/my_orders"), Unit.LISTING),),
    JobAction.LINK: (("read the wardrobe", ("GET", "/api/v2/wardrobe/0/items"), Unit.LISTING),),
}
"""In words, what is sent, for each of what; in this order."""


def requests_of(action: JobAction, size: JobSize) -> Iterator[Request]:
    """What a job of this size sends, in order."""
    for _words, request, unit in _REQUESTS.get(action, ()):
        for _ in range(size.get(unit, 0)):
            yield request


def vinted_capabilities(rules: Sequence[PaceRule]) -> Capabilities:
    """Vinted, where an account is worked on by these rules."""

    def quotas(method: str, path: str) -> tuple[Quota, ...]:
        kinds = kinds_of(method, path)
        return tuple(rule.quota for rule in told_of(rules) if rule.kind in kinds)

    return Capabilities(
        costs={
            action: [CallCost(words, unit, quotas(*request)) for words, request, unit in requests]
            for action, requests in _REQUESTS.items()
        },
        seconds_a_call=None,
        shown_together=WARDROBE_PAGES[0],
    )


def told_of(rules: Sequence[PaceRule]) -> Sequence[PaceRule]:
    """Without those that only keep two requests a few seconds apart."""
    return [rule for rule in rules if rule.limit > 1]
