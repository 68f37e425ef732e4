"""Bad days on demand, the memory of the sandbox Etsy, and odd input."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.etsy.app import OPERATIONS, create_app
from sandbox.etsy.sandbox import Options
from sandbox.server import serving
from tests.contracts.etsy_calls import WELL_AND_REFUSED, receipt, sizes
from tests.contracts.etsy_shop import API_KEY, EtsyShop, EtsySite

ODD_TEXTS = ("", " ", "\x00", "-1", "9" * 40, "[]", "{}", "é" * 3_000, "null", "1e999", "٣")
ODD_VALUES: tuple[Any, ...] = (None, True, -1, 0.5, "x", [], {}, [None], {"a": 1}, 10**30, "\x00")


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        ("timeout_after_success", True),
        ("lost_answer", True),
        ("timeout_before", False),
        ("drop_connection", False),
    ],
)
def test_a_client_cannot_tell_lost_work_from_a_lost_answer_but_the_ledger_can(
    etsy_sandbox: EtsySite, kind: str, done: bool
) -> None:
    """(c)16, B1: no byte of an answer either way."""
    shop = etsy_sandbox.shop()
    etsy_sandbox.fault("createDraftListing", kind, delay_s=0)
    with pytest.raises(httpx.RemoteProtocolError):
        shop.draft()
    assert len(etsy_sandbox.read("ledger")["listings"]) == int(done)
    row = etsy_sandbox.read("requests")["requests"][-1]
    assert (row["operation"], row["method"], row["status"]) == ("createDraftListing", "POST", None)
    assert row["path"].endswith(f"{shop.path}/listings")
    shop.draft()
    assert etsy_sandbox.calls("createDraftListing") == 2


@pytest.mark.parametrize(("kind", "status"), [("http_500", 500), ("http_503", 503)])
def test_etsys_own_troubles_change_nothing(etsy_sandbox: EtsySite, kind: str, status: int) -> None:
    """C8: in Etsy's shape."""
    shop = etsy_sandbox.shop()
    etsy_sandbox.fault("createDraftListing", kind)
    answer = shop.call("POST", f"{shop.path}/listings", data=shop.draft_form())
    assert (answer.status_code, set(answer.json())) == (status, {"error"})
    assert etsy_sandbox.read("ledger")["listings"] == []


def test_too_many_calls_come_with_a_time_to_wait(etsy_sandbox: EtsySite) -> None:
    """E8: as long as the fault says."""
    shop = etsy_sandbox.shop()
    etsy_sandbox.fault("getMe", "http_429", retry_after_s=86_400)
    refused = shop.call("GET", "/users/me")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "86400")
    assert shop.call("GET", "/users/me").status_code == 200


@pytest.mark.parametrize(
    ("kind", "word", "refreshes"),
    [("expired_token", "expired", True), ("revoked_token", "invalid", False)],
)
def test_a_token_can_end_in_the_middle_of_work(
    etsy_sandbox: EtsySite, kind: str, word: str, refreshes: bool
) -> None:
    """E3: expired is mended by refreshing, revoked is not."""
    tokens = etsy_sandbox.tokens()
    row = etsy_sandbox.read("sellers")["sellers"][0]
    shop = EtsyShop(etsy_sandbox, tokens["access_token"], row)
    etsy_sandbox.fault("createDraftListing", kind)
    for _ in range(2):
        answer = shop.call("POST", f"{shop.path}/listings", data=shop.draft_form())
        assert answer.status_code == 401
        assert word in answer.json()["error_description"]
    assert (etsy_sandbox.refresh(tokens["refresh_token"]).status_code == 200) is refreshes
    assert etsy_sandbox.read("ledger")["listings"] == []


