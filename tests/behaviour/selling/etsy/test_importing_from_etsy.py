"""A shop that was on Etsy before: its listings become products, whatever happens on the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from backend.worker import etsy_workshop_of
from models.selling.catalog import Product
from models.selling.listing_imports import ListingImportRow
from models.selling.publishing import Channel, JobAction, JobOutcome, ListingStatus
from repositories.selling.catalog import ProductRepository
from repositories.selling.etsy import EtsyChoiceRepository
from services.selling.etsy.importing import EtsyImports
from services.selling.listing_imports.importing import ImportWorkshop, ListingImportHandler
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from shared.clock import MovableClock
from tests.behaviour.selling.etsy.conftest import CHANNEL, Shop, sign_in_again
from tests.serving import Seller, assert_problem, sign_up

IMPORTS = f"{CHANNEL}/imports"
PAGE = 10


@pytest.fixture(autouse=True)
def photos_from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's pictures come from a private address."""
    monkeypatch.setenv("STOFLOW_IMAGES_ALLOW_PRIVATE_ADDRESSES", "true")


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """The same shop; a page of Etsy's list has ten listings."""
    container = shop.container
    imports = ImportWorkshop(
        container.database, container.object_store, container.image_fetcher, container.clock
    )
    rooms = EtsyImports(etsy_workshop_of(container), PAGE)
    table = {(Channel.ETSY, JobAction.IMPORT): ListingImportHandler(imports, rooms)}
    shop.handlers = {**shop.handlers, **table}
    shop.processor = worker(shop)
    return shop


def worker(shop: Shop, name: str = "worker-1") -> MarketplaceJobProcessor:
    """A process that runs jobs when told to."""
    leases = LeaseKeeper(shop.container.database, shop.clock, timedelta(seconds=60))
    return MarketplaceJobProcessor(shop.container.database, shop.handlers, leases, shop.clock, name)


def stock(shop: Shop, *listings: dict[str, Any], number: int | None = None) -> list[int]:
    """List things at Etsy as alice had them before she came to us; Etsy's ids."""
    body = {"number": number} if number else {"listings": list(listings)}
    found: list[int] = shop.etsy.control("sellers/alice/stock", body)["listing_ids"]
    return found


def start(seller: Seller) -> dict[str, Any]:
    """Ask for an import."""
    answer = seller.http.post(IMPORTS)
    assert answer.status_code == 202, answer.text
    started: dict[str, Any] = answer.json()
    return started


