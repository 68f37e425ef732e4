"""Photos: originals kept unchanged, looked at before they are kept, shown only to their shop."""

import hashlib
import io
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from backend.container import Container
from shared.database import Database
from tests.factories.catalog import PRODUCTS, create, photo, stored
from tests.paths import real_files_or_skip
from tests.serving import Seller


@pytest.fixture
def product(seller: Seller) -> dict[str, Any]:
    return create(seller.http)


def images_of(product: dict[str, Any]) -> str:
    return f"{PRODUCTS}/{product['id']}/images"


def upload(
    http: httpx.Client, product: dict[str, Any], data: bytes, alt_text: str = ""
) -> httpx.Response:
    return http.post(
        images_of(product), files={"file": ("photo.bin", data)}, data={"alt_text": alt_text}
    )


def shown(http: httpx.Client, product: dict[str, Any]) -> list[int]:
    images = http.get(f"{PRODUCTS}/{product['id']}").json()["images"]
    assert [image["position"] for image in images] == list(range(1, len(images) + 1))
    return [image["id"] for image in images]


def files_in(container: Container) -> list[Path]:
    return [path for path in container.settings.data_dir.rglob("photos/*") if path.is_file()]


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
    ],
)
def test_an_original_comes_back_unchanged(
    seller: Seller, product: dict[str, Any], kind: str, content_type: str
) -> None:
    """ST57, C2."""
    data = photo(40, 30, kind=kind)
    answer = upload(seller.http, product, data, "  A shirt,\n seen from the front ")
    assert answer.status_code == 201
    image = answer.json()
    assert image == {
        "id": image["id"],
        "position": 1,
        "url": f"{images_of(product)}/{image['id']}",
        "content_type": content_type,
        "width": 40,
        "height": 30,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "alt_text": "A shirt, seen from the front",
        "source": None,
    }
    seen = seller.http.get(image["url"])
    assert seen.content == data
    assert seen.headers["content-type"] == content_type
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert "private" in seen.headers["cache-control"]
    again = seller.http.get(image["url"], headers={"If-None-Match": seen.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(("orientation", "size"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40))])
def test_the_size_is_that_of_the_upright_photo(
    seller: Seller, product: dict[str, Any], orientation: int, size: tuple[int, int]
) -> None:
    """ST57."""
    image = upload(seller.http, product, photo(40, 30, orientation=orientation)).json()
    assert (image["width"], image["height"]) == size


def bomb() -> bytes:
    data = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(data, "PNG")
    return data.getvalue()


