"""Asking for work and following it, as a dashboard does: over REST, on the sandbox eBay."""

import random
from typing import Any

import pytest

from models.accounts.tenants import Lane
from tests.behaviour.selling.ebay.conftest import Shop
from tests.serving import Seller, assert_problem

PUBLICATIONS = "/api/v1/publications"


def ask(seller: Seller, product_ids: list[int], **more: Any) -> Any:
    answer = seller.http.post(
        PUBLICATIONS, json={"product_ids": product_ids, "channels": ["ebay"], **more}
    )
    assert answer.status_code == 202, answer.text
    return answer.json()


def get(seller: Seller, path: str) -> Any:
    answer = seller.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_from_the_click_to_the_listing(shop: Shop, connected: Seller) -> None:
    """ST28, ST64: 202, a batch, a story, a listing; asked again, it is already listed."""
    product_id = shop.shirt()
    asked = ask(connected, [product_id])
    batch = get(connected, f"{PUBLICATIONS}/{asked['batch_id']}")
    assert (batch["total"], batch["finished"]) == (1, False)
    shop.turn()
    batch = get(connected, f"{PUBLICATIONS}/{asked['batch_id']}")
    assert (batch["by_outcome"], batch["finished"]) == ({"ok": 1}, True)
    story = get(connected, f"/api/v1/jobs/{asked['items'][0]['job_id']}")
    assert story["steps"][0]["name"] == "picked up"
    assert story["steps"][-1]["name"] == "completed"
    assert all(step["ran_by"] == "worker-1" for step in story["steps"])
    assert any(step["request_digest"] for step in story["steps"])
    listings = get(connected, "/api/v1/listings?channel=ebay&status=live")["items"]
    assert [(each["product_id"], each["listing_id"]) for each in listings] == [
        (product_id, story["result"]["listing_id"])
    ]
    assert ask(connected, [product_id])["items"][0]["answer"] == "already_listed"


def test_a_listing_is_ended_on_request(shop: Shop, connected: Seller) -> None:
    """ST26, A3."""
    product_id = shop.shirt()
    ask(connected, [product_id])
    shop.turn()
    ask(connected, [product_id], action="delete")
    assert shop.processor.process_next_job(Lane.REALTIME) is not None
    assert shop.live() == []
    assert get(connected, "/api/v1/listings?status=live")["items"] == []


def test_what_is_missing_is_a_problem_that_names_product_and_field(
    shop: Shop, connected: Seller
) -> None:
    """C6, G13: nothing is stored and eBay is not asked."""
    product_id = shop.shirt(brand=None, condition_code=None)
    answer: list[Any] = []
    calls = shop.calls_of(
        lambda: answer.append(
            connected.http.post(
                PUBLICATIONS, json={"product_ids": [product_id], "channels": ["ebay"]}
            )
        )
    )
    problem = assert_problem(answer[0], 422, "nothing-publishable")
    assert {field["field"] for field in problem["fields"]} == {
        f"products.{product_id}.brand",
        f"products.{product_id}.condition",
    }
    assert calls == {}
    assert get(connected, "/api/v1/jobs")["items"] == []


