"""What Etsy would refuse and what a job costs there, said without asking it."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.handlers import channel_table
from models.selling.catalog import Product
from models.selling.category_choices import CategoryChoice
from models.selling.publishing import Channel, JobAction
from repositories.selling.category_choices import CategoryChoiceRepository
from services.gateways.ebay.quotas import EbayQuotas
from services.selling.etsy.rules import left_out_tags, usable_tags
from services.selling.publishing.channels import Preflight
from services.selling.vinted.pacing import Pacing
from shared.clock import MovableClock
from shared.database import Database, TenantSession
from tests.behaviour.selling.etsy.conftest import CHANNEL, MADE, SHIRTS, Shop
from tests.factories.ebay import make_photo
from tests.factories.reference import load_catalogues
from tests.serving import Seller

Act = Callable[[Product], None]


def etsy_of(shop: Shop) -> Preflight:
    container = shop.container
    return channel_table(container.ebay, EbayQuotas(), container.etsy, Pacing(), shop.clock)[
        Channel.ETSY
    ]


def put(**values: Any) -> Act:
    def act(product: Product) -> None:
        for name, value in values.items():
            setattr(product, name, value)

    return act


def first(**values: Any) -> Act:
    def act(product: Product) -> None:
        for name, value in values.items():
            setattr(product.variants[0], name, value)

    return act


WRONG: list[tuple[Act, str, str]] = [
    (put(title="x" * 141), "title", "title-too-long"),
    (put(title="Shirt ♥ $5"), "title", "title-characters"),
    (put(title="50% & 60%"), "title", "title-repeats"),
    (put(title=" "), "title", "title-missing"),
    (put(description=" "), "description", "description-missing"),
    (put(currency="EUR"), "currency", "currency-not-accepted"),
    (first(price_minor=19), "variants.0.price", "price-out-of-range"),
    (first(price_minor=5_000_001), "variants.0.price", "price-out-of-range"),
    (first(quantity=0), "variants.0.quantity", "out-of-stock"),
    (first(quantity=1000), "variants", "quantity-too-large"),
    (put(option_names=["Size", "Colour", "Fit"]), "option_names", "too-many-options"),
    (first(option_values=["M (large)"]), "variants.0.option_values", "option-characters"),
    (lambda product: product.images.clear(), "images", "photo-missing"),
]


@pytest.mark.parametrize(("act", "field", "rule"), WRONG, ids=[rule for _, _, rule in WRONG])
def test_what_etsy_would_refuse_is_said_before(shop: Shop, act: Act, field: str, rule: str) -> None:
    """G6, C7: by the field to change; nobody is asked."""
    product_id = shop.shirt()
    shop.change(product_id, lambda product, _session: act(product))
    calls = shop.etsy.read("calls")
    with shop.container.database.tenant(shop.tenant) as session:
        found = etsy_of(shop).findings(session, [product_id])[product_id].gaps
    assert [(gap.field, gap.code) for gap in found] == [(field, rule)]
    assert shop.etsy.read("calls") == calls


@pytest.mark.parametrize(
    "act",
    [
        put(title="x" * 140),
        put(title="Shirt, “blue” - 50% + more: ©2020 & ü"),
        first(price_minor=20),
        first(price_minor=5_000_000),
        first(quantity=999),
        put(option_names=["Size", "Colour"]),
    ],
)
def test_what_just_fits_is_taken_by_etsy_too(shop: Shop, act: Act) -> None:
    """C7: the sandbox is the judge."""
    product_id = shop.shirt()

    def changed(product: Product, _session: TenantSession) -> None:
        act(product)
        product.variants[0].option_values = ["M"] * len(product.option_names)

    shop.change(product_id, changed)
    job = shop.run(product_id)
    assert job.problem_detail is None
    assert len(shop.live()) == 1


def test_more_photos_than_etsy_takes_are_counted(shop: Shop) -> None:
    """C7: 20 are taken, in order."""
    product_id = shop.shirt(colors=[(shade, 0, 0) for shade in range(0, 210, 10)])
    with shop.container.database.tenant(shop.tenant) as session:
        [gap] = etsy_of(shop).findings(session, [product_id])[product_id].gaps
    assert (gap.field, gap.code) == ("images", "too-many-photos")
    shop.change(product_id, lambda product, _session: product.images.pop())
    assert shop.run(product_id).problem_detail is None
    [row] = shop.live()
    assert [image["sha256"] for image in row["images"]] == shop.hashes(product_id)


def test_tags_that_etsy_does_not_take_stay_behind() -> None:
    """C7: and are named; they are no reason not to list."""
    tags = ["vintage", "a" * 21, "no, comma", "60's", "t-shirt", " ", *(f"n{n}" for n in range(12))]
    assert usable_tags(tags) == ["vintage", "60's", "t-shirt", *(f"n{n}" for n in range(10))]
    assert [hint.field for hint in left_out_tags(tags)] == [
        "tags.1",
        "tags.2",
        "tags.5",
        "tags.16",
        "tags.17",
    ]


def test_what_nobody_said_is_missing_and_never_guessed(shop: Shop, connected: Seller) -> None:
    """C7: category, who made it and when; a product's own word goes before the account's."""
    product_id = shop.shirt(category_code=None)
    path = f"/api/v1/products/{product_id}/channels/etsy"
    connected.http.put(f"{CHANNEL}/terms", json={})
    connected.http.put(path, json={})
    seen = connected.http.get(path).json()
    assert [(gap["field"], gap["rule"]) for gap in seen["missing"]] == [
        ("category", "category-missing"),
        ("who_made", "who-made-missing"),
        ("when_made", "when-made-missing"),
        ("is_supply", "is-supply-missing"),
    ]
    connected.http.put(f"{CHANNEL}/terms", json=MADE)
    chosen = connected.http.put(path, json={"taxonomy_id": SHIRTS, "when_made": "1980s"}).json()
    assert (chosen["ready"], chosen["missing"]) == (True, [])
    assert (chosen["who_made"], chosen["when_made"], chosen["is_supply"]) == (
        "someone_else",
        "1980s",
        False,
    )
    shop.run(product_id)
    [listed] = shop.public_listings()
    assert listed["when_made"] == "1980s"


def test_our_category_and_decade_are_said_in_etsys_words(
    shop: Shop, connected: Seller, worker_database: Database, clock: MovableClock
) -> None:
    """C7: by the tables that were gone through by hand; the seller's own choice goes before."""
    load_catalogues(worker_database, clock)
    product_id = shop.shirt()
    path = f"/api/v1/products/{product_id}/channels/etsy"
    assert connected.http.put(path, json={}).status_code == 200

    def of_the_seventies(product: Product, _session: TenantSession) -> None:
        product.attributes = {**product.attributes, "decade": ["1970s"]}

    shop.change(product_id, of_the_seventies)
    seen = connected.http.get(path).json()
    assert (seen["ready"], seen["taxonomy_id"], seen["when_made"]) == (True, SHIRTS, "1970s")
    assert seen["taxonomy_path"].endswith("T-shirts")
    own = connected.http.put(path, json={"taxonomy_id": 2202, "when_made": "1960s"}).json()
    assert (own["taxonomy_id"], own["taxonomy_path"], own["when_made"]) == (2202, None, "1960s")
    shop.choose(product_id, taxonomy_id=None)
    assert shop.run(product_id).problem_detail is None
    [listed] = shop.public_listings()
    assert (listed["taxonomy_id"], listed["when_made"]) == (SHIRTS, "1970s")


