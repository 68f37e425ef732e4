"""Photos, drafts and items of the sandbox Vinted."""

import hashlib
import json
import uuid
from typing import Any

import httpx
import pytest

from sandbox.vinted_browser.tab import LONGEST_BODY
from services.gateways.vinted.client import ORDERS_PAGE, WARDROBE_PAGES
from tests.contracts.etsy_shop import picture
from tests.contracts.vinted_site import TSHIRTS, VintedBrowser, VintedSite

SANDALS, TOPS, MUGS = 2949, 12, 2007


def fields(answer: httpx.Response) -> set[str]:
    """What a refused form was refused for."""
    assert (answer.status_code, answer.json()["code"]) == (400, 99)
    assert answer.json()["message_code"] == "validation_error"
    assert all(row["value"] for row in answer.json()["errors"])
    return {row["field"] for row in answer.json()["errors"]}


def test_a_photo_is_answered_at_the_root_and_kept_as_sent(vinted_sandbox: VintedSite) -> None:
    """C3: and can be seen under its address without signing in."""
    browser, temp_uuid = vinted_sandbox.member(), str(uuid.uuid4())
    answer = browser.upload(temp_uuid, "lime").json()
    assert (answer["temp_uuid"], answer["width"], answer["height"]) == (temp_uuid, 64, 48)
    assert len(answer["thumbnails"]) == 9
    seen = httpx.get(answer["url"])
    assert (seen.content, seen.headers["content-type"]) == (picture("lime"), "image/jpeg")
    (row,) = vinted_sandbox.read("ledger")["photos"]
    assert row["sha256"] == hashlib.sha256(picture("lime")).hexdigest()
    assert (row["photo_id"], row["item_id"]) == (answer["id"], None)


@pytest.mark.parametrize(
    ("form", "field"),
    [({"photo[type]": "avatar"}, "type"), ({"photo[temp_uuid]": "mine"}, "temp_uuid")],
)
def test_a_photo_needs_its_fields(
    vinted_sandbox: VintedSite, form: dict[str, str], field: str
) -> None:
    """ST59: and is not kept without."""
    browser = vinted_sandbox.member()
    assert fields(browser.upload(str(uuid.uuid4()), **form)) == {field}
    assert vinted_sandbox.read("ledger")["photos"] == []


def test_half_a_picture_is_none(vinted_sandbox: VintedSite) -> None:
    """C1: decoded to the last pixel."""
    browser = vinted_sandbox.member()
    data = {"photo[type]": "item", "photo[temp_uuid]": str(uuid.uuid4())}
    files = {"photo[file]": ("a.jpg", picture()[:200], "image/jpeg")}
    assert fields(browser.write("POST", "/photos", data=data, files=files)) == {"file"}
    assert fields(browser.write("POST", "/photos", data=data)) == {"base"}


def test_a_draft_is_a_stub_that_its_owner_alone_sees(vinted_sandbox: VintedSite) -> None:
    """B2: the answer is the number and little else."""
    browser, other = vinted_sandbox.member(), vinted_sandbox.member("jonas")
    answer = browser.draft(browser.with_photos(2))
    number = answer.json()["draft"]["id"]
    assert answer.json() == {"draft": {"id": number}, "code": 0}
    item = browser.get(f"/item_upload/items/{number}").json()["item"]
    assert (item["is_draft"], len(item["photos"]), item["catalog_id"]) == (True, 2, TSHIRTS)
    assert (item["price"], item["color1_id"], item["color2_id"]) == (
        {"amount": "19.50", "currency_code": "EUR"},
        9,
        None,
    )
    (row,) = browser.wardrobe()["items"]
    assert (row["id"], row["is_draft"], row["is_closed"]) == (number, True, False)
    seller = browser.user_id()
    assert other.get(f"/wardrobe/{seller}/items").json()["items"] == []
    assert other.get(f"/item_upload/items/{number}").json()["code"] == 106
    assert other.http.get(f"/items/{number}").status_code == 404
    assert browser.get(f"/item_upload/drafts/{number}").status_code == 404


