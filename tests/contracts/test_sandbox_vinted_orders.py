"""Buyers at the sandbox Vinted, and what sellers see of them."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.server import serving
from sandbox.vinted.app import create_app
from sandbox.vinted.sandbox import Options
from tests.contracts.vinted_site import VintedBrowser, VintedSite


def bought(site: VintedSite, **order: Any) -> dict[str, Any]:
    """What the control address says of a purchase."""
    found: dict[str, Any] = site.control("orders", order)
    return found


def orders(browser: VintedBrowser, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.get("/my_orders", **query).json()["my_orders"]
    return found


def test_a_sold_item_is_closed_and_cannot_be_opened(vinted_sandbox: VintedSite) -> None:
    """A4: the owner's wardrobe says so; its form, its deletion and its hiding are 403."""
    browser = vinted_sandbox.member()
    number = browser.published()
    bought(vinted_sandbox, item_id=number)
    (row,) = browser.wardrobe()["items"]
    assert (row["is_closed"], row["item_closing_action"], row["is_draft"]) == (True, "sold", False)
    for answer in (
        browser.get(f"/item_upload/items/{number}"),
        browser.write("POST", f"/items/{number}/delete"),
        browser.write("PUT", f"/items/{number}/is_hidden", {"is_hidden": True}),
        browser.write("PUT", f"/item_upload/items/{number}", {"item": {}}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, 106)
    assert "Vendu" in vinted_sandbox.visitor().http.get(f"/items/{number}").text


def test_an_order_names_no_item_but_its_transaction_does(vinted_sandbox: VintedSite) -> None:
    """A9: the status is a sentence; the way to the item goes by the transaction."""
    browser = vinted_sandbox.member()
    number = browser.published(title="A shirt", price=12.5)
    sold = bought(vinted_sandbox, item_id=number, buyer="lea")
    answer = browser.get("/my_orders", type="sold", status="all").json()
    (row,) = answer["my_orders"]
    assert set(row) == {
        "conversation_id", "transaction_id", "title", "price", "status",
        "transaction_user_status", "date", "photo",
    }  # fmt: skip
    assert row["price"] == {"amount": "12.50", "currency_code": "EUR"}
    assert (row["title"], row["transaction_user_status"]) == ("A shirt", "needs_action")
    assert (row["status"], row["date"][-6:]) == ("Paiement validé : préparez le colis", "+01:00")
    assert answer["pagination"]["total_entries"] == 1
    deal = browser.get(f"/transactions/{row['transaction_id']}").json()["transaction"]
    assert (deal["item_id"], deal["item_ids"], deal["is_bundle"]) == (number, [number], False)
    assert deal["current_user_side"] == "seller"
    assert vinted_sandbox.read("orders")["orders"] == [sold]


def test_an_order_goes_its_way(vinted_sandbox: VintedSite) -> None:
    """A9: paid, sent, delivered, completed; each state is found under its filter."""
    browser, buyer = vinted_sandbox.member(), vinted_sandbox.member("lea")
    sold = bought(vinted_sandbox, item_id=browser.published(), buyer="lea")
    number = sold["transaction_id"]
    seen = []
    for step in ("ship", "deliver", "complete"):
        vinted_sandbox.control(f"orders/{number}/{step}")
        (row,) = orders(browser)
        (other,) = orders(buyer, type="purchased")
        seen.append((row["transaction_user_status"], other["transaction_user_status"]))
    assert seen == [("waiting", "waiting"), ("waiting", "needs_action"), ("completed",) * 2]
    deal = browser.get(f"/transactions/{number}").json()["transaction"]
    assert (deal["status"], deal["shipment_status"]) == (450, 400)
    assert len(orders(browser, status="completed")) == 1
    assert orders(browser, status="in_progress") == orders(browser, type="purchased") == []
    for step in ("ship", "cancel", "steal"):
        refused = vinted_sandbox.http.post(f"/_sandbox/orders/{number}/{step}")
        assert refused.status_code == 400


def test_a_cancelled_order_gives_the_item_back(vinted_sandbox: VintedSite) -> None:
    """A8."""
    browser = vinted_sandbox.member()
    number = browser.published()
    sold = bought(vinted_sandbox, item_id=number)
    vinted_sandbox.control(f"orders/{sold['transaction_id']}/cancel")
    (row,) = orders(browser, status="canceled")
    assert row["transaction_user_status"] == "failed"
    assert vinted_sandbox.state_of(number) == "active"
    again = bought(vinted_sandbox, item_id=number)
    assert again["transaction_id"] != sold["transaction_id"]


def test_several_items_are_bought_at_once_or_none(vinted_sandbox: VintedSite) -> None:
    """A1: a bundle has several item_ids; what is sold cannot be bought once more."""
    browser, other = vinted_sandbox.member(), vinted_sandbox.member("jonas")
    first, second, third = (browser.published(price=price) for price in (10, 5, 1))
    sold = bought(vinted_sandbox, item_ids=[first, second])
    deal = browser.get(f"/transactions/{sold['transaction_id']}").json()["transaction"]
    assert (deal["is_bundle"], deal["item_ids"], sold["price"]) == (True, [first, second], 1500)
    assert orders(browser)[0]["title"] == "Lot de 2 articles"
    draft = browser.draft(browser.form()).json()["draft"]["id"]
    for wrong in (
        {"item_ids": [third, second]},
        {"item_ids": [third, third]},
        {"item_ids": [third, other.published()]},
        {"item_id": third, "buyer": "camille"},
        {"item_id": draft},
        {"item_id": 1},
        {},
    ):
        assert vinted_sandbox.http.post("/_sandbox/orders", json=wrong).status_code == 400
    assert vinted_sandbox.state_of(third) == "active"
    assert len(vinted_sandbox.read("orders")["orders"]) == 1


def test_a_buyer_asks_and_is_answered(vinted_sandbox: VintedSite) -> None:
    """D12: unread until it is marked as read; then the buyer pays in the same conversation."""
    browser, buyer = vinted_sandbox.member(), vinted_sandbox.member("lea")
    number = browser.published()
    asked = vinted_sandbox.control("messages", {"item_id": number, "buyer": "lea", "body": "Size?"})
    (row,) = browser.get("/inbox").json()["conversations"]
    assert (row["id"], row["unread"], row["description"]) == (
        asked["conversation_id"],
        True,
        "Size?",
    )
    assert row["opposite_user"] == {"id": buyer.user_id(), "login": "lea"}
    path = f"/conversations/{row['id']}"
    assert browser.write("PUT", path + "/mark_as_read").status_code == 200
    assert browser.get("/inbox").json()["conversations"][0]["unread"] is False
    reply = {"body": "M", "photo_temp_uuids": None, "is_personal_data_sharing_check_skipped": False}
    assert browser.write("POST", path + "/replies", {"reply": reply}).status_code == 200
    sold = bought(vinted_sandbox, item_id=number, buyer="lea")
    assert sold["conversation_id"] == asked["conversation_id"]
    conversation = buyer.get(path).json()["conversation"]
    kinds = [(one["entity_type"], one["entity"]["body"]) for one in conversation["messages"]]
    assert kinds[:2] == [("message", "Size?"), ("message", "M")]
    assert kinds[2][0] == "status_message"
    assert conversation["transaction"]["item_id"] == number
    assert conversation["transaction"]["current_user_side"] == "buyer"
    written = vinted_sandbox.read("messages")["messages"]
    assert [(one["login"], one["body"]) for one in written] == [("lea", "Size?"), ("camille", "M")]


@pytest.mark.parametrize("body", [{}, {"reply": {"body": " "}}, {"reply": "M"}])
def test_an_empty_reply_is_refused(vinted_sandbox: VintedSite, body: dict[str, Any]) -> None:
    """ST59."""
    browser = vinted_sandbox.member()
    asked = vinted_sandbox.control("messages", {"item_id": browser.published(), "body": "Size?"})
    path = f"/conversations/{asked['conversation_id']}/replies"
    assert browser.write("POST", path, body).status_code == 400
    assert len(vinted_sandbox.read("messages")["messages"]) == 1


def test_what_others_say_to_each_other_is_not_shown(vinted_sandbox: VintedSite) -> None:
    """ST59: 403 for a stranger, 404 for what is not there."""
    browser, stranger = vinted_sandbox.member(), vinted_sandbox.member("jonas")
    sold = bought(vinted_sandbox, item_id=browser.published())
    talk, deal, parcel = (
        f"/conversations/{sold['conversation_id']}",
        f"/transactions/{sold['transaction_id']}",
        f"/shipments/{sold['shipment_id']}",
    )
    for path in (talk, deal, parcel, parcel + "/label_url"):
        assert browser.get(path).status_code == 200
        assert stranger.get(path).status_code == 403
    assert stranger.get("/inbox").json()["conversations"] == []
    for path in ("/conversations/1", "/transactions/1", "/shipments/1"):
        assert browser.get(path).status_code == 404


def test_a_price_is_offered_and_accepted(vinted_sandbox: VintedSite) -> None:
    """A11: the buyer pays what was agreed."""
    browser, other = vinted_sandbox.member(), vinted_sandbox.member("jonas")
    number = browser.published(price=20)
    order = {"item_id": number, "price": 1500, "buyer": "lea"}
    offer = vinted_sandbox.control("offers", order)
    talk = browser.get(f"/conversations/{offer['conversation_id']}").json()["conversation"]
    entity = talk["messages"][-1]["entity"]
    assert (entity["offer_request_id"], entity["price"]["amount"]) == (offer["offer_id"], "15.00")
    path = f"/transactions/{talk['transaction']['id']}/offer_requests/{offer['offer_id']}"
    assert other.write("PUT", path + "/accept").status_code == 403
    assert browser.write("PUT", path + "/accept").status_code == 200
    assert browser.write("PUT", path + "/reject").status_code == 403
    assert browser.write("PUT", path[:-1] + "0/accept").status_code == 404
    assert bought(vinted_sandbox, item_id=number, buyer="lea")["price"] == 1500


def test_a_seller_writes_first(vinted_sandbox: VintedSite) -> None:
    """D12: about an own item, to somebody else."""
    browser, other = vinted_sandbox.member(), vinted_sandbox.member("jonas")
    number, person = browser.published(), other.user_id()
    body = {
        "initiator": "seller_enters_notification",
        "item_id": str(number),
        "opposite_user_id": str(person),
    }
    talk = browser.write("POST", "/conversations", body).json()["conversation"]
    assert browser.write("POST", "/conversations", body).json()["conversation"] == talk
    assert browser.get("/inbox").json()["conversations"] == []
    assert other.write("POST", "/conversations", body).status_code == 403
    for wrong in ({"initiator": "buy"}, {"item_id": number}, {"opposite_user_id": "1"}):
        assert browser.write("POST", "/conversations", {**body, **wrong}).status_code == 400


def test_calls_are_written_down_with_who_made_them(vinted_sandbox: VintedSite) -> None:
    """B17: so that a test can count them."""
    browser = vinted_sandbox.member()
    browser.published()
    rows = vinted_sandbox.read("requests")["requests"]
    assert [row["operation"] for row in rows][-2:] == ["uploadPhoto", "createItem"]
    assert {row["login"] for row in rows} == {None, "camille"}
    assert vinted_sandbox.calls("createItem") == 1


def test_everything_is_remembered_over_a_restart(tmp_path: Path) -> None:
    """ST59: items, orders, photos, and who is signed in."""
    options = Options(state_file=tmp_path / "vinted.json")
    with serving(create_app(options)) as url, httpx.Client(base_url=url) as http:
        site = VintedSite(http)
        browser = site.member()
        number = browser.published()
        bought(site, item_id=number)
        ledger, sold, cookies = site.read("ledger"), site.read("orders"), browser.http.cookies
        photo = ledger["photos"][0]["photo_id"]
    with serving(create_app(options)) as url, httpx.Client(base_url=url) as http:
        site = VintedSite(http)
        assert (site.read("ledger"), site.read("orders")) == (ledger, sold)
        assert http.get(f"/t/{photo}/f800").status_code == 200
        again = site.visitor()
        again.http.cookies = cookies
        assert again.get("/users/current").json()["user"]["login"] == "camille"
