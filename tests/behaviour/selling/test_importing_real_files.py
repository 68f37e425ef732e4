"""Files as Shopify gives them, unchanged, and the shipped demo shop go through."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.settings import Settings
from shared.clock import MovableClock
from shared.database import Database
from tests.factories.catalog import PRODUCTS, photo, send_csv, stored
from tests.factories.reference import load_catalogues
from tests.fakes.photo_site import PhotoSite
from tests.paths import CHECKOUT, real_files_or_skip
from tests.serving import Seller

SITE_OF_THE_FILES = "https://burst.shopifycdn.com"


@pytest.fixture(autouse=True)
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    load_catalogues(worker_database, clock)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Photos may come from this machine."""
    settings.images.allow_private_addresses = True
    return settings


@pytest.fixture
def real_files() -> Path:
    return real_files_or_skip() / "import" / "shopify"


@pytest.fixture
def site() -> Iterator[PhotoSite]:
    with PhotoSite().open() as site:
        yield site


def catalog(seller: Seller) -> list[dict[str, Any]]:
    """Every product, without what differs between two imports of one thing."""
    products = []
    for item in seller.http.get(PRODUCTS, params={"limit": 100}).json()["items"]:
        product = seller.http.get(f"{PRODUCTS}/{item['id']}").json()
        for part in (product, *product["variants"]):
            for name in ("id", "channel_key", "weight_grams", "version"):
                part.pop(name, None)
        products.append(product)
    return products


@pytest.mark.parametrize(
    ("name", "rows", "variants"), [("apparel.csv", 22, 22), ("home-and-garden.csv", 21, 21)]
)
def test_a_file_of_shopify_comes_in_whole_with_its_photos(
    seller: Seller, real_files: Path, site: PhotoSite, name: str, rows: int, variants: int
) -> None:
    """B18, C2."""
    data = (real_files / name).read_text()
    paths = sorted(set(re.findall(re.escape(SITE_OF_THE_FILES) + r"([^,\s]+)", data)))
    for number, path in enumerate(paths):
        site.show(path, photo(shade=number, width=30 + number))
    here = data.replace(SITE_OF_THE_FILES, site.root).encode()
    report = send_csv(seller.http, here, fetch_images="true").json()
    assert (report["rows"], report["created"], report["failed"]) == (rows, 20, 0)
    assert (report["errors"], report["images_missing"]) == ([], 0)
    products = catalog(seller)
    assert sum(len(product["variants"]) for product in products) == variants
    assert (
        sorted(
            image["source"].removeprefix(site.root)
            for product in products
            for image in product["images"]
        )
        == paths
    )
    assert not any("<" in product["description"] for product in products)
    again = send_csv(seller.http, here, fetch_images="true").json()
    assert (again["unchanged"], again["images_added"]) == (20, 0)
    assert sorted(site.asked) == paths


@pytest.mark.parametrize("name", ["apparel.csv", "home-and-garden.csv"])
def test_a_file_comes_in_when_none_of_its_photos_can_be_had(
    seller: Seller, real_files: Path, site: PhotoSite, name: str
) -> None:
    """B18: each missing photo is named by its row and remembered."""
    data = (real_files / name).read_text().replace(SITE_OF_THE_FILES, site.root).encode()
    report = send_csv(seller.http, data, fetch_images="true").json()
    assert (report["created"], report["images_added"]) == (20, 0)
    missing = [issue for issue in report["warnings"] if issue["code"] == "image-missing"]
    assert len(missing) == report["images_missing"] > 0
    remembered = [it for product in catalog(seller) for it in product["missing_images"]]
    assert len(remembered) == len(missing)


def test_both_generations_of_headers_give_the_same_products(
    seller: Seller, other_seller: Seller, real_files: Path
) -> None:
    """B18."""
    for who, name in ((seller, "apparel.csv"), (other_seller, "apparel_newer-template.csv")):
        answer = send_csv(who.http, (real_files / name).read_bytes())
        assert answer.json()["created"] == 20
    assert catalog(seller) == catalog(other_seller)


def test_men_and_women_are_told_by_tags_and_categories_left_open(
    seller: Seller, real_files: Path
) -> None:
    """C6: the files name no category; nothing is guessed from titles."""
    send_csv(seller.http, (real_files / "apparel.csv").read_bytes())
    products = {product["handle"]: product for product in catalog(seller)}
    assert products["ocean-blue-shirt"]["department"] == "men"
    assert products["classic-varsity-top"]["department"] == "women"
    assert {product["category"] for product in products.values()} == {None}
    assert products["classic-varsity-top"]["option_names"] == ["Size"]
    assert [it["option_values"] for it in products["classic-varsity-top"]["variants"]] == [
        ["Small"],
        ["Medium"],
        ["Large"],
    ]


def test_the_demo_shop_is_understood_to_the_last_word(seller: Seller, database: Database) -> None:
    """C6, C9: every product has category, condition and department."""
    shipped = CHECKOUT / "backend" / "demo" / "data" / "products.csv"
    report = send_csv(seller.http, shipped.read_bytes()).json()
    assert report["failed"] == 0
    assert {issue["code"] for issue in report["warnings"]} <= {"image-missing", "unused-column"}
    for product in catalog(seller):
        assert product["category"], product["handle"]
        assert product["condition"], product["handle"]
        assert product["department"], product["handle"]
    assert len(stored(database, seller.tenant)["products"]) == report["products"]
