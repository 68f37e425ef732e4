"""Stores the inventory items of a listing: one alone, variants 25 at a time."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from services.gateways.ebay.bulk import in_packs
from services.gateways.ebay.gateway import SellerApis
from services.selling.ebay.drafts import ListingDraft


class Once(Protocol):
    """Does something unless an earlier attempt of the job has, and tells the job's story."""

    def __call__(self, key: str, name: str, act: Callable[[], object], /) -> None: ...


class Revise(Protocol):
    """As `Once`, where each item is a change of a live listing."""

    def __call__(self, key: str, name: str, act: Callable[[], object], /, changes: int) -> None: ...


def store_items(
    draft: ListingDraft, apis: SellerApis, image_urls: Sequence[str], once: Once
) -> None:
    """Store the items of a listing that is not live. Raises what the gateway raises."""
    for key, name, act, _items in _writes(draft, apis, image_urls):
        once(key, name, act)


def revise_items(
    draft: ListingDraft, apis: SellerApis, image_urls: Sequence[str], revise: Revise
) -> None:
    """Store the items of a live listing. Raises what the gateway raises."""
    for key, name, act, items in _writes(draft, apis, image_urls):
        revise(key, name, act, changes=items)


def _writes(
    draft: ListingDraft, apis: SellerApis, image_urls: Sequence[str]
) -> Sequence[tuple[str, str, Callable[[], object], int]]:
    """Of each call its key, its name in the story, what it does, and how many items it stores."""
    version = draft.product_version
    if draft.group_key is None:
        variant = draft.variants[0]
        put = partial(apis.inventory.put_item, draft.item(variant, image_urls))
        return [(f"item {variant.sku} @{version}", "stored the item", put, 1)]
    return [
        (
            f"items {pack[0].sku} and {len(pack) - 1} more @{version}",
            "stored items",
            partial(apis.inventory.put_items, [draft.item(each, image_urls) for each in pack]),
            len(pack),
        )
        for pack in in_packs(draft.variants)
    ]
