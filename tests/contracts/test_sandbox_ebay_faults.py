"""Bad days on demand, and the sandbox's own controls."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.ebay.app import create_app
from sandbox.ebay.sandbox import Options
from sandbox.server import serving
from tests.contracts.ebay_shop import (
    INVENTORY,
    KEYSET,
    LANGUAGE,
    Sandbox,
    Shop,
    callback_query,
    error_ids,
    full_scopes,
    item,
    picture,
)


def calls(sandbox: Sandbox, operation: str) -> int:
    """How often an operation was called."""
    return int(sandbox.control("calls", method="GET")["calls"].get(operation, 0))


def test_a_timeout_after_success_hides_work_that_was_done(sandbox: Sandbox) -> None:
    """(c)16, B1: no byte of an answer, yet the listing is live."""
    shop = sandbox.shop()
    offer_id = shop.stocked()
    sandbox.fault("publishOffer", "timeout_after_success", delay_s=0)
    with pytest.raises(httpx.RemoteProtocolError):
        shop.post(f"/offer/{offer_id}/publish")
    assert [row["status"] for row in sandbox.ledger()] == ["ACTIVE"]
    assert shop.read(f"/offer/{offer_id}").json()["status"] == "PUBLISHED"
    assert calls(sandbox, "publishOffer") == 1


def test_a_client_that_gives_up_finds_the_work_done(sandbox: Sandbox) -> None:
    """(c)16, B1: the usual fault holds the answer for longer than any client waits."""
    shop = sandbox.shop()
    offer_id = shop.stocked()
    sandbox.fault("publishOffer", "timeout_after_success")
    with pytest.raises(httpx.ReadTimeout):
        shop.call("POST", f"{INVENTORY}/offer/{offer_id}/publish", timeout=0.2)
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize("kind", ["timeout_before", "drop_connection"])
def test_a_call_lost_on_the_way_changes_nothing(sandbox: Sandbox, kind: str) -> None:
    """(c)16: the client cannot tell it from the fault above; the ledger can."""
    shop = sandbox.shop()
    offer_id = shop.stocked()
    sandbox.fault("publishOffer", kind, delay_s=0)
    with pytest.raises(httpx.RemoteProtocolError):
        shop.post(f"/offer/{offer_id}/publish")
    assert sandbox.ledger() == []
    assert shop.post(f"/offer/{offer_id}/publish").status_code == 200


def test_over_quota_says_nothing_about_when_to_come_back(sandbox: Sandbox) -> None:
    """E10: 429 with 2001 and no Retry-After, unless the fault asks for one."""
    shop = sandbox.shop()
    sandbox.fault("getInventoryItems", "http_429")
    sandbox.fault("getInventoryItems", "http_429", retry_after_s=7)
    plain, polite = shop.read("/inventory_item"), shop.read("/inventory_item")
    assert (plain.status_code, error_ids(plain)) == (429, [2001])
    assert "retry-after" not in plain.headers
    assert polite.headers["retry-after"] == "7"
    assert shop.read("/inventory_item").status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("http_500", 500), ("http_503", 503)])
def test_system_errors_are_errors_of_the_application(
    sandbox: Sandbox, kind: str, status: int
) -> None:
    """C8: 25001 passes; the call changes nothing."""
    shop = sandbox.shop()
    sandbox.fault("createOrReplaceInventoryItem", kind)
    answer = shop.put_item("SKU-1")
    assert (answer.status_code, error_ids(answer)) == (status, [25001])
    assert answer.json()["errors"][0]["category"] == "APPLICATION"
    assert shop.read("/inventory_item/SKU-1").status_code == 404


def test_an_expired_token_stays_expired(sandbox: Sandbox) -> None:
    """ST23: repeating the call does not help, a refreshed token does."""
    tokens = sandbox.tokens("alice")
    shop = Shop(sandbox, tokens["access_token"])
    sandbox.fault("getInventoryItems", "expired_token")
    for _ in range(2):
        answer = shop.read("/inventory_item")
        assert (answer.status_code, error_ids(answer)) == (401, [1001])
    fresh = sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
    assert Shop(sandbox, fresh["access_token"]).read("/inventory_item").status_code == 200


def test_a_revoked_token_takes_all_the_sellers_tokens_along(sandbox: Sandbox) -> None:
    """E3: in the middle of work; refreshing fails too, and another seller is not touched."""
    tokens, other = sandbox.tokens("alice"), sandbox.shop("bob")
    shop = Shop(sandbox, tokens["access_token"])
    sandbox.fault("getInventoryItems", "revoked_token")
    for _ in range(2):
        assert shop.read("/inventory_item").status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert sandbox.token(**form).json()["error"] == "invalid_grant"
    assert other.read("/inventory_item").status_code == 200


def test_a_lost_answer_is_lost_at_once(sandbox: Sandbox) -> None:
    """(c)16, B1: no waiting, no byte, and the item is there."""
    shop = sandbox.shop()
    sandbox.fault("createOrReplaceInventoryItem", "lost_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        shop.put_item("SKU-1")
    assert shop.read("/inventory_item/SKU-1").status_code == 200


def test_the_token_endpoint_has_bad_days_too(sandbox: Sandbox) -> None:
    """E1: a 503 there is not an invalid_grant."""
    sandbox.fault("token", "http_503", retry_after_s=1)
    answer = sandbox.token(grant_type="client_credentials", scope="x")
    assert (answer.status_code, answer.json()["error"]) == (503, "server_error")
    assert answer.headers["retry-after"] == "1"
    sandbox.fault("token", "drop_connection")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.token(grant_type="client_credentials", scope="x")


def test_two_writers_of_one_item_collide(small_catalogue: Path) -> None:
    """ST26: the second gets 500 with 25025; the first one's item stands."""
    app = create_app(Options(data_folder=small_catalogue))

    async def collide() -> tuple[list[httpx.Response], httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            headers = {**LANGUAGE, **await signed_in(http)}
            slow = {"operation": "createOrReplaceInventoryItem", "kind": "slow", "times": 1}
            await http.post("/_sandbox/faults", json={**slow, "delay_s": 0.05})
            path = f"{INVENTORY}/inventory_item/SKU-1"
            both = [
                http.put(path, json=item(title=title), headers=headers)
                for title in ("First", "Second")
            ]
            answers = await asyncio.gather(*both)
            return list(answers), await http.get(path, headers=headers)

    (first, second), kept = asyncio.run(collide())
    assert first.status_code == 204
    assert (second.status_code, error_ids(second)) == (500, [25025])
    assert kept.json()["product"]["title"] == "First"


def test_faults_hit_as_often_as_told_and_repeatably(sandbox: Sandbox) -> None:
    """(c)16: with a seed, the same calls are hit every time."""
    shop = sandbox.shop()

    def hits() -> list[int]:
        order = {"operation": "*", "kind": "http_500", "probability": 0.5, "seed": 7}
        sandbox.control("faults", order)
        seen = [shop.read("/inventory_item").status_code for _ in range(20)]
        sandbox.control("faults", method="DELETE")
        return seen

    first = hits()
    assert set(first) == {200, 500}
    assert hits() == first
    assert shop.read("/inventory_item").status_code == 200


@pytest.mark.parametrize(
    "order",
    [
        {"operation": "publishOffer", "kind": "explode"},
        {"kind": "slow", "times": -1},
        {"kind": "slow", "probability": 2},
        {"kind": "slow", "typo": 1},
        {"kind": "slow", "delay_s": "long"},
    ],
)
def test_a_senseless_fault_is_refused(sandbox: Sandbox, order: dict[str, Any]) -> None:
    """ST59: with the reason; none is put in force."""
    answer = sandbox.http.post("/_sandbox/faults", json=order)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert sandbox.control("faults", method="GET") == {"faults": []}


def test_quotas_end_in_429_and_are_reported(sandbox: Sandbox) -> None:
    """E8, E11: the application can read what is left; the next day starts anew."""
    shop = sandbox.shop()
    sandbox.control("quotas", {"resource": "sell.inventory", "limit": 2})
    statuses = [shop.read("/inventory_item").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    path = "/developer/analytics/v1_beta/rate_limit/?api_name=inventory&api_context=sell"
    (reported,) = sandbox.application().call("GET", path).json()["rateLimits"]
    (rate,) = reported["resources"][0]["rates"]
    assert (rate["count"], rate["limit"], rate["remaining"]) == (2, 2, 0)
    assert rate["timeWindow"] == 86_400
    none = sandbox.application().call("GET", path.replace("inventory", "none"))
    assert none.status_code == 204
    sandbox.control("clock/advance", {"seconds": 86_400})
    assert sandbox.shop().read("/inventory_item").status_code == 200


def test_unknown_addresses_are_404_in_ebays_shape(sandbox: Sandbox) -> None:
    """ST59: not a page of the web framework."""
    answer = sandbox.http.get("/sell/inventory/v1/nothing")
    assert (answer.status_code, error_ids(answer)) == (404, [2002])


def test_a_restart_remembers_listings_tokens_and_pictures(
    tmp_path: Path, small_catalogue: Path
) -> None:
    """(c)16: with a state file, everything but faults survives."""
    options = Options(data_folder=small_catalogue, state_file=tmp_path / "state" / "ebay.json")
    with serving(create_app(options)) as url, httpx.Client(base_url=url) as http:
        shop = Sandbox(http).shop()
        files = {"image": ("a.png", picture("PNG"), "image/png")}
        path = "/commerce/media/v1_beta/image/create_image_from_file"
        image = shop.call("POST", path, files=files).headers["location"].rsplit("/", 1)[1]
        offer_id, listing_id = shop.listed()
        Sandbox(http).fault("*", "http_500")
    with serving(create_app(options)) as url, httpx.Client(base_url=url) as http:
        again = Sandbox(http)
        assert [row["listing_id"] for row in again.ledger()] == [listing_id]
        shop = Shop(again, shop.headers["Authorization"].removeprefix("Bearer "))
        assert shop.read(f"/offer/{offer_id}").json()["status"] == "PUBLISHED"
        assert http.get(f"/_sandbox/images/{image}").content == picture("PNG")
        other = shop.stocked("SKU-2")
        assert other != offer_id


async def signed_in(http: httpx.AsyncClient) -> dict[str, str]:
    """Headers of a seller, by the whole flow."""
    form = {
        "client_id": KEYSET.client_id,
        "redirect_uri": KEYSET.ru_name,
        "scope": full_scopes(["sell.inventory"])[0],
        "user": "alice",
        "decision": "agree",
    }
    code = callback_query(await http.post("/oauth2/consent", data=form))["code"]
    answer = await http.post(
        "/identity/v1/oauth2/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": KEYSET.ru_name},
        auth=(KEYSET.client_id, KEYSET.client_secret),
    )
    token = answer.json()["access_token"]
    return {"Authorization": f"Bearer {token}", "Accept-Language": "en-US"}
