"""Products are made, changed and deleted whole, and never behind somebody's back."""

import threading
from typing import Any

import httpx
import pytest

from models.selling.publishing import Channel, ChannelListing, JobStatus, ListingStatus
from repositories.selling.publishing import ListingRepository
from shared.clock import MovableClock
from shared.database import Database
from tests.factories.catalog import PRODUCTS, create, price, product_body, sized, stored
from tests.factories.reference import load_catalogues
from tests.factories.selling import make_job
from tests.serving import Seller


@pytest.fixture(autouse=True)
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    load_catalogues(worker_database, clock)


def path(product: dict[str, Any]) -> str:
    return f"{PRODUCTS}/{product['id']}"


def change(
    http: httpx.Client, product: dict[str, Any], fields: dict[str, Any], match: str | None = None
) -> httpx.Response:
    """PATCH on the version that `product` has."""
    match = match or f'"{product["version"]}"'
    return http.patch(path(product), json=fields, headers={"If-Match": match})


def test_a_product_comes_back_as_it_was_stored(seller: Seller) -> None:
    """ST48, K17."""
    body = product_body(
        title="  Blue\tdenim  jacket ",
        description="Worn twice.\r\nNo flaws.\x07",
        status="active",
        brand="Levi's",
        category="aa-1-10-2",
        condition="excellent",
        department="women",
        attributes={"color": ["blue", "blue", " navy "], "season": []},
        tags=["denim", "denim", "spring"],
        **sized("M", "L"),
    )
    answer = seller.http.post(PRODUCTS, json=body)
    assert answer.status_code == 201
    product = answer.json()
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Location"] == path(product)
    assert seller.http.get(path(product)).json() == product
    variants = product.pop("variants")
    assert product == {
        "id": product["id"],
        "handle": "blue-denim-jacket",
        "title": "Blue denim jacket",
        "description": "Worn twice.\nNo flaws.",
        "status": "active",
        "brand": "Levi's",
        "category": "aa-1-10-2",
        "condition": "excellent",
        "department": "women",
        "attributes": {"color": ["blue", "navy"]},
        "tags": ["denim", "spring"],
        "option_names": ["Size"],
        "currency": "USD",
        "quantity": 4,
        "images": [],
        "missing_images": [],
        "version": 1,
        "created_at": "2026-06-01T12:00:00Z",
        "updated_at": "2026-06-01T12:00:00Z",
    }
    assert [variant["option_values"] for variant in variants] == [["M"], ["L"]]
    assert variants[0]["price"] == {"amount": "25.00", "currency": "USD"}
    assert variants[0]["sku"] == "SHIRT-M"
    assert variants[0]["channel_key"].startswith("SF")
    assert variants[0]["channel_key"] != variants[1]["channel_key"]


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("12.5", "EUR", "12.50"),
        ("12", "EUR", "12.00"),
        ("500", "JPY", "500"),
        ("0.001", "KWD", "0.001"),
    ],
)
def test_money_keeps_every_digit(seller: Seller, amount: str, currency: str, said: str) -> None:
    """ST48: minor units, never float."""
    product = create(seller.http, variants=[{"price": price(amount, currency), "quantity": 1}])
    assert product["variants"][0]["price"] == {"amount": said, "currency": currency}
    line = seller.http.get(PRODUCTS).json()["items"][0]
    assert line["price_from"] == line["price_to"] == {"amount": said, "currency": currency}


def test_handles_are_made_from_titles_and_never_twice(seller: Seller) -> None:
    """ST48."""
    titles = ["Été à Paris", "Été à Paris", "été, à paris!", "👗"]
    handles = [create(seller.http, title=title)["handle"] for title in titles]
    assert handles == ["ete-a-paris", "ete-a-paris-2", "ete-a-paris-3", "product"]