def test_completion_is_judged_by_what_it_sends_not_by_the_draft(
    vinted_sandbox: VintedSite,
) -> None:
    """C6: the whole form again, with `photos` in place of `assigned_photos`."""
    browser = vinted_sandbox.member()
    form = browser.with_photos(2)
    number = browser.draft(form).json()["draft"]["id"]
    path = f"/item_upload/drafts/{number}/completion"
    bare = browser.write("POST", path, {"draft": {"id": number}})
    assert fields(bare) == {
        "title", "description", "price", "currency", "catalog", "package_size", "condition",
        "photos",
    }  # fmt: skip
    assert fields(browser.write("POST", path, {"draft": {**form, "id": number}})) == {"photos"}
    photos = form["assigned_photos"]
    assert fields(browser.write("POST", path, {"draft": {**form, "photos": photos}})) == {"id"}
    assert vinted_sandbox.state_of(number) == "draft"
    done = browser.complete(number, form)
    assert (done.status_code, done.json()["item"]["is_draft"]) == (200, False)
    assert vinted_sandbox.state_of(number) == "active"
    again = browser.complete(number, form)
    assert (again.status_code, again.headers["content-type"][:9]) == (404, "text/html")
    assert len(vinted_sandbox.items()) == 1


def test_a_draft_can_be_deleted_and_an_item_not_as_one(vinted_sandbox: VintedSite) -> None:
    """B9: 403 for what is published."""
    browser = vinted_sandbox.member()
    number = browser.draft(browser.form()).json()["draft"]["id"]
    assert browser.write("DELETE", f"/item_upload/drafts/{number}").status_code == 200
    assert browser.write("DELETE", f"/item_upload/drafts/{number}").status_code == 404
    item = browser.published()
    refusal = browser.write("DELETE", f"/item_upload/drafts/{item}")
    assert (refusal.status_code, refusal.json()["code"]) == (403, 106)
    assert (vinted_sandbox.state_of(number), vinted_sandbox.state_of(item)) == ("deleted", "active")


def test_an_item_is_published_and_has_a_page(vinted_sandbox: VintedSite) -> None:
    """C1: buyers see title, price and every photo."""
    browser = vinted_sandbox.member()
    form = browser.with_photos(3, title="A <b>blue</b> shirt", price=12)
    number = browser.publish(form).json()["item"]["id"]
    page = vinted_sandbox.visitor().http.get(f"/items/{number}-a-b-blue-b-shirt")
    assert page.status_code == 200
    for shown in ("A &lt;b&gt;blue&lt;/b&gt; shirt", "12,00 €", "Nike", "M / 10", "Très bon état"):
        assert shown in page.text
    assert page.text.count("<img") == 3
    (row,) = browser.wardrobe()["items"]
    assert row["price"] == {"amount": "12.00", "currency_code": "EUR"}
    assert (len(row["photos"]), row["status"], row["size"]) == (1, "Très bon état", "M / 10")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"description": None}, "description"),
        ({"price": "19.50"}, "price"),
        ({"price": True}, "price"),
        ({"price": 0}, "price"),
        ({"currency": "USD"}, "currency"),
        ({"catalog_id": 999999}, "catalog"),
        ({"catalog_id": TOPS}, "catalog"),
        ({"brand_id": None, "brand": None}, "brand"),
        ({"brand_id": 3}, "brand"),
        ({"color_ids": None}, "color"),
        ({"color_ids": [1, 2, 3]}, "color"),
        ({"color_ids": [99]}, "color"),
        ({"package_size_id": None}, "package_size"),
        ({"package_size_id": 9}, "package_size"),
        ({"item_attributes": [{"code": "condition", "ids": [2]}]}, "size"),
        ({"item_attributes": [{"code": "size", "ids": [4]}]}, "condition"),
        ({"item_attributes": "M"}, "item_attributes"),
    ],
)
def test_a_form_that_lacks_or_misstates_something_is_refused(
    vinted_sandbox: VintedSite, changes: dict[str, Any], field: str
) -> None:
    """ST59: 400 code 99 names it, and nothing is made."""
    browser = vinted_sandbox.member()
    assert fields(browser.publish(browser.with_photos(**changes))) == {field}
    assert vinted_sandbox.items() == []