def shown(seller: Seller, import_id: int) -> dict[str, Any]:
    """An import as its seller sees it."""
    answer = seller.http.get(f"{IMPORTS}/{import_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rows(seller: Seller, import_id: int, **query: Any) -> list[dict[str, Any]]:
    """All rows of an import, page after page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        params = {**query, **({"cursor": cursor} if cursor else {})}
        page = seller.http.get(f"{IMPORTS}/{import_id}/rows", params=params).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def imported(shop: Shop, seller: Seller) -> dict[str, Any]:
    """The import that a seller asks for, when it has ended."""
    started = start(seller)
    job = shop.finish(started["job_id"])
    assert job.outcome is JobOutcome.OK, job.problem_detail
    return shown(seller, started["id"])


def only(outcomes: dict[str, int]) -> dict[str, int]:
    """Outcomes that there are."""
    return {name: number for name, number in outcomes.items() if number}


def count(shop: Shop, model: type[Any]) -> int:
    """Rows of a table."""
    with shop.container.database.tenant(shop.tenant) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def product(shop: Shop, product_id: int) -> Product:
    """A product with its variants and photos."""
    with shop.container.database.tenant(shop.tenant) as session:
        [found] = ProductRepository(session).by_ids([product_id])
        return found


def listing_id_of(shop: Shop, product_id: int) -> str:
    """Etsy's id of a product's listing."""
    listing = shop.listing(product_id)
    assert listing is not None
    return listing.listing_id


def test_a_listing_becomes_a_product_with_all_that_it_had(shop: Shop, connected: Seller) -> None:
    """C2, ST26: price, quantity, words, photos in order, what only Etsy asks for."""
    [listing_id] = stock(
        shop,
        {
            "title": "Robe d&#39;été",
            "description": "Worn once.",
            "price": 4550,
            "quantity": 2,
            "sku": "ROBE1",
            "images": ["red", "green"],
            "tags": ["robe"],
        },
    )
    done = imported(shop, connected)
    assert (done["status"], done["announced"], done["seen"], done["doubt"]) == (
        "complete", 1, 1, None,
    )  # fmt: skip
    [row] = rows(connected, done["id"])
    assert (row["outcome"], row["listing_id"]) == ("created", str(listing_id))
    made = product(shop, row["product_id"])
    [variant] = made.variants
    assert (made.title, made.description, made.status) == ("Robe d'été", "Worn once.", "active")
    assert (variant.price_minor, variant.quantity, made.currency) == (4550, 2, "USD")
    assert (variant.sku, variant.channel_key, made.tags) == ("ROBE1", "ROBE1", ["robe"])
    theirs = next(each for each in shop.live() if each["listing_id"] == listing_id)
    assert [image.sha256 for image in made.images] == [each["sha256"] for each in theirs["images"]]
    assert all(shop.container.object_store.exists(image.object_key) for image in made.images)
    listing = shop.listing(made.id)
    assert listing is not None
    assert (listing.status, listing.product_version) == (ListingStatus.LIVE, made.version)
    with shop.container.database.tenant(shop.tenant) as session:
        choice = EtsyChoiceRepository(session).by_products([made.id])[made.id]
    assert (choice.who_made, choice.when_made) == ("someone_else", "1990s")
    assert choice.taxonomy_id == 449 or made.category_code is not None


def test_what_was_imported_is_updated_and_ended_like_anything_else(
    shop: Shop, connected: Seller
) -> None:
    """ST26, B12: nothing is missing that the ordinary handlers need, and no photo goes twice."""
    [listing_id] = stock(shop, {"title": "Blue shirt", "sku": "A-1", "price": 2000})
    done = imported(shop, connected)
    [row] = rows(connected, done["id"])
    product_id = row["product_id"]

    def cheaper(found: Product, _session: Any) -> None:
        found.variants[0].price_minor = 1500

    shop.change(product_id, cheaper)
    calls = shop.calls_of(lambda: shop.run(product_id, JobAction.UPDATE))
    assert "uploadListingImage" not in calls
    [theirs] = shop.live()
    assert (theirs["listing_id"], theirs["price"]) == (listing_id, 1500)
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.read_back["differences"] == []
    assert shop.end(product_id).outcome is JobOutcome.OK
    assert shop.live() == []


def test_two_hundred_and_fifty_listings_come_page_by_page_and_once(
    shop: Shop, connected: Seller
) -> None:
    """B15, A4, B17: calls are those of the pages, twice; a second import changes nothing."""
    stock(shop, number=250)
    done: dict[str, Any] = {}
    calls = shop.calls_of(lambda: done.update(finished(shop, start(connected), connected)))
    assert (done["status"], done["announced"], done["seen"]) == ("complete", 250, 250)
    assert (done["pages_read"], done["pages_checked"]) == (25, 25)
    assert only(done["outcomes"]) == {"created": 250}
    assert calls == {"getListingsByShop": 50}
    again = finished(shop, start(connected), connected)
    assert only(again["outcomes"]) == {"unchanged": 250}
    assert count(shop, Product) == 250


def finished(shop: Shop, started: dict[str, Any], seller: Seller) -> dict[str, Any]:
    """Work, however many pages there are, until an import has ended."""
    for _ in range(200):
        if not shop.job(started["job_id"]).is_live:
            return shown(seller, started["id"])
        shop.turn()
    raise AssertionError("it does not end")


def test_a_sku_of_ours_is_linked_and_never_doubled(shop: Shop, connected: Seller) -> None:
    """B6, A6: whether the seller's own SKU or our key; our record stays the truth."""
    mine, keyed = shop.shirt(title="Mine"), shop.shirt(title="Keyed")
    first, second = product(shop, mine).variants[0], product(shop, keyed).variants[0]
    stock(
        shop,
        {"title": "Theirs", "sku": first.sku, "price": 99, "images": ["red"]},
        {"title": "Ours", "sku": second.channel_key, "images": ["green"]},
    )
    done = imported(shop, connected)
    assert only(done["outcomes"]) == {"linked": 2}
    assert {row["product_id"] for row in rows(connected, done["id"])} == {mine, keyed}
    assert count(shop, Product) == 2
    kept = product(shop, mine)
    assert (kept.title, kept.variants[0].price_minor) == ("Mine", first.price_minor)
    assert kept.variants[0].channel_key == first.channel_key
    listing = shop.listing(mine)
    assert listing is not None
    assert listing.product_version == 0


def test_a_second_listing_of_the_same_sku_is_listed_with_its_reason(
    shop: Shop, connected: Seller
) -> None:
    """B3, B16."""
    stock(shop, {"title": "One", "sku": "A1"}, {"title": "Two", "sku": "A1", "images": ["red"]})
    done = imported(shop, connected)
    assert only(done["outcomes"]) == {"created": 1, "failed": 1}
    [row] = rows(connected, done["id"], outcome="failed")
    assert (row["code"], count(shop, Product)) == ("listed-twice", 1)


@pytest.mark.parametrize(
    ("listing", "why"),
    [
        ({"title": "blue COTTON  t-shirt", "images": ["red"]}, "same title"),
        ({"title": "Something else", "images": ["#010203"]}, "same photo"),
    ],
)
def test_what_only_looks_alike_is_suggested_and_the_seller_decides(
    shop: Shop, connected: Seller, listing: dict[str, Any], why: str
) -> None:
    """B2: nothing is linked by its title or photo unasked."""
    mine = shop.shirt(title="Blue cotton t-shirt")
    if why == "same photo":
        show_the_same_photo(shop, mine, "#010203")
    stock(shop, {"sku": "Q1", **listing})
    done = imported(shop, connected)
    assert only(done["outcomes"]) == {"suggested": 1}
    [row] = rows(connected, done["id"], outcome="suggested")
    assert (row["candidates"], row["code"], row["product_id"]) == ([mine], "looks-alike", None)
    assert (shop.listing(mine), count(shop, Product)) == (None, 1)
    link = f"{IMPORTS}/{done['id']}/rows/{row['id']}/link"
    for _ in range(2):
        answer = connected.http.post(link)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "linked"), answer.text
        assert answer.json()["product_id"] == mine
    assert shop.listing(mine) is not None
    assert only(shown(connected, done["id"])["outcomes"]) == {"linked": 1}
    create = connected.http.post(f"{IMPORTS}/{done['id']}/rows/{row['id']}/create")
    assert_problem(create, 409, "nothing-to-decide")