def test_etsys_categories_are_found_by_their_words(shop: Shop, connected: Seller) -> None:
    """C7: with what can be said in them."""
    found = connected.http.get(f"{CHANNEL}/categories", params={"q": "men's t-shirt"}).json()
    assert SHIRTS in [each["taxonomy_id"] for each in found]
    assert all(each["path"] for each in found)
    query = {"category": SHIRTS}
    properties = connected.http.get(f"{CHANNEL}/category-properties", params=query).json()
    [color] = [each for each in properties if each["name"] == "Primary color"]
    assert {"Blue", "Red"} <= {value["name"] for value in color["values"]}
    nothing = connected.http.get(f"{CHANNEL}/categories", params={"q": "zzzzz"})
    assert nothing.json() == []


def test_a_publication_is_asked_for_over_http(shop: Shop, connected: Seller) -> None:
    """ST26: preflight refuses, then queues; the job lists."""
    product_id = shop.shirt(category_code=None)
    wanted = {"product_ids": [product_id], "channels": ["etsy"]}
    shop.choose(product_id, taxonomy_id=None)
    refused = connected.http.post("/api/v1/publications", json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (422, "nothing-publishable")
    shop.choose(product_id)
    asked = connected.http.post("/api/v1/publications", json=wanted).json()["items"][0]
    assert asked["answer"] == "queued"
    assert shop.finish(int(asked["job_id"])).problem_detail is None
    assert len(shop.live()) == 1


def test_a_job_makes_the_calls_that_were_declared(shop: Shop) -> None:
    """E8, G7: publish, update with a new photo, end; photos that are there cost nothing."""
    etsy = etsy_of(shop)
    product_id = shop.shirt(colors=((1, 2, 3), (4, 5, 6)))

    def declared(action: JobAction) -> dict[str, int]:
        with shop.container.database.tenant(shop.tenant) as session:
            size = etsy.sizes(session, action, [product_id])[product_id]
        return dict(etsy.capabilities.operations(action, size))

    for action in (JobAction.PUBLISH, JobAction.UPDATE, JobAction.DELETE):
        expected = declared(action)
        made = shop.calls_of(lambda action=action: shop.run(product_id, action))  # type: ignore[misc]
        assert made == expected, action
        if action is JobAction.PUBLISH:
            assert expected["uploadListingImage"] == 2

            def one_more(product: Product, session: TenantSession) -> None:
                store = shop.container.object_store
                product.images.append(make_photo(session, store, (7, 8, 9), 3))

            shop.change(product_id, one_more)
            assert declared(JobAction.UPDATE)["uploadListingImage"] == 1


def test_an_unmapped_category_is_named_until_the_shop_chooses(shop: Shop) -> None:
    """C9: nothing is guessed; the shop's own place counts for all products of the category."""
    load_catalogues(shop.container.database, shop.clock)
    product_id = shop.shirt()
    shop.choose(product_id, taxonomy_id=None)
    winder = put(category_code="aa-6-10-3", department_code="men")
    shop.change(product_id, lambda product, _session: winder(product))
    with shop.container.database.tenant(shop.tenant) as session:
        (gap,) = etsy_of(shop).findings(session, [product_id])[product_id].gaps
        assert (gap.field, gap.code) == ("category", "category-not-mapped")
        assert "> Watch Winders”" in gap.message
        choice = CategoryChoice(
            channel=Channel.ETSY,
            site="",
            category_code="aa-6-10-3",
            department="men",
            remote_id="1249",
            remote_path="Jewelry > Watches",
            chosen_at=shop.clock.now(),
        )
        CategoryChoiceRepository(session).put(choice)
        assert etsy_of(shop).findings(session, [product_id]) == {}
