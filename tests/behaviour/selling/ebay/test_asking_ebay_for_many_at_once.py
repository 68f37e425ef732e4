"""Variants go to eBay 25 in a call, and what changed in price and stock alone goes alone."""

from collections.abc import Mapping

import pytest

from models.selling.publishing import JobAction, JobOutcome, JobStatus
from services.gateways.ebay.quotas import REVISIONS, listing_account
from tests.behaviour.selling.ebay.conftest import Shop

PRICES = "bulkUpdatePriceQuantity"


def sizes(number: int) -> list[str]:
    return [f"{each}L" for each in range(1, number + 1)]


def cheaper(shop: Shop, product_id: int) -> None:
    def act(product: object) -> None:
        for variant in product.variants:  # type: ignore[attr-defined]
            variant.price_minor -= 500
            variant.quantity += 1

    shop.change(product_id, act)


@pytest.mark.parametrize(("variants", "packs"), [(2, 1), (25, 1), (26, 2)])
def test_so_many_calls_list_so_many_variants(shop: Shop, variants: int, packs: int) -> None:
    """E7: two for each 25 instead of two for each; only looking at the result takes one each."""
    product_id = shop.shirt(sizes=sizes(variants))
    calls = shop.calls_of(lambda: shop.run(product_id))
    assert calls == {
        "createImageFromFile": 1,
        "bulkCreateOrReplaceInventoryItem": packs,
        "bulkCreateOffer": packs,
        "createOrReplaceInventoryItemGroup": 1,
        "publishOfferByInventoryItemGroup": 1,
        "getOffer": variants,
        "getInventoryItemGroup": 1,
    }
    one_by_one = 1 + 3 * variants + 3
    assert sum(calls.values()) == one_by_one - 2 * (variants - packs)
    [live] = shop.live()
    assert len(live["variations"]) == variants


def update(shop: Shop, product_id: int) -> Mapping[str, int]:
    calls = shop.calls_of(lambda: shop.run(product_id, JobAction.UPDATE))
    return {name: number for name, number in calls.items() if not name.startswith("get")}


@pytest.mark.parametrize(("variants", "packs"), [(1, 1), (3, 1), (26, 2)])
def test_prices_and_stock_go_in_calls_of_their_own(shop: Shop, variants: int, packs: int) -> None:
    """B12, E7: one call where there were two for each variant and one for the group."""
    product_id = shop.shirt(sizes=sizes(variants))
    shop.run(product_id)
    cheaper(shop, product_id)
    assert update(shop, product_id) == {PRICES: packs}
    [live] = shop.live()
    shown = live["variations"] or [live]
    assert [row["price"] for row in shown] == [f"{20 + (n + 1) / 100:.2f}" for n in range(variants)]
    assert [row["quantity"] for row in shown] == [n + 2 for n in range(variants)]
    listing = shop.listing(product_id)
    assert listing is not None
    assert (listing.product_version, listing.read_back["differences"]) == (2, [])
    spent = shop.container.call_ledger.states(
        [REVISIONS], listing_account(shop.tenant.name, live["listing_id"])
    )
    assert spent[0].used == variants == next(iter(live["revisions"].values()))


def test_everything_is_sent_when_more_than_prices_changed(shop: Shop) -> None:
    """B12: and when somebody asks anew for what was sent already, to mend what is there."""
    product_id = shop.shirt(sizes=("M", "L"))
    shop.run(product_id)
    whole = {
        "bulkCreateOrReplaceInventoryItem": 1,
        "updateOffer": 2,
        "createOrReplaceInventoryItemGroup": 1,
    }
    assert update(shop, product_id) == whole
    shop.change(product_id, lambda product: setattr(product, "description", "Bluer."))
    assert update(shop, product_id) == whole
    shop.change(product_id, lambda product: setattr(product.variants[0], "weight_grams", 300))
    assert update(shop, product_id) == whole
    cheaper(shop, product_id)
    assert update(shop, product_id) == {PRICES: 1}


def test_what_ebay_shows_otherwise_is_mended_with_the_next_price(shop: Shop) -> None:
    """C1: a title that was changed over there does not stay because only the price is new."""
    product_id = shop.shirt()
    shop.run(product_id)
    [live] = shop.live()
    alice = shop.ebay.shop("alice")
    item = alice.read(f"/inventory_item/{live['sku']}").json()
    item["product"]["title"] = "Somebody else's words"
    alice.write("PUT", f"/inventory_item/{live['sku']}", item)
    cheaper(shop, product_id)
    assert update(shop, product_id) == {PRICES: 1}
    listing = shop.listing(product_id)
    assert listing is not None
    assert [each["field"] for each in listing.read_back["differences"]] == ["title"]
    cheaper(shop, product_id)
    assert update(shop, product_id) == {"createOrReplaceInventoryItem": 1, "updateOffer": 1}
    assert shop.live()[0]["title"] == live["title"]


@pytest.mark.parametrize("kind", ["timeout_after_success", "http_500"])
def test_a_lost_answer_about_prices_is_followed_by_the_same_prices(shop: Shop, kind: str) -> None:
    """B1: they replace what was there, so a repeat does no harm."""
    product_id = shop.shirt(sizes=("M", "L"))
    shop.run(product_id)
    cheaper(shop, product_id)
    shop.spoil(PRICES, kind)
    assert shop.run(product_id, JobAction.UPDATE).outcome is JobOutcome.OK
    [live] = shop.live()
    assert [row["price"] for row in live["variations"]] == ["20.01", "20.02"]


def test_prices_of_what_has_ended_on_ebay_are_not_sent_again(shop: Shop) -> None:
    """C1: our books follow eBay."""
    product_id = shop.shirt()
    shop.run(product_id)
    shop.ebay.shop("alice").delete(f"/inventory_item/{shop.live()[0]['sku']}")
    cheaper(shop, product_id)
    job = shop.run(product_id, JobAction.UPDATE)
    assert job.problem_code == "listing-ended"


def test_some_of_many_offers_that_were_refused_leave_the_others_to_be_found(shop: Shop) -> None:
    """B1, B2: a row that fails is no reason to create the others twice."""
    product_id = shop.shirt(sizes=("M", "L", "XL"))
    skus = []

    def spoil(product: object) -> None:
        skus.extend(variant.channel_key for variant in product.variants)  # type: ignore[attr-defined]

    shop.change(product_id, spoil)
    shop.lose_an_answer("bulkCreateOffer")
    job_id = shop.ask(product_id)
    shop.turn()
    waiting = shop.job(job_id)
    assert (waiting.status, waiting.outcome) == (JobStatus.PENDING, JobOutcome.UNKNOWN)
    alice = shop.ebay.shop("alice")
    kept = alice.read(f"/offer?sku={skus[0]}").json()["offers"][0]["offerId"]
    for sku in skus[1:]:
        offer = alice.read(f"/offer?sku={sku}").json()["offers"][0]
        alice.delete(f"/offer/{offer['offerId']}")
    assert shop.finish(job_id).outcome is JobOutcome.OK
    [live] = shop.live()
    assert kept in live["offer_ids"]
    assert len(live["variations"]) == 3