def show_the_same_photo(shop: Shop, product_id: int, colour: str) -> None:
    """Give a product, as its main photo, the very picture that a listing will have."""
    [listing_id] = stock(shop, {"title": "gone", "images": [colour]})
    [image] = next(each for each in shop.live() if each["listing_id"] == listing_id)["images"]
    shop.etsy.control(f"listings/{listing_id}/end")

    def shows(found: Product, _session: Any) -> None:
        found.images[0].sha256 = image["sha256"]

    shop.change(product_id, shows)


def test_a_rejected_suggestion_is_a_product_of_its_own(shop: Shop, connected: Seller) -> None:
    """B2, C2: with the photos that were stored when it was read; Etsy is not asked again."""
    mine = shop.shirt(title="Blue cotton t-shirt")
    stock(shop, {"title": "Blue cotton t-shirt", "sku": "Q1", "images": ["red", "green"]})
    done = imported(shop, connected)
    [row] = rows(connected, done["id"])
    create = f"{IMPORTS}/{done['id']}/rows/{row['id']}/create"
    answers: list[httpx.Response] = []

    def decide() -> None:
        answers.extend(connected.http.post(create) for _ in range(2))

    assert shop.calls_of(decide) == {}
    first, second = (answer.json() for answer in answers)
    assert first == second
    assert first["outcome"] == "created"
    assert first["product_id"] != mine
    made = product(shop, first["product_id"])
    assert (len(made.images), made.variants[0].sku) == (2, "Q1")
    assert shop.listing(made.id) is not None


