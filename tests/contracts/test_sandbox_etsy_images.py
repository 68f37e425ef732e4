"""Pictures of the sandbox Etsy."""

import hashlib

import pytest

from tests.contracts.etsy_shop import EtsyShop, EtsySite, picture


def order(shop: EtsyShop, listing_id: int) -> list[int]:
    """A listing's pictures by rank."""
    rows = shop.call("GET", f"/listings/{listing_id}/images").json()["results"]
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["listing_image_id"] for row in rows]


def test_a_picture_is_kept_as_it_was_sent_and_its_looks_come_later(
    etsy_sandbox: EtsySite,
) -> None:
    """C3: the first answer knows no colours; the second does."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    made = shop.upload(listing_id, "lime", alt_text="A shirt on a line")
    assert made.status_code == 201
    assert (made.json()["hex_code"], made.json()["full_width"]) == (None, None)
    image_id = made.json()["listing_image_id"]
    found = shop.call("GET", f"/listings/{listing_id}/images/{image_id}").json()
    assert (found["full_width"], found["full_height"]) == (64, 48)
    assert (found["green"] > 240, found["red"] < 15, found["hue"]) == (True, True, 120)
    assert (found["alt_text"], found["rank"]) == ("A shirt on a line", 1)
    kept = etsy_sandbox.http.get(f"/_sandbox/images/{image_id}")
    assert (kept.content, kept.headers["content-type"]) == (picture("lime"), "image/jpeg")
    row = etsy_sandbox.read("ledger")["listings"][0]["images"][0]
    assert row["sha256"] == hashlib.sha256(picture("lime")).hexdigest()


def test_without_a_rank_the_newest_comes_first(etsy_sandbox: EtsySite) -> None:
    """C3: rank 1 is the default, so whoever leaves it out turns the order around."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    first, second = (shop.upload(listing_id).json()["listing_image_id"] for _ in range(2))
    assert order(shop, listing_id) == [second, first]


def test_ranks_put_pictures_in_order(etsy_sandbox: EtsySite) -> None:
    """C3: one beyond the last stands last; one in between moves the others on."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    ids = [
        shop.upload(listing_id, rank=rank).json()["listing_image_id"] for rank in ("1", "9", "2")
    ]
    assert order(shop, listing_id) == [ids[0], ids[2], ids[1]]


def test_overwriting_takes_the_place_of_another(etsy_sandbox: EtsySite) -> None:
    """C3: and only then."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    first = shop.upload(listing_id, rank="1").json()["listing_image_id"]
    second = shop.upload(listing_id, rank="2").json()["listing_image_id"]
    third = shop.upload(listing_id, rank="1", overwrite="true").json()["listing_image_id"]
    assert order(shop, listing_id) == [third, second]
    assert first not in order(shop, listing_id)


def test_a_listing_can_be_put_in_another_order_and_rid_of_pictures(
    etsy_sandbox: EtsySite,
) -> None:
    """C3: image_ids says all of it; empty is refused, a stranger's too."""
    shop, bruno = etsy_sandbox.shop("alice"), etsy_sandbox.shop("bruno")
    listing_id = shop.draft()
    ids = [
        shop.upload(listing_id, rank=rank).json()["listing_image_id"] for rank in ("1", "2", "3")
    ]
    foreign = bruno.upload(bruno.draft()).json()["listing_image_id"]
    assert shop.patch(listing_id, image_ids=[ids[2], ids[0]]).status_code == 200
    assert order(shop, listing_id) == [ids[2], ids[0]]
    for wrong in ("", f"{foreign}", f"{ids[0]},{ids[0]}"):
        assert shop.patch(listing_id, image_ids=wrong).status_code == 400
    assert order(shop, listing_id) == [ids[2], ids[0]]


def test_a_deleted_picture_can_be_used_again(etsy_sandbox: EtsySite) -> None:
    """C3: by its number, without sending it anew, also on another listing of the shop."""
    shop, bruno = etsy_sandbox.shop("alice"), etsy_sandbox.shop("bruno")
    listing_id, other = shop.draft(), shop.draft()
    image_id = shop.upload(listing_id, alt_text="Front").json()["listing_image_id"]
    path = f"{shop.path}/listings/{listing_id}/images"
    assert shop.call("DELETE", f"{path}/{image_id}").status_code == 204
    assert shop.call("DELETE", f"{path}/{image_id}").status_code == 404
    assert order(shop, listing_id) == []
    files = {"listing_image_id": (None, str(image_id)), "rank": (None, "1")}
    for number in (listing_id, other):
        again = shop.call("POST", f"{shop.path}/listings/{number}/images", files=files)
        assert (again.status_code, again.json()["alt_text"]) == (201, "Front")
        assert order(shop, number) == [image_id]
    stranger = bruno.call("POST", f"{bruno.path}/listings/{bruno.draft()}/images", files=files)
    assert stranger.status_code == 404


@pytest.mark.parametrize(
    "content",
    [picture()[:200], b"", b"no picture", picture(kind="WEBP"), picture(kind="TIFF")],
    ids=["half", "empty", "text", "webp", "tiff"],
)
def test_what_is_no_whole_jpeg_png_or_gif_is_refused(
    etsy_sandbox: EtsySite, content: bytes
) -> None:
    """C1: decoded to the last pixel, whatever its name says."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    path = f"{shop.path}/listings/{listing_id}/images"
    answer = shop.call("POST", path, files={"image": ("a.jpg", content, "image/jpeg")})
    assert answer.status_code == 400
    assert order(shop, listing_id) == []


@pytest.mark.parametrize(
    "form", [{"rank": "0"}, {"rank": "first"}, {"alt_text": "x" * 501}, {"ranking": "1"}]
)
def test_a_picture_with_odd_fields_is_refused(etsy_sandbox: EtsySite, form: dict[str, str]) -> None:
    """ST59: and not kept."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    assert shop.upload(listing_id, **form).status_code == 400
    assert order(shop, listing_id) == []


def test_twenty_pictures_are_the_most(etsy_sandbox: EtsySite) -> None:
    """C1: the next is refused, unless it takes another's place."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    for _ in range(20):
        assert shop.upload(listing_id).status_code == 201
    assert shop.upload(listing_id).status_code == 400
    assert shop.upload(listing_id, rank="20", overwrite="true").status_code == 201
    assert len(order(shop, listing_id)) == 20


def test_a_listing_for_sale_keeps_its_last_picture(etsy_sandbox: EtsySite) -> None:
    """ST59: a draft need not."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    (image_id,) = order(shop, listing_id)
    path = f"{shop.path}/listings/{listing_id}/images/{image_id}"
    assert shop.call("DELETE", path).status_code == 400
    assert order(shop, listing_id) == [image_id]


def test_other_ways_to_send_a_picture_are_none(etsy_sandbox: EtsySite) -> None:
    """ST59: it must be multipart, and hold a picture or the number of one."""
    shop = etsy_sandbox.shop()
    path = f"{shop.path}/listings/{shop.draft()}/images"
    headers = {"content-type": "image/jpeg"}
    assert shop.call("POST", path, content=picture(), headers=headers).status_code == 400
    assert shop.call("POST", path, files={"rank": (None, "1")}).status_code == 400