def test_everything_is_remembered_over_a_restart(tmp_path: Path) -> None:
    """(c)16: tokens, listings, pictures, orders, fees, e-mails and time."""
    options = Options(state_file=tmp_path / "etsy.json")
    with serving(create_app(options)) as url, httpx.Client(base_url=url) as http:
        site = EtsySite(http)
        shop = site.shop()
        listing_id = shop.listed(item_weight="1.5", item_weight_unit="kg")
        shop.put_inventory(listing_id, sizes(shop))
        path = receipt(shop)
        site.control("clock/advance", {"seconds": 60})
        before = [shop.get(listing_id), shop.call("GET", path).json(), site.read("ledger")]
        images = [row["image_id"] for row in site.read("ledger")["listings"][0]["images"]]
        pictures = http.get(f"/_sandbox/images/{images[0]}").content
    with serving(create_app(options)) as url, httpx.Client(base_url=url) as http:
        site, shop.site = EtsySite(http), EtsySite(http)
        after = [shop.get(listing_id), shop.call("GET", path).json(), site.read("ledger")]
        assert after == before
        assert http.get(f"/_sandbox/images/{images[0]}").content == pictures
        assert shop.patch(listing_id, title="Renamed").status_code == 200


def test_control_orders_that_make_no_sense_are_refused(etsy_sandbox: EtsySite) -> None:
    """ST59: with a reason, and nothing changes."""
    before = etsy_sandbox.read("sellers")
    for path, body in (
        ("sellers", {"name": "a b"}),
        ("sellers", {"name": "alice"}),
        ("sellers", {"name": "eve", "country": "XX"}),
        ("sellers/nobody/revoke", {}),
        ("apps", {"colour": "red"}),
        ("limits", {"per_second": -1}),
        ("faults", {"kind": "none"}),
        ("clock/advance", {"seconds": "long"}),
        ("orders/1/pay", {}),
    ):
        answer = etsy_sandbox.http.post(f"/_sandbox/{path}", json=body)
        assert (answer.status_code, set(answer.json())) == (400, {"error"}), path
    assert etsy_sandbox.read("sellers") == before


def test_an_address_that_etsy_does_not_have_is_not_found(etsy_sandbox: EtsySite) -> None:
    """ST59: in Etsy's shape."""
    answer = etsy_sandbox.http.get("/v3/application/nothing", headers={"x-api-key": API_KEY})
    assert (answer.status_code, set(answer.json())) == (404, {"error"})


@pytest.mark.parametrize("one", [one for one in OPERATIONS if one.form], ids=lambda one: one.path)
def test_no_odd_text_in_a_form_brings_it_down(etsy_sandbox: EtsySite, one: Any) -> None:
    """ST59: an answer of the documented kind to whatever stands in a field."""
    etsy_sandbox.control("limits", {"per_second": 10**6})
    shop = etsy_sandbox.shop()
    good = WELL_AND_REFUSED[one.operation_id][0](shop).request
    form = dict(httpx.QueryParams(good.content.decode()))
    for field in one.form:
        for odd in ODD_TEXTS:
            answer = shop.site.http.request(
                good.method, good.url, data={**form, field.name: odd}, headers=shop.headers
            )
            assert answer.status_code < 500, (field.name, odd, answer.text)


def test_no_odd_value_in_an_inventory_brings_it_down(etsy_sandbox: EtsySite) -> None:
    """ST59: at every level."""
    etsy_sandbox.control("limits", {"per_second": 10**6})
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    for odd in ODD_VALUES:
        body = sizes(shop)
        product = body["products"][0]
        for part in (body, product, product["offerings"][0], product["property_values"][0]):
            for name, good in part.items():
                part[name] = odd
                answer = shop.put_inventory(listing_id, body)
                assert answer.status_code < 500, (name, odd, answer.text)
                part[name] = good


def test_no_odd_value_in_a_parcel_or_a_path_brings_it_down(etsy_sandbox: EtsySite) -> None:
    """ST59: nor in a query."""
    etsy_sandbox.control("limits", {"per_second": 10**6})
    shop = etsy_sandbox.shop()
    path = receipt(shop)
    for odd in ODD_VALUES:
        for name in ("tracking_code", "carrier_name", "send_bcc", "weight", "customs_data"):
            answer = shop.call("POST", f"{path}/tracking", json={name: odd})
            assert answer.status_code < 500, (name, odd)
    for odd in ("0", "-1", "x", "9" * 40, "%00", "1.5"):
        assert shop.call("GET", f"/listings/{odd}").status_code in (400, 404)
        assert shop.call("GET", f"{shop.path}/listings", params={"limit": odd}).status_code == 400
