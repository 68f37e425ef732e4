"""A shop that was on eBay before: its listings become products, under the SKUs they have there."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.worker import ebay_workshop_of
from models.selling.catalog import Product
from models.selling.publishing import Channel, JobAction, JobOutcome, ListingStatus
from repositories.selling.catalog import ProductRepository
from services.selling.ebay.importing import EbayImports
from services.selling.listing_imports.importing import ImportWorkshop, ListingImportHandler
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from tests.behaviour.selling.ebay.conftest import CHANNEL, Shop
from tests.serving import Seller

IMPORTS = f"{CHANNEL}/imports"
PAGE = 10


@pytest.fixture(autouse=True)
def photos_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's pictures come from a private address."""
    monkeypatch.setenv("STOFLOW_IMAGES_ALLOW_PRIVATE_ADDRESSES", "true")


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """The same shop; a page of eBay's list has ten SKUs."""
    container = shop.container
    imports = ImportWorkshop(
        container.database, container.object_store, container.image_fetcher, container.clock
    )
    room = EbayImports(ebay_workshop_of(container), PAGE)
    table = {(Channel.EBAY, JobAction.IMPORT): ListingImportHandler(imports, room)}
    shop.handlers = {**shop.handlers, **table}
    shop.processor = MarketplaceJobProcessor(
        container.database,
        shop.handlers,
        LeaseKeeper(container.database, shop.clock, timedelta(seconds=60)),
        shop.clock,
        "worker-1",
    )
    return shop


def stock(shop: Shop, *listings: dict[str, Any], number: int | None = None) -> list[str]:
    """List things at eBay as alice had them before she came to us; eBay's ids."""
    body = {"number": number} if number else {"listings": list(listings)}
    found: list[str] = shop.ebay.control("sellers/alice/stock", body)["listing_ids"]
    return found


def imported(shop: Shop, seller: Seller) -> dict[str, Any]:
    """The import that a seller asks for, when it has ended."""
    started = seller.http.post(IMPORTS)
    assert started.status_code == 202, started.text
    for _ in range(200):
        job = shop.job(started.json()["job_id"])
        if not job.is_live:
            assert job.outcome is JobOutcome.OK, job.problem_detail
            return shown(seller, started.json()["id"])
        shop.clock.advance(max(timedelta(0), job.due_at - shop.clock.now()))
        shop.turn()
    raise AssertionError("it does not end")


def shown(seller: Seller, import_id: int) -> dict[str, Any]:
    """An import as its seller sees it."""
    found: dict[str, Any] = seller.http.get(f"{IMPORTS}/{import_id}").json()
    return found


def rows(seller: Seller, import_id: int) -> list[dict[str, Any]]:
    """The first rows of an import."""
    found: list[dict[str, Any]] = seller.http.get(f"{IMPORTS}/{import_id}/rows").json()["items"]
    return found


def only(outcomes: dict[str, int]) -> dict[str, int]:
    """Outcomes that there are."""
    return {name: number for name, number in outcomes.items() if number}


def product(shop: Shop, product_id: int) -> Product:
    """A product with its variants and photos."""
    with shop.container.database.tenant(shop.tenant) as session:
        [found] = ProductRepository(session).by_ids([product_id])
        return found


def count(shop: Shop) -> int:
    """Products of the shop."""
    with shop.container.database.tenant(shop.tenant) as session:
        return session.scalar(select(func.count()).select_from(Product)) or 0


def cheaper(found: Product) -> None:
    """Lower the price of a product's first variant."""
    found.variants[0].price_minor = 1500


def test_a_listing_becomes_a_product_that_is_updated_and_ended(
    shop: Shop, connected: Seller
) -> None:
    """C2, ST26, B12: under the SKU that eBay knows it by, which no handler could change."""
    [listing_id] = stock(
        shop, {"title": "Patagonia shirt", "sku": "A-1.x", "price": "45.50", "images": ["red"]}
    )
    done = imported(shop, connected)
    assert (done["status"], only(done["outcomes"])) == ("complete", {"created": 1})
    [row] = rows(connected, done["id"])
    assert (row["listing_id"], row["problems"]) == (listing_id, [])
    made = product(shop, row["product_id"])
    [variant] = made.variants
    assert (made.title, made.description, made.brand) == (
        "Patagonia shirt", "A blue shirt.", "Patagonia",
    )  # fmt: skip
    assert (made.condition_code, made.currency, len(made.images)) == ("good", "USD", 1)
    assert (variant.sku, variant.channel_key) == ("A-1.x", "A-1.x")
    assert (variant.price_minor, variant.quantity) == (4550, 3)
    shop.change(made.id, cheaper)
    job = shop.run(made.id, JobAction.UPDATE)
    assert job.outcome is JobOutcome.OK, (job.problem_detail, job.problem_fields)
    [theirs] = shop.live()
    assert (theirs["listing_id"], theirs["price"]) == (listing_id, "15.00")
    assert shop.run(made.id, JobAction.DELETE).outcome is JobOutcome.OK
    assert shop.live() == []