def variant(**changes: Any) -> dict[str, Any]:
    return {"variants": [{"price": price("25.00"), "quantity": 1, **changes}]}


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"title": ""}, "title"),
    ({"title": " \t\x00 "}, "title"),
    ({"title": "x" * 300}, "title"),
    ({"title": 7}, "title"),
    ({"title": None}, "title"),
    ({"description": "x" * 20_001}, "description"),
    ({"status": "sold"}, "status"),
    ({"condition": "splendid"}, "condition"),
    ({"condition": "nwt"}, "condition"),
    ({"category": "zz-9"}, "category"),
    ({"category": "\x00zz"}, "category"),
    ({"department": "martians"}, "department"),
    ({"colour": "blue"}, "colour"),
    ({"tags": ["x" * 256]}, "tags.0"),
    ({"tags": "blue"}, "tags"),
    ({"attributes": {"color": "blue"}}, "attributes.color"),
    ({"handle": "two words"}, "handle"),
    ({"variants": []}, "variants"),
    (variant(price=price("-5.00")), "variants.0.price"),
    (variant(price=price("0.00")), "variants.0.price"),
    (variant(price=price("99999999999.00")), "variants.0.price"),
    (variant(price=price("12,50")), "variants.0.price.amount"),
    (variant(price=price("12.505")), "variants.0.price.amount"),
    (variant(price=price("1e3")), "variants.0.price.amount"),
    (variant(price=price("NaN")), "variants.0.price.amount"),
    (variant(price={"amount": 12.5, "currency": "USD"}), "variants.0.price.amount"),
    (variant(price={"amount": 12, "currency": "USD"}), "variants.0.price.amount"),
    (variant(price=price("12.50", "usd")), "variants.0.price.currency"),
    (variant(price=12.5), "variants.0.price"),
    (variant(price=None), "variants.0.price"),
    (variant(quantity=-1), "variants.0.quantity"),
    (variant(quantity=1_000_000), "variants.0.quantity"),
    (variant(quantity=1.5), "variants.0.quantity"),
    (variant(quantity="1"), "variants.0.quantity"),
    (variant(quantity=True), "variants.0.quantity"),
    (variant(quantity=None), "variants.0.quantity"),
    (variant(sku="x" * 256), "variants.0.sku"),
    (variant(weight_grams=-1), "variants.0.weight_grams"),
    (variant(color="blue"), "variants.0.color"),
    (variant(option_values=["M"]), "variants.0.option_values"),
    (sized("M") | {"option_names": ["Size", "Colour"]}, "variants.0.option_values"),
    (sized("M", "L") | {"option_names": []}, "option_names"),
    (sized("M") | {"option_names": [" "]}, "option_names"),
    (sized("M", "m"), "variants.0.option_values"),
    (sized(" "), "variants.0.option_values"),
]


def test_a_bad_product_is_refused_by_the_name_of_its_field(
    seller: Seller, database: Database
) -> None:
    """ST48, C12."""
    for fields, named in BAD_FIELDS:
        answer = seller.http.post(PRODUCTS, json=product_body(**fields))
        assert answer.status_code == 422, (fields, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert named in [problem["field"] for problem in answer.json()["fields"]], fields
    assert stored(database, seller.tenant)["products"] == []


def test_variants_in_two_currencies_are_refused(seller: Seller, database: Database) -> None:
    """ST48."""
    fields = sized("M", "L")
    fields["variants"][1]["price"] = price("25.00", "EUR")
    answer = seller.http.post(PRODUCTS, json=product_body(**fields))
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["fields"]] == [
        "variants.1.price.currency"
    ]
    assert stored(database, seller.tenant)["products"] == []


