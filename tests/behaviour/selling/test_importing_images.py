"""Photos of an import: fetched or taken from a folder, kept once, missed aloud."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.container import Container
from backend.settings import Settings
from services.gateways.image_fetch import HttpImageFetcher
from services.selling.catalog.importing.importer import ImportOptions, ProductImport
from services.selling.catalog.importing.pictures import PhotoFolder
from shared.clock import MovableClock
from shared.database import Database
from tests.factories.catalog import PRODUCTS, more, photo, row, send_csv, shopify_csv, stored
from tests.factories.reference import load_catalogues
from tests.fakes.photo_site import PhotoSite
from tests.serving import Seller


@pytest.fixture(autouse=True)
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    load_catalogues(worker_database, clock)


@pytest.fixture
def site() -> Iterator[PhotoSite]:
    with PhotoSite().open() as site:
        yield site


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Photos may come from this machine."""
    settings.images.allow_private_addresses = True
    return settings


@pytest.fixture
def importing(container: Container, seller: Seller) -> Iterator[ProductImport]:
    with HttpImageFetcher(allow_private=True) as fetcher:
        yield ProductImport(
            partial(container.database.tenant, seller.tenant),
            seller.tenant,
            container.object_store,
            fetcher,
            container.clock,
        )


def imported(http: httpx.Client, *rows: dict[str, str], **form: str) -> dict[str, Any]:
    answer = send_csv(http, shopify_csv(*rows), **({"fetch_images": "true"} | form))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def the_product(http: httpx.Client) -> dict[str, Any]:
    newest = http.get(PRODUCTS).json()["items"][0]
    return dict(http.get(f"{PRODUCTS}/{newest['id']}").json())


def test_photos_are_fetched_in_the_order_of_their_positions(
    seller: Seller, site: PhotoSite
) -> None:
    """B18, C2: our own copies, unchanged."""
    front, back, detail = photo(shade=1), photo(shade=80), photo(shade=160)
    report = imported(
        seller.http,
        row(image=site.show("/back.jpg", back), position="2", alt="The back"),
        more(image=site.show("/front.jpg?v=3", front), position="1", alt="The front"),
        more(**{"Variant Image": site.show("/detail.jpg", detail)}),
    )
    assert (report["images_added"], report["images_missing"]) == (3, 0)
    images = the_product(seller.http)["images"]
    assert [image["alt_text"] for image in images] == ["The front", "The back", ""]
    assert images[0]["source"] == f"{site.root}/front.jpg?v=3"
    assert [seller.http.get(image["url"]).content for image in images] == [front, back, detail]


def test_nothing_is_fetched_twice(seller: Seller, site: PhotoSite, database: Database) -> None:
    """B18, C2: not by the same file again, not for another product, not once it is gone."""
    url = site.show("/a.jpg", photo())
    rows = (row("one", image=url), row("two", image=url), more("two", image=url))
    assert imported(seller.http, *rows)["images_added"] == 2
    assert site.asked == ["/a.jpg"]
    before = stored(database, seller.tenant)
    site.photos.clear()
    again = imported(seller.http, *rows)
    assert (again["unchanged"], again["images_added"], again["warnings"]) == (2, 0, [])
    assert imported(seller.http, row("three", image=url))["images_added"] == 1
    assert site.asked == ["/a.jpg"]
    after = stored(database, seller.tenant)
    assert after["products"][:2] == before["products"]
    assert after["product_images"][:2] == before["product_images"]


def test_a_photo_that_cannot_be_had_is_missed_aloud_and_tried_again(
    seller: Seller, site: PhotoSite
) -> None:
    """B18, C2: the product comes in without it."""
    url = f"{site.root}/late.jpg"
    rows = (row(image=site.show("/a.jpg", photo())), more(image=url))
    report = imported(seller.http, *rows)
    assert (report["created"], report["images_added"], report["images_missing"]) == (1, 1, 1)
    (warning,) = report["warnings"]
    assert (warning["row"], warning["column"], warning["code"]) == (3, "Image Src", "image-missing")
    assert "status 404" in warning["message"]
    product = the_product(seller.http)
    assert [missing["source"] for missing in product["missing_images"]] == [url]
    assert product["missing_images"][0]["tried_at"] == "2026-06-01T12:00:00Z"
    assert imported(seller.http, *rows)["unchanged"] == 1
    assert the_product(seller.http) == product
    site.show("/late.jpg", photo(shade=99))
    report = imported(seller.http, *rows)
    assert (report["updated"], report["images_added"], report["warnings"]) == (1, 1, [])
    product = the_product(seller.http)
    assert (product["version"], product["missing_images"]) == (2, [])
    assert [image["source"] for image in product["images"]][1] == url
    assert site.asked.count("/a.jpg") == 1


