"""Pictures at the sandbox eBay."""

import httpx
import pytest

from tests.contracts.ebay_shop import Sandbox, Shop, error_ids, picture

MEDIA = "/commerce/media/v1_beta/image"


def upload(shop: Shop, content: bytes, field: str = "image") -> httpx.Response:
    """Upload a file in one multipart field."""
    files = {field: ("a.jpg", content, "image/jpeg")}
    return shop.call("POST", f"{MEDIA}/create_image_from_file", files=files)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_an_uploaded_picture_is_kept_as_it_was(sandbox: Sandbox, kind: str) -> None:
    """C1: 201 with Location; getImage gives an https address; the bytes are the same."""
    shop = sandbox.shop()
    content = picture(kind)
    created = upload(shop, content)
    assert created.status_code == 201
    location = created.headers["location"]
    view = shop.call("GET", location).json()
    assert view["imageUrl"].startswith("https://")
    assert view == created.json()
    image_id = location.rsplit("/", 1)[1]
    assert sandbox.http.get(f"/_sandbox/images/{image_id}").content == content


@pytest.mark.parametrize(
    ("content", "error_id"),
    [
        (b"not a picture", 190203),
        (b"", 190203),
        (picture()[:150], 190203),
        (picture("PPM"), 190203),
        (picture() + b"\0" * (12 * 1024 * 1024), 190201),
        (picture("PNG", (15_001, 1)), 190202),
    ],
    ids=["text", "empty", "torn", "format", "bytes", "dimensions"],
)
def test_a_file_that_is_no_good_picture_is_refused(
    sandbox: Sandbox, content: bytes, error_id: int
) -> None:
    """C4: decoded to the last pixel, at most 12 MB and 15,000 pixels a side."""
    answer = upload(sandbox.shop(), content)
    assert (answer.status_code, error_ids(answer)) == (400, [error_id])
    assert "location" not in answer.headers


def test_the_field_is_called_image(sandbox: Sandbox) -> None:
    """C4: any other field, and any other content type, is no picture."""
    shop = sandbox.shop()
    assert error_ids(upload(shop, picture(), field="file")) == [190203]
    path = f"{MEDIA}/create_image_from_file"
    assert error_ids(shop.call("POST", path, content=picture())) == [190203]
    headers = {"Content-Type": "multipart/form-data"}
    assert error_ids(shop.call("POST", path, content=b"x", headers=headers)) == [190203]


def test_fifty_uploads_in_five_seconds_are_enough(sandbox: Sandbox) -> None:
    """E10: the 51st is 429, for this user only; five seconds later it goes on."""
    shop = sandbox.shop()
    content = picture(size=(2, 2))
    statuses = [upload(shop, content).status_code for _ in range(51)]
    assert statuses == [201] * 50 + [429]
    assert upload(sandbox.shop("bob"), content).status_code == 201
    sandbox.control("clock/advance", {"seconds": 5})
    assert upload(shop, content).status_code == 201


def test_a_listing_shows_only_pictures_that_exist(sandbox: Sandbox) -> None:
    """C1: a made-up address of the picture service is 25015 at publishing."""
    shop = sandbox.shop()
    url = upload(shop, picture()).json()["imageUrl"]
    shop.add_location()
    shop.put_item("SKU-1", imageUrls=[url.replace("/s-l", "x/s-l")])
    offer_id = shop.add_offer("SKU-1")
    assert error_ids(shop.post(f"/offer/{offer_id}/publish")) == [25015]
    shop.put_item("SKU-1", imageUrls=[url])
    assert shop.post(f"/offer/{offer_id}/publish").status_code == 200
    assert sandbox.ledger()[0]["image_urls"] == [url]


@pytest.mark.parametrize(
    "url", ["ftp://x.example/a.jpg", "http://x.example/a.jpg", "http://[", "", None, "file:///etc"]
)
def test_pictures_are_fetched_over_https_only(sandbox: Sandbox, url: str | None) -> None:
    """C1: anything else is 190204, and nothing is asked of anybody."""
    answer = sandbox.shop().call("POST", f"{MEDIA}/create_image_from_url", json={"imageUrl": url})
    assert (answer.status_code, error_ids(answer)) == (400, [190204])


def test_another_sellers_picture_is_not_found(sandbox: Sandbox) -> None:
    """C3: pictures belong to who uploaded them."""
    location = upload(sandbox.shop("alice"), picture()).headers["location"]
    answer = sandbox.shop("bob").call("GET", location)
    assert (answer.status_code, error_ids(answer)) == (404, [190200])