def test_a_group_becomes_a_product_with_variants_and_stays_one_listing(
    shop: Shop, connected: Seller
) -> None:
    """ST26: whatever the group is called there."""
    sizes = {"S": "SH-S", "M": "SH-M", "L": "SH-L"}
    stock(shop, {"title": "Shirt", "sizes": sizes, "group_key": "MINE", "images": ["red"]})
    done = imported(shop, connected)
    assert (done["announced"], only(done["outcomes"])) == (3, {"created": 1})
    [row] = rows(connected, done["id"])
    made = product(shop, row["product_id"])
    assert made.option_names == ["Size"]
    assert [(each.option_values, each.channel_key) for each in made.variants] == [
        ([size], sku) for size, sku in sizes.items()
    ]
    shop.change(made.id, cheaper)
    job = shop.run(made.id, JobAction.UPDATE)
    assert job.outcome is JobOutcome.OK, (job.problem_detail, job.problem_fields)
    [theirs] = shop.live()
    assert (theirs["listing_id"], theirs["group_key"]) == (row["listing_id"], "MINE")
    assert shop.run(made.id, JobAction.DELETE).outcome is JobOutcome.OK
    assert shop.live() == []


def test_pages_are_numbers_and_each_sku_costs_one_call(shop: Shop, connected: Seller) -> None:
    """B15, A4, B17: a second import changes nothing."""
    stock(shop, number=35)
    done: dict[str, Any] = {}
    calls = shop.calls_of(lambda: done.update(imported(shop, connected)))
    assert (done["status"], done["announced"], done["seen"]) == ("complete", 35, 35)
    assert only(done["outcomes"]) == {"created": 35}
    assert calls == {"getInventoryItems": 8, "getOffers": 35}
    assert only(imported(shop, connected)["outcomes"]) == {"unchanged": 35}
    assert count(shop) == 35


def test_a_product_of_ours_takes_the_sku_of_its_listing(shop: Shop, connected: Seller) -> None:
    """B6: linked by the seller's SKU; what is listed nowhere else goes by eBay's from then on."""
    mine = shop.shirt(title="Blue cotton t-shirt")
    sku = product(shop, mine).variants[0].sku
    assert sku is not None
    stock(shop, {"title": "Theirs", "sku": sku, "images": ["red"]})
    done = imported(shop, connected)
    assert only(done["outcomes"]) == {"linked": 1}
    kept = product(shop, mine)
    assert (kept.title, kept.variants[0].channel_key) == ("Blue cotton t-shirt", sku)
    listing = shop.listing(mine)
    assert listing is not None
    assert (listing.status, listing.product_version) == (ListingStatus.LIVE, 0)
    job = shop.run(mine, JobAction.UPDATE)
    assert job.outcome is JobOutcome.OK, (job.problem_detail, job.problem_fields)
    assert [row["title"] for row in shop.live()] == ["Blue cotton t-shirt"]


def test_what_is_not_listed_is_skipped_and_a_broken_row_is_named(
    shop: Shop, connected: Seller
) -> None:
    """B16, C13: what eBay does not say is not nought."""
    stock(
        shop,
        {"title": "Good", "sku": "GOOD1"},
        {"title": "Put away", "sku": "AWAY1", "listed": False},
        {"title": "Broken", "sku": "BROKEN1"},
    )
    shop.ebay.control("items/BROKEN1/unlike", {"fields": {"product": None}})
    done = imported(shop, connected)
    assert done["status"] == "complete"
    assert only(done["outcomes"]) == {"created": 1, "skipped": 1, "failed": 1}
    codes = {row["outcome"]: row["code"] for row in rows(connected, done["id"])}
    assert codes == {"created": None, "skipped": "not-listed", "failed": "listing-unreadable"}


def test_a_condition_that_fits_several_grades_is_left_to_the_seller(
    shop: Shop, connected: Seller
) -> None:
    """C9: nothing is guessed."""
    stock(
        shop,
        {"title": "Shirt", "sku": "A1", "condition": "USED_EXCELLENT", "images": ["red"]},
    )
    done = imported(shop, connected)
    [row] = rows(connected, done["id"])
    assert [problem["field"] for problem in row["problems"]] == ["condition"]
    made = product(shop, row["product_id"])
    assert made.condition_code is None
    job = shop.run(made.id, JobAction.UPDATE)
    assert (job.outcome, [each["field"] for each in job.problem_fields]) == (
        JobOutcome.REJECTED, ["condition"],
    )  # fmt: skip


@pytest.mark.parametrize("how", ["ended", "miscounted"])
def test_a_list_that_does_not_hold_proves_nothing(shop: Shop, connected: Seller, how: str) -> None:
    """A4."""
    ids = stock(shop, number=25)
    started = connected.http.post(IMPORTS).json()
    shop.turn()
    if how == "ended":
        shop.ebay.control(f"listings/{ids[0]}/end")
    else:
        shop.ebay.control("items/miscount", {"by": 2})
    done = imported(shop, connected)
    assert (done["id"], done["status"]) == (started["id"], "partial")
    assert done["doubt"]


@pytest.mark.parametrize("operation", ["getInventoryItems", "getOffers"])
def test_a_lost_answer_is_asked_for_again(shop: Shop, connected: Seller, operation: str) -> None:
    """B15, E1."""
    stock(shop, number=15)
    shop.lose_an_answer(operation)
    done = imported(shop, connected)
    assert (done["status"], only(done["outcomes"])) == ("complete", {"created": 15})
    assert count(shop) == 15