def test_what_no_listing_can_show_is_taken_out(seller: Seller) -> None:
    """ST48: NUL, escapes and half characters."""
    product = create(
        seller.http,
        title="Blue\x00 shirt\x1b",
        handle="blue\x00-shirt",
        brand="\x00",
        category="aa-1-4\x00",
        tags=["a\x00b"],
        attributes={"col\x00or": ["bl\x00ue"]},
        variants=[{"price": price("1.00"), "quantity": 1, "sku": "S\x00", "barcode": "\x00"}],
    )
    assert (product["title"], product["handle"], product["brand"]) == (
        "Blue shirt",
        "blue-shirt",
        None,
    )
    assert (product["category"], product["tags"]) == ("aa-1-4", ["ab"])
    assert product["attributes"] == {"color": ["blue"]}
    assert (product["variants"][0]["sku"], product["variants"][0]["barcode"]) == ("S", None)
    answer = seller.http.post(
        PRODUCTS,
        content=b'{"title": "\\ud800", "variants": [{"price": {"amount": "1.00", "currency":'
        b' "USD"}, "quantity": 1}]}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "title"


def test_of_two_changes_to_one_version_exactly_one_wins(seller: Seller) -> None:
    """DESIGN 8: nobody's change is lost unseen."""
    product = create(seller.http)
    start, answers = threading.Barrier(6), []

    def send(number: int) -> None:
        start.wait()
        answers.append(change(seller.http, product, {"title": f"Shirt {number}"}))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert seller.http.get(path(product)).json() == won
    assert won["version"] == 2


def test_a_taken_handle_is_refused(seller: Seller, database: Database) -> None:
    """ST48."""
    create(seller.http, handle="blue")
    before = stored(database, seller.tenant)
    answer = seller.http.post(PRODUCTS, json=product_body(handle="blue"))
    assert answer.status_code == 409
    assert answer.json()["code"] == "handle-taken"
    assert stored(database, seller.tenant) == before


def test_a_change_touches_only_what_it_names(seller: Seller, clock: MovableClock) -> None:
    """ST48."""
    product = create(seller.http, brand="Levi's", tags=["denim"])
    answer = change(seller.http, product, {"title": "Red shirt", "brand": None})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'
    assert answer.json() == product | {"title": "Red shirt", "brand": None, "version": 2}
    assert seller.http.get(path(product)).json() == answer.json()


def test_a_change_that_changes_nothing_makes_no_version(seller: Seller) -> None:
    """ST48."""
    product = create(seller.http)
    answer = change(seller.http, product, {"title": " Blue  shirt "})
    assert answer.status_code == 200
    assert answer.json() == product


def test_variants_keep_their_name_on_channels_when_named_by_id(seller: Seller) -> None:
    """A2: a listing is found again by its channel key."""
    product = create(seller.http, **sized("M", "L"))
    medium, large = product["variants"]
    wanted = [
        {"price": price("30.00"), "quantity": 1, "option_values": ["XL"]},
        {"id": large["id"], "price": price("28.00"), "quantity": 5, "option_values": ["L"]},
    ]
    changed = change(seller.http, product, {"variants": wanted}).json()
    new, kept = changed["variants"]
    assert kept["channel_key"] == large["channel_key"]
    assert kept["price"]["amount"] == "28.00"
    assert new["channel_key"] not in {medium["channel_key"], large["channel_key"]}
    assert new["id"] not in {medium["id"], large["id"]}
    assert changed["quantity"] == 6


def test_a_bad_change_is_refused_and_changes_nothing(seller: Seller, database: Database) -> None:
    """ST48, C12."""
    product = create(seller.http)
    before = stored(database, seller.tenant)
    for fields, named in BAD_FIELDS:
        answer = change(seller.http, product, fields)
        assert answer.status_code == 422, (fields, answer.text)
        assert named in [problem["field"] for problem in answer.json()["fields"]], fields
    assert stored(database, seller.tenant) == before


def test_a_variant_of_another_product_is_refused(seller: Seller, database: Database) -> None:
    """ST48."""
    product, other = create(seller.http), create(seller.http)
    before = stored(database, seller.tenant)
    own, foreign = product["variants"][0]["id"], other["variants"][0]["id"]
    for ids, named in (([foreign], "variants.0.id"), ([own, own], "variants.1.id")):
        wanted = [
            {"id": it, "price": price("9.00"), "quantity": 1, "option_values": [str(at)]}
            for at, it in enumerate(ids)
        ]
        answer = change(seller.http, product, {"variants": wanted, "option_names": ["Size"]})
        assert answer.status_code == 422
        assert named in [problem["field"] for problem in answer.json()["fields"]]
    assert stored(database, seller.tenant) == before


def test_a_change_or_deletion_needs_the_version_it_was_based_on(
    seller: Seller, database: Database
) -> None:
    """DESIGN 8: ETag and If-Match on products."""
    product = create(seller.http)
    before = stored(database, seller.tenant)
    for match, status, code in (
        (None, 428, "precondition-required"),
        ('"2"', 412, "product-changed"),
        ('W/"1"', 412, "product-changed"),
        ('"x", "7"', 412, "product-changed"),
        ("1", 400, "malformed-request"),
        ("", 400, "malformed-request"),
    ):
        headers = {} if match is None else {"If-Match": match}
        for answer in (
            seller.http.patch(path(product), json={"title": "Red"}, headers=headers),
            seller.http.delete(path(product), headers=headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert stored(database, seller.tenant) == before


@pytest.mark.parametrize("match", ["*", '"1"', '"0", "1"', 'W/"1","1"'])
def test_a_change_goes_through_on_the_right_version(seller: Seller, match: str) -> None:
    """DESIGN 8."""
    product = create(seller.http)
    assert change(seller.http, product, {"title": "Red"}, match).json()["version"] == 2


def test_what_has_not_changed_is_not_sent_again(seller: Seller) -> None:
    """DESIGN 8."""
    product = create(seller.http)
    tag = seller.http.get(path(product)).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"9", {tag}', "*"):
        answer = seller.http.get(path(product), headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == tag
    change(seller.http, product, {"title": "Red"})
    answer = seller.http.get(path(product), headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["title"]) == (200, "Red")


def test_a_deleted_product_is_gone_and_its_row_stays(seller: Seller, database: Database) -> None:
    """ST56, X17."""
    product = create(seller.http, handle="blue")
    gone = seller.http.delete(path(product), headers={"If-Match": '"1"'})
    assert (gone.status_code, gone.content) == (204, b"")
    assert seller.http.get(path(product)).status_code == 404
    assert seller.http.get(path(product), headers={"If-None-Match": "*"}).status_code == 404
    assert seller.http.get(PRODUCTS).json()["items"] == []
    assert change(seller.http, product, {"title": "Red"}, "*").status_code == 404
    assert seller.http.delete(path(product), headers={"If-Match": "*"}).status_code == 404
    rows = stored(database, seller.tenant)
    assert len(rows["products"]) == len(rows["product_variants"]) == 1
    assert create(seller.http, handle="blue")["id"] != product["id"]


def test_a_product_that_is_for_sale_somewhere_cannot_be_deleted(
    seller: Seller, database: Database, clock: MovableClock
) -> None:
    """ST56: nothing is sold that the shop no longer has."""
    product = create(seller.http)
    with database.tenant(seller.tenant) as session:
        ListingRepository(session).add(
            ChannelListing(
                product_id=product["id"],
                channel=Channel.EBAY,
                status=ListingStatus.LIVE,
                listing_id="110",
                remote={},
                product_version=1,
                read_back={},
                published_at=clock.now(),
                checked_at=clock.now(),
            )
        )
    answer = seller.http.delete(path(product), headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (409, "product-in-use")
    assert "for sale on ebay" in answer.json()["detail"]
    assert seller.http.get(path(product)).json() == product
    with database.tenant(seller.tenant) as session:
        listing = ListingRepository(session).get(product["id"], Channel.EBAY)
        assert listing is not None
        listing.status = ListingStatus.ENDED
    assert seller.http.delete(path(product), headers={"If-Match": "*"}).status_code == 204


def test_a_product_that_is_worked_on_cannot_be_deleted(
    seller: Seller, database: Database, clock: MovableClock
) -> None:
    """ST56."""
    product = create(seller.http)
    with database.tenant(seller.tenant) as session:
        job_id = make_job(session, clock, product_id=product["id"]).id
    answer = seller.http.delete(path(product), headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (409, "product-in-use")
    assert f"Job {job_id}" in answer.json()["detail"]
    assert seller.http.get(path(product)).json() == product
    with database.tenant(seller.tenant) as session:
        other = create(seller.http)
        make_job(session, clock, product_id=other["id"], status=JobStatus.DONE)
    assert seller.http.delete(path(other), headers={"If-Match": "*"}).status_code == 204


@pytest.mark.parametrize("product_id", ["0", "-1", "x", "1.5", str(2**63), "1%00"])
def test_what_is_no_id_is_refused(seller: Seller, product_id: str) -> None:
    """ST48."""
    answer = seller.http.get(f"{PRODUCTS}/{product_id}")
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "product_id"


def test_another_shops_product_does_not_exist(
    seller: Seller, other_seller: Seller, database: Database
) -> None:
    """ST12: ids of other shops are unknown here."""
    for _ in range(3):
        foreign = create(other_seller.http)
    before = stored(database, other_seller.tenant)
    assert seller.http.get(path(foreign)).status_code == 404
    assert change(seller.http, foreign, {"title": "Mine"}, "*").status_code == 404
    assert seller.http.delete(path(foreign), headers={"If-Match": "*"}).status_code == 404
    assert seller.http.get(PRODUCTS).json()["items"] == []
    assert stored(database, other_seller.tenant) == before


def test_nobody_is_let_in_without_a_token(api: httpx.Client) -> None:
    """ST48."""
    for method, where in (
        ("GET", PRODUCTS),
        ("POST", PRODUCTS),
        ("PATCH", f"{PRODUCTS}/1"),
        ("POST", f"{PRODUCTS}/import"),
        ("GET", f"{PRODUCTS}/1/images/1"),
        ("PUT", f"{PRODUCTS}/1/images/order"),
    ):
        assert api.request(method, where).status_code == 401