@pytest.mark.parametrize(
    ("code", "ids"),
    [("size", [789]), ("condition", [5]), ("condition", [8]), ("material", [9]), ("sise", [4])],
)
def test_attributes_that_do_not_fit_are_refused(
    vinted_sandbox: VintedSite, code: str, ids: list[int]
) -> None:
    """ST59: 789 is a size of men's shoes."""
    browser = vinted_sandbox.member()
    form = browser.with_photos()
    rows = [row for row in form["item_attributes"] if row["code"] != code]
    form["item_attributes"] = [*rows, {"code": code, "ids": ids}]
    assert fields(browser.publish(form)) == {code}


def test_everything_wrong_is_told_at_once(vinted_sandbox: VintedSite) -> None:
    """C6."""
    browser = vinted_sandbox.member()
    form = browser.form(brand_id=None, brand=None, color_ids=[1, 2, 3], price=-1)
    assert fields(browser.publish(form)) == {"brand", "color", "price", "photos"}


def test_a_category_without_sizes_asks_for_none(vinted_sandbox: VintedSite) -> None:
    """C6: nor for what else it does not have."""
    browser = vinted_sandbox.member()
    groups = browser.get("/item_upload/size_groups", **{"catalog_ids[]": MUGS})
    assert (groups.status_code, groups.headers["content-type"][:9]) == (404, "text/html")
    condition = [{"code": "condition", "ids": [1]}]
    assert browser.published(catalog_id=MUGS, item_attributes=condition) > 0


def test_the_old_fields_count_where_the_site_is_an_old_one(vinted_sandbox: VintedSite) -> None:
    """C6: size_id and status_id, as on some of Vinted's sites."""
    browser = vinted_sandbox.member()
    vinted_sandbox.control("site", {"legacy_form": True})
    assert fields(browser.publish(browser.with_photos())) == {"size", "condition"}
    form = browser.with_photos(size_id=4, status_id=3, item_attributes=None)
    item = browser.publish(form).json()["item"]
    assert (item["size_id"], item["status_id"]) == (4, 3)
    vinted_sandbox.control("site", {"legacy_form": False})
    assert fields(browser.publish(form)) == {"size", "condition", "photos"}


def test_one_photo_to_twenty_each_once_and_ones_own(vinted_sandbox: VintedSite) -> None:
    """C1: sent under the temp_uuid of the item, and of no other item."""
    browser, other = vinted_sandbox.member(), vinted_sandbox.member("jonas")
    many = browser.with_photos(21)
    assert fields(browser.publish(many)) == {"photos"}
    photos = many.pop("assigned_photos")
    for wrong in (
        [],
        [{"id": 1}],
        [photos[0], photos[0]],
        [{"id": other.photo(many["temp_uuid"])}],
        [{"id": browser.photo(str(uuid.uuid4()))}],
        [photos[0]["id"]],
    ):
        assert fields(browser.publish({**many, "assigned_photos": wrong})) == {"photos"}
    assert browser.publish({**many, "assigned_photos": photos[:20]}).status_code == 200
    assert fields(browser.publish({**many, "assigned_photos": photos[:1]})) == {"photos"}
    assert len(vinted_sandbox.items()) == 1


def edit(browser: VintedBrowser, number: int, form: dict[str, Any]) -> httpx.Response:
    body = {"item": {**form, "id": number}, "feedback_id": None}
    return browser.write("PUT", f"/item_upload/items/{number}", body)


def test_an_edit_replaces_everything_and_photos_left_out_are_lost(
    vinted_sandbox: VintedSite,
) -> None:
    """C1: whoever names no photos is refused."""
    browser = vinted_sandbox.member()
    form = browser.with_photos(2)
    number = browser.publish(form).json()["item"]["id"]
    first, second = form["assigned_photos"]
    changed = {**form, "price": 15, "title": "Blue shirt, new price"}
    assert edit(browser, number, changed).status_code == 200
    swapped = {**changed, "assigned_photos": [second, first]}
    item = edit(browser, number, swapped).json()["item"]
    assert [photo["id"] for photo in item["photos"]] == [second["id"], first["id"]]
    assert fields(edit(browser, number, {**changed, "assigned_photos": []})) == {"photos"}
    without = {name: value for name, value in changed.items() if name != "title"}
    assert fields(edit(browser, number, without)) == {"title"}
    assert fields(browser.write("PUT", f"/item_upload/items/{number}", {"item": changed})) == {"id"}
    assert edit(browser, number, {**changed, "assigned_photos": [first]}).status_code == 200
    (row,) = vinted_sandbox.items()
    assert (row["price"], row["photo_ids"], row["changes"]) == (1500, [first["id"]], 3)


