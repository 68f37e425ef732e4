"""What a job costs on eBay, as data. tests/behaviour/selling/ebay holds it against the sandbox."""

from collections.abc import Mapping, Sequence

from models.selling.publishing import JobAction
from services.gateways.ebay.quotas import EbayQuotas
from services.selling.publishing.channels import CallCost, Capabilities, Fee, Unit

SECONDS_A_CALL = (0.2, 1.0)
"""An assumption; a shop with jobs of its own is told what these took."""

_INVENTORY = ("PUT", "/sell/inventory")
_MEDIA = ("POST", "/commerce/media")
_TAXONOMY = ("GET", "/commerce/taxonomy")
_METADATA = ("GET", "/sell/metadata")

_Call = tuple[str, Unit, tuple[str, str]]

_BEFORE: Sequence[_Call] = (
    ("getDefaultCategoryTreeId", Unit.CATEGORY, _TAXONOMY),
    ("getItemAspectsForCategory", Unit.CATEGORY, _TAXONOMY),
    ("getItemConditionPolicies", Unit.CATEGORY, _METADATA),
    ("createImageFromFile", Unit.PHOTO, _MEDIA),
    ("createOrReplaceInventoryItem", Unit.VARIANT, _INVENTORY),
    ("createOrReplaceInventoryItemGroup", Unit.GROUP, _INVENTORY),
)
_READ_BACK: Sequence[_Call] = (
    ("getOffer", Unit.VARIANT, _INVENTORY),
    ("getInventoryItem", Unit.LISTING, _INVENTORY),
    ("getInventoryItemGroup", Unit.GROUP, _INVENTORY),
)
_CALLS: Mapping[JobAction, Sequence[_Call]] = {
    JobAction.PUBLISH: (
        *_BEFORE,
        ("createOffer", Unit.VARIANT, _INVENTORY),
        ("publishOffer", Unit.LISTING, _INVENTORY),
        ("publishOfferByInventoryItemGroup", Unit.GROUP, _INVENTORY),
        *_READ_BACK,
    ),
    JobAction.UPDATE: (*_BEFORE, ("updateOffer", Unit.VARIANT, _INVENTORY), *_READ_BACK),
    JobAction.SYNC: _READ_BACK,
    JobAction.DELETE: (
        ("withdrawOffer", Unit.LISTING, _INVENTORY),
        ("withdrawOfferByInventoryItemGroup", Unit.GROUP, _INVENTORY),
        ("getOffer", Unit.VARIANT, _INVENTORY),
    ),
}

_FEES: Mapping[JobAction, Sequence[Fee]] = {
    JobAction.PUBLISH: (
        Fee(
            "insertion-fee",
            "eBay charges an insertion fee once the month's free listings are used up, and a final "
            "value fee when it is sold. How many are left and what yours are, eBay alone knows.",
            None,
        ),
    )
}


def ebay_capabilities(quotas: EbayQuotas) -> Capabilities:
    """eBay's declaration, with the call quotas of this installation's keyset."""
    return Capabilities(
        costs={
            action: [
                CallCost(operation, unit, tuple(quotas.of(method, path)))
                for operation, unit, (method, path) in calls
            ]
            for action, calls in _CALLS.items()
        },
        seconds_a_call=SECONDS_A_CALL,
        fees=_FEES,
    )