def test_variants_become_variants(shop: Shop, connected: Seller) -> None:
    """ST26: and an order of one of them, under the seller's own SKU, is found."""
    stock(shop, {"title": "Shirt", "sizes": {"S": "SH-S", "M": "SH-M"}, "quantity": 4})
    done = imported(shop, connected)
    [row] = rows(connected, done["id"])
    made = product(shop, row["product_id"])
    assert made.option_names == ["Size"]
    assert [(each.option_values, each.sku, each.quantity) for each in made.variants] == [
        (["S"], "SH-S", 4),
        (["M"], "SH-M", 4),
    ]
    shop.etsy.control("orders", {"sku": "SH-M", "quantity": 1, "pay": True})
    shop.finish(ask_for_orders(shop, connected))
    assert [each.quantity for each in product(shop, made.id).variants] == [4, 3]


def ask_for_orders(shop: Shop, seller: Seller) -> int:
    """Have orders read; returns the job."""
    answer = seller.http.post("/api/v1/orders/sync", json={"channels": ["etsy"]})
    assert answer.status_code == 202, answer.text
    [job] = answer.json()["items"] if "items" in answer.json() else answer.json()["jobs"]
    return int(job["job_id"])


def test_what_was_sold_before_the_import_is_in_the_stock_already(
    shop: Shop, connected: Seller
) -> None:
    """A8, A9: an order that is read late takes nothing a second time."""
    shop.clock.advance(datetime.now(UTC) - shop.clock.now())
    sign_in_again(connected)
    stock(shop, {"title": "Shirt", "sku": "OLD1", "quantity": 5})
    shop.etsy.control("orders", {"sku": "OLD1", "quantity": 2, "pay": True})
    shop.clock.advance(timedelta(minutes=5))
    done = imported(shop, connected)
    [row] = rows(connected, done["id"])
    shop.finish(ask_for_orders(shop, connected))
    assert product(shop, row["product_id"]).quantity == 3


def test_a_bad_row_is_listed_with_its_reason_and_stops_no_other(
    shop: Shop, connected: Seller
) -> None:
    """B16, C12: no price is no price, not nought."""
    ids = stock(shop, number=12)
    shop.etsy.control(f"listings/{ids[3]}/unlike", {"fields": {"title": None}})
    shop.etsy.control(f"listings/{ids[7]}/unlike", {"fields": {"inventory": None}})
    shop.etsy.control(f"listings/{ids[9]}/unlike", {"fields": {"listing_type": "download"}})
    done = imported(shop, connected)
    assert (done["status"], only(done["outcomes"])) == ("complete", {"created": 9, "failed": 3})
    failed = {row["listing_id"]: row for row in rows(connected, done["id"], outcome="failed")}
    assert set(failed) == {str(ids[3]), str(ids[7]), str(ids[9])}
    assert failed[str(ids[9])]["code"] == "digital-listing"
    assert all(row["reason"] for row in failed.values())


def test_a_row_that_our_rules_refuse_names_the_fields(shop: Shop, connected: Seller) -> None:
    """B16, C12."""
    [listing_id] = stock(shop, {"title": "Shirt", "sku": "A1"})
    shop.etsy.control(f"listings/{listing_id}/unlike", {"fields": {"title": "x" * 300}})
    done = imported(shop, connected)
    [row] = rows(connected, done["id"])
    assert (row["outcome"], row["code"]) == ("failed", "product-invalid")
    assert [problem["field"] for problem in row["problems"]] == ["title"]
    assert count(shop, Product) == 0


def test_a_photo_that_is_gone_is_named_and_the_others_are_kept(
    shop: Shop, connected: Seller
) -> None:
    """C2, C1."""
    stock(shop, {"title": "Shirt", "images": ["red", "green", "blue"]})
    [theirs] = shop.live()
    shop.etsy.control(f"images/{theirs['images'][1]['image_id']}/lose")
    done = imported(shop, connected)
    [row] = rows(connected, done["id"])
    assert row["outcome"] == "created"
    assert [problem["field"] for problem in row["problems"]] == ["images.1"]
    made = product(shop, row["product_id"])
    assert [image.position for image in made.images] == [1, 2]
    assert len(made.missing_images) == 1