def test_only_ones_own_items_can_be_changed(vinted_sandbox: VintedSite) -> None:
    """ST59: 403 code 106 for another's."""
    browser, other = vinted_sandbox.member(), vinted_sandbox.member("jonas")
    form = browser.with_photos()
    number = browser.publish(form).json()["item"]["id"]
    for answer in (
        edit(other, number, form),
        other.write("POST", f"/items/{number}/delete"),
        other.write("PUT", f"/items/{number}/is_hidden", {"is_hidden": True}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, 106)
    assert (vinted_sandbox.items()[0]["changes"], vinted_sandbox.state_of(number)) == (0, "active")


def test_an_item_is_deleted_by_post_and_then_gone(vinted_sandbox: VintedSite) -> None:
    """B9: the second time is 404, a page."""
    browser = vinted_sandbox.member()
    number = browser.published()
    assert browser.write("DELETE", f"/items/{number}/delete").status_code == 404
    assert browser.write("POST", f"/items/{number}/delete").json() == {"code": 0}
    for answer in (
        browser.write("POST", f"/items/{number}/delete"),
        browser.get(f"/item_upload/items/{number}"),
        browser.http.get(f"/items/{number}"),
    ):
        assert (answer.status_code, answer.headers["content-type"][:9]) == (404, "text/html")
    assert browser.wardrobe()["items"] == []


def test_an_item_is_hidden_from_buyers_not_from_its_owner(vinted_sandbox: VintedSite) -> None:
    """A3: and it does not look deleted to them."""
    browser = vinted_sandbox.member()
    number = browser.published()
    path = f"/items/{number}/is_hidden"
    assert fields(browser.write("PUT", path, {"is_hidden": "yes"})) == {"is_hidden"}
    assert browser.write("PUT", path, {"is_hidden": True}).status_code == 200
    assert vinted_sandbox.visitor().http.get(f"/items/{number}").status_code == 404
    assert "Masqué" in browser.http.get(f"/items/{number}").text
    assert browser.wardrobe()["items"][0]["is_hidden"] is True
    browser.write("PUT", path, {"is_hidden": False})
    assert vinted_sandbox.visitor().http.get(f"/items/{number}").status_code == 200


def test_wardrobes_have_pages_that_begin_at_one(vinted_sandbox: VintedSite) -> None:
    """A4: and tell how many there are."""
    browser = vinted_sandbox.member()
    numbers = [browser.draft(browser.form()).json()["draft"]["id"] for _ in range(5)]
    first, last = browser.wardrobe(1, 2), browser.wardrobe(3, 2)
    assert [row["id"] for row in first["items"]] == [numbers[4], numbers[3]]
    assert [row["id"] for row in last["items"]] == [numbers[0]]
    assert first["pagination"] == {
        "current_page": 1,
        "total_pages": 3,
        "total_entries": 5,
        "per_page": 2,
    }
    assert browser.wardrobe(4, 2)["items"] == []
    assert browser.get("/wardrobe/1/items").status_code == 404


def test_a_page_of_a_wardrobe_can_mislead(vinted_sandbox: VintedSite) -> None:
    """A4: empty, not there, or as if it were the last."""
    browser = vinted_sandbox.member()
    for _ in range(5):
        browser.draft(browser.form())
    for kind in ("empty_page", "missing_page", "fewer_pages"):
        vinted_sandbox.control("wardrobe", {"kind": kind, "page": 2, "times": 1})
    seller = browser.user_id()
    assert len(browser.wardrobe(1, 2)["items"]) == 2
    empty = browser.wardrobe(2, 2)
    assert (empty["items"], empty["pagination"]["total_pages"]) == ([], 3)
    assert browser.get(f"/wardrobe/{seller}/items", page=2, per_page=2).status_code == 404
    fewer = browser.wardrobe(2, 2)
    assert (len(fewer["items"]), fewer["pagination"]["total_entries"]) == (2, 4)
    assert fewer["pagination"]["total_pages"] == 2
    assert browser.wardrobe(2, 2)["pagination"]["total_pages"] == 3
    vinted_sandbox.control("wardrobe", {"kind": "empty_page", "page": 1})
    assert browser.wardrobe()["items"] == []
    vinted_sandbox.control("wardrobe", method="DELETE")
    assert len(browser.wardrobe()["items"]) == 5


def test_a_page_of_a_wardrobe_can_lack_its_rows(vinted_sandbox: VintedSite) -> None:
    """A4: JSON, and well answered, but not what a wardrobe is."""
    browser = vinted_sandbox.member()
    vinted_sandbox.control("wardrobe", {"kind": "no_list", "page": 1, "times": 1})
    assert browser.wardrobe() == {"code": 0}
    assert browser.wardrobe()["items"] == []


def test_rows_are_as_long_as_real_ones_and_the_pages_we_ask_for_fit(
    vinted_sandbox: VintedSite,
) -> None:
    """ST37: into what an extension passes on, with room; also where rows show all photos."""
    browser = vinted_sandbox.member()
    number = browser.published(count=20, title="A title of fifty characters, as sellers write")
    alone = _length(browser.wardrobe()["items"][0])
    assert 2_800 < alone < 3_200
    assert alone * WARDROBE_PAGES[0] < 0.75 * LONGEST_BODY
    assert alone * 96 > LONGEST_BODY
    vinted_sandbox.control("site", {"all_photos": True})
    whole = _length(browser.wardrobe()["items"][0])
    assert 0.2 * LONGEST_BODY < whole < LONGEST_BODY / WARDROBE_PAGES[-1]
    assert len(browser.get(f"/item_upload/items/{number}").text) < 0.5 * LONGEST_BODY
    vinted_sandbox.control("orders", {"item_id": number})
    row = browser.get("/my_orders").json()["my_orders"][0]
    assert _length(row) * ORDERS_PAGE < 0.5 * LONGEST_BODY


def _length(row: dict[str, Any]) -> int:
    return len(json.dumps(row, separators=(",", ":"), ensure_ascii=False))


def test_forms_are_filled_in_from_dictionaries(vinted_sandbox: VintedSite) -> None:
    """C6."""
    browser = vinted_sandbox.member()
    roots = browser.get("/item_upload/catalogs").json()["catalogs"]
    assert {1904, 5, 1193, 1918, 2093, 2309} <= {root["id"] for root in roots}
    colors = browser.get("/item_upload/colors").json()["colors"]
    assert (len(colors), colors[0]["title"]) == (28, "Noir")
    brands = browser.get("/item_upload/brands", keyword="nik").json()["brands"]
    assert [(brand["id"], brand["title"]) for brand in brands] == [(53, "Nike")]
    groups = browser.get("/item_upload/size_groups", **{"catalog_ids[]": TSHIRTS}).json()
    assert {"id": 4, "title": "M / 10"} in groups["size_groups"][0]["sizes"]
    conditions = browser.get("/item_upload/conditions", catalog_id=TSHIRTS).json()["conditions"]
    assert [one["id"] for one in conditions] == [6, 1, 2, 3, 4]
    asked = {"attributes": [{"code": "category", "value": [TSHIRTS]}]}
    attributes = browser.write("POST", "/item_upload/attributes", asked).json()["attributes"]
    required = {one["code"]: one["configuration"]["required"] for one in attributes}
    assert required == {
        "brand": True, "size": True, "condition": True, "color": True, "material": False,
    }  # fmt: skip
    assert len(browser.get(f"/catalogs/{TSHIRTS}/package_sizes").json()["package_sizes"]) == 3
    assert fields(browser.write("POST", "/item_upload/attributes", {})) == {"category"}
    assert browser.get("/item_upload/conditions", catalog_id="x").status_code == 404


def test_what_is_no_json_object_is_refused(vinted_sandbox: VintedSite) -> None:
    """ST59."""
    browser = vinted_sandbox.member()
    headers = {"X-CSRF-Token": browser.csrf()}
    for content in (b"[]", b"{", b'"draft"'):
        answer = browser.http.post("/api/v2/item_upload/drafts", content=content, headers=headers)
        assert fields(answer) == {"base"}
    for body in ({}, {"draft": None}, {"draft": []}):
        assert fields(browser.write("POST", "/item_upload/drafts", body)) == {"base"}
    unfit = {"draft": {"price": "1", "catalog_id": TOPS}}
    assert fields(browser.write("POST", "/item_upload/drafts", unfit)) == {"price"}
    assert vinted_sandbox.items() == []