def test_what_is_no_photo_is_a_warning_of_its_row(seller: Seller, site: PhotoSite) -> None:
    """B16."""
    whole = photo(200, 200)
    report = imported(
        seller.http,
        row(image=site.show("/page.jpg", b"<html>")),
        more(image=site.show("/cut.jpg", whole[: len(whole) // 2])),
        more(image="ftp://example.com/a.jpg"),
        more(image="a.jpg"),
        more(image=f"{site.root}/{'x' * 3_000}.jpg"),
    )
    assert report["created"] == 1
    assert [issue["row"] for issue in report["warnings"]] == [2, 3, 4, 5, 6]
    assert {issue["code"] for issue in report["warnings"]} == {"image-missing"}
    assert the_product(seller.http)["images"] == []


def test_only_twenty_four_photos_are_taken(seller: Seller, site: PhotoSite) -> None:
    """ST57."""
    urls = [site.show(f"/{number}.jpg", photo(shade=number * 9)) for number in range(26)]
    report = imported(seller.http, row(image=urls[0]), *(more(image=url) for url in urls[1:]))
    assert report["images_added"] == 24
    assert [issue["code"] for issue in report["warnings"]] == ["too-many"]
    assert len(the_product(seller.http)["images"]) == 24


def test_addresses_inside_our_own_network_are_not_fetched(
    seller: Seller, site: PhotoSite, container: Container
) -> None:
    """ST48: unless an installation says so."""
    container.image_fetcher = HttpImageFetcher()
    report = imported(seller.http, row(image=site.show("/a.jpg", photo())))
    assert "not on the public internet" in report["warnings"][0]["message"]
    assert site.asked == []


def test_photos_can_be_left_for_later(seller: Seller, site: PhotoSite) -> None:
    """B18."""
    rows = (row(image=site.show("/a.jpg", photo())),)
    report = imported(seller.http, *rows, fetch_images="false")
    assert (report["created"], report["images_missing"], site.asked) == (1, 0, [])
    assert imported(seller.http, *rows)["images_added"] == 1


def test_a_refused_or_rehearsed_import_fetches_nothing(
    seller: Seller, site: PhotoSite, container: Container
) -> None:
    """B18."""
    url = site.show("/a.jpg", photo())
    imported(seller.http, row(image=url), dry_run="true")
    imported(seller.http, row("bad", image=url, title="x" * 300), row("good"))
    refused = send_csv(
        seller.http,
        shopify_csv(row("a", image=url), row("b", title="x" * 300)),
        fetch_images="true",
        atomic="true",
    )
    assert refused.status_code == 422
    assert site.asked == []
    assert list(container.settings.data_dir.rglob("photos/*")) == []


def test_a_host_that_is_down_is_tried_once(importing: ProductImport) -> None:
    """B18: an import of thousands of photos ends although nothing is reachable."""
    rows = [row(f"p-{n}", image=f"http://nobody.invalid/{n}.jpg") for n in range(50)]
    report = importing.run(shopify_csv(*rows), ImportOptions())
    assert (report.created, report.images_missing) == (50, 50)
    assert "nobody.invalid cannot be reached" in report.warnings[-1].message


def test_when_time_is_up_the_products_come_in_and_photos_can_follow(
    importing: ProductImport, site: PhotoSite, seller: Seller
) -> None:
    """B18."""
    data = shopify_csv(row(image=site.show("/a.jpg", photo())))
    report = importing.run(data, ImportOptions(time_for_photos=timedelta(0)))
    assert (report.created, report.images_added, report.images_missing) == (1, 0, 1)
    assert "import the file again" in report.warnings[0].message
    assert site.asked == []
    assert importing.run(data, ImportOptions()).images_added == 1


def test_photos_are_taken_from_a_folder_and_from_nowhere_beside_it(
    importing: ProductImport, tmp_path: Path, seller: Seller
) -> None:
    """B18, ST48."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "Front.JPG").write_bytes(photo())
    (tmp_path / "secret.jpg").write_bytes(photo(shade=90))
    rows = (
        row(image="front.jpg"),
        more(image="../secret.jpg"),
        more(image=str(tmp_path / "secret.jpg")),
        more(image="absent.jpg"),
    )
    options = ImportOptions(photos=PhotoFolder(folder))
    report = importing.run(shopify_csv(*rows), options)
    assert (report.images_added, report.images_missing) == (1, 3)
    product = the_product(seller.http)
    assert [image["source"] for image in product["images"]] == ["front.jpg"]
    assert seller.http.get(product["images"][0]["url"]).content == photo()
    assert importing.run(shopify_csv(*rows), options).unchanged == 1


def test_no_transaction_is_open_while_photos_are_fetched(
    importing: ProductImport, site: PhotoSite, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DESIGN 3."""
    held: list[int] = []
    fetch = HttpImageFetcher.fetch
    pool: Any = container.database.engine.pool

    def watched(self: HttpImageFetcher, url: str) -> bytes:
        held.append(pool.checkedout())
        return fetch(self, url)

    monkeypatch.setattr(HttpImageFetcher, "fetch", watched)
    rows = [row(f"p-{n}", image=site.show(f"/{n}.jpg", photo(shade=n * 9))) for n in range(9)]
    assert importing.run(shopify_csv(*rows), ImportOptions()).images_added == 9
    assert held == [0] * 9