def test_a_worker_that_dies_between_pages_or_in_one_loses_nothing(
    shop: Shop, connected: Seller
) -> None:
    """B15, G1: another goes on with the page that was not behind us; no listing comes twice."""
    stock(shop, number=35)
    started = start(connected)
    shop.turn()
    with pytest.raises(Killed):
        worker_that_dies(shop, after=13).process_next_job(JobAction.IMPORT.lane)
    assert shown(connected, started["id"])["pages_read"] == 1
    assert count(shop, Product) > PAGE
    shop.clock.advance(timedelta(minutes=2))
    done = finished(shop, started, connected)
    assert (done["status"], only(done["outcomes"])) == ("complete", {"created": 35})
    assert count(shop, Product) == 35
    assert count(shop, ListingImportRow) == 35


class Killed(BaseException):
    """What no handler catches, as a SIGKILL."""


def worker_that_dies(shop: Shop, after: int) -> MarketplaceJobProcessor:
    """One that is gone when so many products are there."""
    container = shop.container

    class Dying(MovableClock):
        """Asked for the time before each row."""

        def now(self) -> Any:
            if count(shop, Product) >= after:
                raise Killed
            return shop.clock.now()

    imports = ImportWorkshop(
        container.database,
        container.object_store,
        container.image_fetcher,
        Dying(shop.clock.now()),
    )
    rooms = EtsyImports(etsy_workshop_of(container), PAGE)
    table = {(Channel.ETSY, JobAction.IMPORT): ListingImportHandler(imports, rooms)}
    leases = LeaseKeeper(container.database, shop.clock, timedelta(seconds=60))
    return MarketplaceJobProcessor(container.database, table, leases, shop.clock, "worker-2")


@pytest.mark.parametrize("kind", ["lost_answer", "http_503", "http_429", "http_500"])
def test_a_page_that_fails_or_whose_answer_is_lost_is_read_again(
    shop: Shop, connected: Seller, kind: str
) -> None:
    """B15, E1: and what was taken over stays."""
    stock(shop, number=25)
    started = start(connected)
    shop.turn()
    more = {"retry_after_s": 7} if kind == "http_429" else {}
    shop.etsy.fault("getListingsByShop", kind, **more)
    shop.turn()
    assert shown(connected, started["id"])["pages_read"] == 1
    job = shop.finish(started["job_id"])
    done = shown(connected, started["id"])
    assert job.outcome is JobOutcome.OK
    assert (done["status"], only(done["outcomes"])) == ("complete", {"created": 25})


@pytest.mark.parametrize("when", ["read", "checked"])
def test_a_list_that_changes_while_it_is_read_proves_nothing(
    shop: Shop, connected: Seller, when: str
) -> None:
    """A4: what we believe to be for sale and was not seen is left alone."""
    mine = shop.shirt(title="Mine")
    assert shop.run(mine).outcome is JobOutcome.OK
    ids = stock(shop, number=25)
    shop.clock.advance(timedelta(minutes=1))
    started = start(connected)
    for _ in range(1 if when == "read" else 3):
        shop.turn()
    shop.etsy.control(f"listings/{ids[-1]}/end")
    shop.etsy.control(f"listings/{listing_id_of(shop, mine)}/end")
    stock(shop, {"title": "New", "sku": "NEW1"}, {"title": "Newer", "sku": "NEW2"})
    done = finished(shop, started, connected)
    assert done["status"] == "partial"
    assert done["doubt"]
    assert "absent" not in only(done["outcomes"])
    listing = shop.listing(mine)
    assert listing is not None
    assert listing.status is ListingStatus.LIVE


def test_a_count_that_is_not_reached_proves_nothing(shop: Shop, connected: Seller) -> None:
    """A4: announced is not seen."""
    stock(shop, number=12)
    shop.etsy.control("listings/miscount", {"by": 3})
    done = imported(shop, connected)
    assert (done["status"], done["announced"], done["seen"]) == ("partial", 15, 12)
    assert only(done["outcomes"]) == {"created": 12}


def test_only_a_complete_snapshot_says_what_is_not_for_sale_any_more(
    shop: Shop, connected: Seller
) -> None:
    """A4: and it only says so; nothing is marked as sold or ended."""
    mine = shop.shirt(title="Mine")
    assert shop.run(mine).outcome is JobOutcome.OK
    stock(shop, number=3)
    shop.etsy.control(f"listings/{listing_id_of(shop, mine)}/end")
    shop.clock.advance(timedelta(minutes=1))
    done = imported(shop, connected)
    assert only(done["outcomes"]) == {"created": 3, "absent": 1}
    [row] = rows(connected, done["id"], outcome="absent")
    assert row["product_id"] == mine
    listing = shop.listing(mine)
    assert listing is not None
    assert listing.status is ListingStatus.LIVE