def test_cancel_and_retry_over_http(shop: Shop, connected: Seller) -> None:
    """G12: a cancelled job can be tried again, an ended one cannot be cancelled."""
    product_id = shop.shirt()
    job_id = ask(connected, [product_id])["items"][0]["job_id"]
    assert connected.http.post(f"/api/v1/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    shop.turn()
    assert shop.live() == []
    assert connected.http.post(f"/api/v1/jobs/{job_id}/retry").json()["status"] == "pending"
    shop.turn()
    assert len(shop.live()) == 1
    assert_problem(connected.http.post(f"/api/v1/jobs/{job_id}/cancel"), 409, "job-already-ended")
    assert_problem(connected.http.post(f"/api/v1/jobs/{job_id}/retry"), 409, "job-not-retryable")


def test_another_shop_sees_and_touches_nothing(
    shop: Shop, connected: Seller, other_seller: Seller
) -> None:
    """ST14: every address of the room with the first shop's ids."""
    product_id = shop.shirt()
    asked = ask(connected, [product_id])
    job_id, batch_id = asked["items"][0]["job_id"], asked["batch_id"]
    http = other_seller.http
    assert_problem(http.get(f"/api/v1/jobs/{job_id}"), 404, "job-not-found")
    assert_problem(http.post(f"/api/v1/jobs/{job_id}/cancel"), 404, "job-not-found")
    assert_problem(http.post(f"/api/v1/jobs/{job_id}/retry"), 404, "job-not-found")
    assert_problem(http.get(f"{PUBLICATIONS}/{batch_id}"), 404, "batch-not-found")
    for path in ("/api/v1/jobs", "/api/v1/listings"):
        assert get(other_seller, path)["items"] == []
    body = {"product_ids": [product_id], "channels": ["ebay"]}
    problem = assert_problem(http.post(PUBLICATIONS, json=body), 422, "invalid-input")
    assert problem["fields"][0]["field"] == "product_ids[0]"
    assert get(connected, f"/api/v1/jobs/{job_id}")["status"] == "pending"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channels": ["ebay"]}, "product_ids"),
        ({"product_ids": [], "channels": ["ebay"]}, "product_ids"),
        ({"product_ids": [0], "channels": ["ebay"]}, "product_ids.0"),
        ({"product_ids": [-1], "channels": ["ebay"]}, "product_ids.0"),
        ({"product_ids": [2**63], "channels": ["ebay"]}, "product_ids.0"),
        ({"product_ids": ["one"], "channels": ["ebay"]}, "product_ids.0"),
        ({"product_ids": [1], "channels": []}, "channels"),
        ({"product_ids": [1], "channels": ["amazon"]}, "channels.0"),
        ({"product_ids": [1], "channels": ["bazaar"]}, "channels[0]"),
        ({"product_ids": [1], "channels": ["ebay"], "action": "sync"}, "action"),
        ({"product_ids": [1], "channels": ["ebay"], "extra": 1}, "extra"),
        ({"product_ids": list(range(1, 5_002)), "channels": ["ebay"]}, "product_ids"),
    ],
)
def test_a_bad_request_names_the_field_and_changes_nothing(
    shop: Shop, connected: Seller, body: dict[str, Any], field: str
) -> None:
    """ST48."""
    answer = connected.http.post(PUBLICATIONS, json=body)
    assert answer.status_code == 422, answer.text
    assert field in {each["field"] for each in answer.json()["fields"]}
    assert get(connected, "/api/v1/jobs")["items"] == []


def test_jobs_come_in_pages_newest_first(shop: Shop, connected: Seller) -> None:
    """ST29: stable under new jobs; a cursor of another kind is refused."""
    ask(connected, [shop.shirt() for _ in range(3)])
    first = get(connected, "/api/v1/jobs?limit=2")
    ask(connected, [shop.shirt()])
    second = get(connected, f"/api/v1/jobs?limit=2&cursor={first['next_cursor']}")
    ids = [job["id"] for job in first["items"] + second["items"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), second["next_cursor"]) == (3, None)
    for bad in ("x", "%F0%9F", "-1", "YQ"):
        answer = connected.http.get(f"/api/v1/jobs?cursor={bad}&limit=2")
        assert_problem(answer, 422, "invalid-input")


def test_twenty_products_on_a_bad_day_are_listed_once_each(shop: Shop, connected: Seller) -> None:
    """B1, B2, B5, C4: lost answers, dropped lines, refusals for a while; none lost, none twice."""
    products = [shop.shirt() for _ in range(20)]
    chance = random.Random(7)
    kinds = ("timeout_after_success", "drop_connection", "http_429", "http_500", "http_503")
    for operation in ("createOffer", "publishOffer", "createOrReplaceInventoryItem", "getOffer"):
        for kind in kinds:
            shop.ebay.control(
                "faults",
                {
                    "operation": operation,
                    "kind": kind,
                    "probability": 0.05,
                    "seed": chance.randrange(1000),
                    "times": 1 if kind == "timeout_after_success" else 4,
                    "delay_s": 0.05,
                },
            )
    asked = ask(connected, products)
    jobs = [shop.finish(item["job_id"]) for item in asked["items"]]
    assert [job.outcome for job in jobs] == ["ok"] * 20
    live = shop.live()
    assert len(live) == 20
    assert len({row["sku"] for row in live}) == 20
    assert {row["listing_id"] for row in live} == {
        job.result["listing_id"] for job in jobs if job.result
    }
    assert sum(shop.steps(job.id)[-1].attempt > 1 for job in jobs) > 0