def test_what_is_no_whole_photo_is_refused(
    seller: Seller, product: dict[str, Any], database: Database, container: Container
) -> None:
    """ST48, ST57."""
    before = stored(database, seller.tenant)
    whole = photo(200, 200)
    tiff = io.BytesIO()
    Image.new("RGB", (10, 10)).save(tiff, "TIFF")
    for data, status, code in (
        (b"", 422, "photo-refused"),
        (b"<html>photo</html>", 422, "photo-refused"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "photo-refused"),
        (whole[: len(whole) // 2], 422, "photo-refused"),
        (photo(200, 200, kind="PNG")[:-40], 422, "photo-refused"),
        (whole[:20] + bytes(200), 422, "photo-refused"),
        (tiff.getvalue(), 422, "photo-refused"),
        (bomb(), 422, "photo-refused"),
        (whole + bytes(20_000_000), 413, "photo-too-large"),
    ):
        answer = upload(seller.http, product, data)
        assert (answer.status_code, answer.json()["code"]) == (status, code), data[:20]
    assert seller.http.post(images_of(product)).status_code == 422
    assert stored(database, seller.tenant) == before
    assert files_in(container) == []


def test_the_same_photo_twice_is_one(seller: Seller, product: dict[str, Any]) -> None:
    """ST57: found by content, whatever the file is called."""
    first = upload(seller.http, product, photo())
    second = upload(seller.http, product, photo(), "again")
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert len(shown(seller.http, product)) == 1
    assert seller.http.get(f"{PRODUCTS}/{product['id']}").json()["version"] == 2


def test_two_products_share_one_file(
    seller: Seller, product: dict[str, Any], container: Container
) -> None:
    """ST57: and taking it off one leaves it on the other."""
    other = create(seller.http)
    first, second = (upload(seller.http, it, photo()).json() for it in (product, other))
    assert len(files_in(container)) == 1
    assert seller.http.delete(first["url"]).status_code == 204
    assert seller.http.get(first["url"]).status_code == 404
    assert seller.http.get(second["url"]).content == photo()


def test_a_twenty_fifth_photo_is_refused(
    seller: Seller, product: dict[str, Any], database: Database
) -> None:
    """ST57."""
    for shade in range(24):
        assert upload(seller.http, product, photo(shade=shade * 10)).status_code == 201
    before = stored(database, seller.tenant)
    answer = upload(seller.http, product, photo(shade=255))
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-images")
    assert stored(database, seller.tenant) == before


def test_photos_can_be_put_in_another_order(
    seller: Seller, product: dict[str, Any], database: Database
) -> None:
    """ST57: the first is the main photo."""
    one, two, three = (
        upload(seller.http, product, photo(shade=shade)).json()["id"] for shade in (0, 90, 180)
    )
    answer = seller.http.put(f"{images_of(product)}/order", json={"image_ids": [three, one, two]})
    assert [image["id"] for image in answer.json()] == [three, one, two]
    assert [image["position"] for image in answer.json()] == [1, 2, 3]
    assert shown(seller.http, product) == [three, one, two]
    listed = seller.http.get(PRODUCTS).json()["items"][0]
    assert listed["image_url"] == f"{images_of(product)}/{three}"
    before = stored(database, seller.tenant)
    for wrong in ([one, two], [one, two, three, three], [one, two, three + 1], [], ["x"], None):
        refused = seller.http.put(f"{images_of(product)}/order", json={"image_ids": wrong})
        assert refused.status_code == 422
        assert refused.json()["fields"][0]["field"].startswith("image_ids")
    assert stored(database, seller.tenant) == before


def test_removing_a_photo_closes_the_gap(seller: Seller, product: dict[str, Any]) -> None:
    """ST57."""
    one, two, three = (
        upload(seller.http, product, photo(shade=shade)).json() for shade in (0, 90, 180)
    )
    assert seller.http.delete(two["url"]).status_code == 204
    assert shown(seller.http, product) == [one["id"], three["id"]]
    assert seller.http.delete(two["url"]).status_code == 404


def test_the_same_photo_sent_by_many_at_once_is_one(
    seller: Seller, product: dict[str, Any]
) -> None:
    """ST57."""
    start, codes = threading.Barrier(4), []

    def send() -> None:
        start.wait()
        codes.append(upload(seller.http, product, photo()).status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 200, 200, 201]
    assert len(shown(seller.http, product)) == 1


def test_another_shop_sees_no_photo(
    api: httpx.Client,
    seller: Seller,
    other_seller: Seller,
    product: dict[str, Any],
    database: Database,
) -> None:
    """ST12, ST57: not even where the numbers of product and photo are their own."""
    image = upload(seller.http, product, photo()).json()
    foreign, own = other_seller.http, create(other_seller.http)
    upload(foreign, own, photo(shade=200))
    before = stored(database, seller.tenant), stored(database, other_seller.tenant)
    for url in (f"{images_of(product)}/{2**62}", f"{images_of(own)}/{image['id'] + 1}"):
        assert foreign.get(url).status_code == 404
        assert foreign.delete(url).status_code == 404
    assert (own["id"], image["id"]) == (product["id"], 1)
    assert foreign.get(image["url"]).content == photo(shade=200)
    assert api.get(image["url"]).status_code == 401
    assert (stored(database, seller.tenant), stored(database, other_seller.tenant)) == before


def test_photos_of_a_deleted_product_are_gone(seller: Seller, product: dict[str, Any]) -> None:
    """ST56."""
    image = upload(seller.http, product, photo()).json()
    seller.http.delete(f"{PRODUCTS}/{product['id']}", headers={"If-Match": "*"})
    assert seller.http.get(image["url"]).status_code == 404
    assert seller.http.delete(image["url"]).status_code == 404
    assert upload(seller.http, product, photo(shade=9)).status_code == 404


def test_no_transaction_is_open_while_bytes_travel(
    seller: Seller, product: dict[str, Any], container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DESIGN 3: no connection is held across a call to the outside."""
    held: list[int] = []
    pool: Any = container.database.engine.pool

    def watched(name: str) -> None:
        real = getattr(container.object_store, name)

        def call(*given: Any) -> Any:
            held.append(pool.checkedout())
            return real(*given)

        monkeypatch.setattr(container.object_store, name, call)

    for name in ("put", "get", "exists"):
        watched(name)
    image = upload(seller.http, product, photo()).json()
    assert seller.http.get(image["url"]).content == photo()
    assert held == [0, 0, 0]


def test_real_photos_are_taken_or_refused_as_they_should(
    seller: Seller, product: dict[str, Any]
) -> None:
    """ST57: turned by EXIF, with alpha, WebP, large, cut short, no image at all."""
    folder = real_files_or_skip() / "images" / "special"
    sizes = {
        "orientation_6_real.jpg": (1200, 1800),
        "blazer_orientation_8_gps.jpg": (400, 533),
        "dress.png": (400, 711),
        "dress_alpha.png": (240, 320),
        "dash-tee-back.png": (2160, 2160),
        "dress.webp": (400, 711),
        "dress_large.jpg": (1200, 1600),
    }
    for name, size in sizes.items():
        image = upload(seller.http, product, (folder / name).read_bytes()).json()
        assert (image["width"], image["height"]) == size, name
        assert seller.http.get(image["url"]).content == (folder / name).read_bytes()
    for name in ("truncated.jpg", "not_an_image.jpg"):
        answer = upload(seller.http, product, (folder / name).read_bytes())
        assert answer.json()["code"] == "photo-refused", name