def test_asked_twice_it_is_one_import(shop: Shop, connected: Seller) -> None:
    """B3, A7."""
    stock(shop, number=12)
    first = start(connected)
    assert start(connected) == first
    shop.turn()
    assert start(connected)["id"] == first["id"]
    finished(shop, first, connected)
    second = start(connected)
    assert second["id"] != first["id"]
    listed = connected.http.get(IMPORTS).json()
    assert [each["id"] for each in listed["items"]] == [second["id"], first["id"]]


def test_a_stopped_import_says_so_and_goes_on_where_it_was(shop: Shop, connected: Seller) -> None:
    """B15."""
    stock(shop, number=25)
    started = start(connected)
    shop.turn()
    shop.cancel(started["job_id"])
    assert shown(connected, started["id"])["status"] == "stopped"
    again = start(connected)
    assert (again["id"], again["pages_read"]) == (started["id"], 1)
    assert again["job_id"] != started["job_id"]
    done = finished(shop, again, connected)
    assert (done["status"], only(done["outcomes"])) == ("complete", {"created": 25})


def test_without_an_account_there_is_nothing_to_import(seller: Seller) -> None:
    """ST26."""
    assert_problem(seller.http.post(IMPORTS), 409, "nothing-to-import-from")
    assert_problem(seller.http.post("/api/v1/channels/vinted/imports"), 404, "not-importable")


def test_shops_do_not_see_each_others_imports(shop: Shop, connected: Seller, stage: Any) -> None:
    """X2."""
    stock(shop, number=2)
    done = imported(shop, connected)
    [row, _] = rows(connected, done["id"])
    with httpx.Client(base_url=stage.url) as api:
        other = sign_up(api)
    assert other.http.get(IMPORTS).json()["items"] == []
    assert_problem(other.http.get(f"{IMPORTS}/{done['id']}"), 404, "import-not-found")
    assert_problem(other.http.get(f"{IMPORTS}/{done['id']}/rows"), 404, "import-not-found")
    for deed in ("link", "create"):
        answer = other.http.post(f"{IMPORTS}/{done['id']}/rows/{row['id']}/{deed}")
        assert_problem(answer, 404, "import-row-not-found")
    with shop.container.database.tenant(other.tenant) as session:
        assert session.scalar(select(func.count()).select_from(Product)) == 0
        assert session.scalar(select(func.count()).select_from(ListingImportRow)) == 0


def test_a_suggestion_cannot_be_linked_to_what_does_not_fit(shop: Shop, connected: Seller) -> None:
    """B2: variants that the product lacks would be lost with the next update."""
    mine = shop.shirt(title="Shirt")
    stock(shop, {"title": "Shirt", "sizes": {"S": "SS", "M": "MM"}})
    done = imported(shop, connected)
    [row] = rows(connected, done["id"])
    assert row["outcome"] == "suggested"
    link = f"{IMPORTS}/{done['id']}/rows/{row['id']}/link"
    assert_problem(connected.http.post(link), 409, "listing-not-linkable")
    strange = connected.http.post(link, json={"product_id": 987654})
    assert_problem(strange, 404, "product-not-found")
    assert shop.listing(mine) is None
    assert rows(connected, done["id"]) == [row]


def test_a_deleted_products_sku_makes_a_new_product(shop: Shop, connected: Seller) -> None:
    """B6."""
    stock(shop, {"title": "Shirt", "sku": "AGAIN1"})
    done = imported(shop, connected)
    [row] = rows(connected, done["id"])
    shop.end(row["product_id"])
    gone = connected.http.get(f"/api/v1/products/{row['product_id']}")
    deleted = connected.http.delete(
        f"/api/v1/products/{row['product_id']}", headers={"If-Match": gone.headers["etag"]}
    )
    assert deleted.status_code == 204, deleted.text
    stock(shop, {"title": "Shirt", "sku": "AGAIN1"})
    again = imported(shop, connected)
    [fresh] = rows(connected, again["id"])
    assert fresh["outcome"] == "created"
    assert fresh["product_id"] != row["product_id"]
