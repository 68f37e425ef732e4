"""What a listing names: taxonomy, shipping, returns, processing, sections."""

from datetime import UTC, datetime

import pytest

from sandbox.etsy.values import when_made_words
from tests.contracts.etsy_calls import POLICY, PROFILE, READY
from tests.contracts.etsy_shop import EtsySite


def test_the_whole_taxonomy_comes_in_one_answer(etsy_sandbox: EtsySite) -> None:
    """ST26: 15 roots of level 1; each node knows its way down from the root."""
    answer = etsy_sandbox.public("/seller-taxonomy/nodes").json()
    assert answer["count"] == len(answer["results"]) == 15
    clothing = next(root for root in answer["results"] if root["name"] == "Clothing")
    men = next(node for node in clothing["children"] if node["name"] == "Men's Clothing")
    assert (clothing["level"], clothing["parent_id"]) == (1, None)
    assert men["full_path_taxonomy_ids"] == [clothing["id"], men["id"]] == [374, 432]


def test_properties_differ_by_node(etsy_sandbox: EtsySite) -> None:
    """ST26: clothes have sizes, mugs do not; a colour is for both."""
    names = {}
    for taxonomy_id in (432, 891):
        rows = etsy_sandbox.public(f"/seller-taxonomy/nodes/{taxonomy_id}/properties").json()
        names[taxonomy_id] = [row["name"] for row in rows["results"]]
    assert names == {
        432: ["Primary color", "Size", "Occasion"],
        891: ["Primary color", "Occasion"],
    }


def test_a_ready_shop_has_what_a_listing_names_and_a_bare_one_nothing(
    etsy_sandbox: EtsySite,
) -> None:
    """F1: a seller who has set up nothing yet is a case of its own."""
    etsy_sandbox.control("sellers", {"name": "dora", "country": "GB", "ready": False})
    for name, count in (("alice", 1), ("dora", 0)):
        shop = etsy_sandbox.shop(name)
        for path in ("shipping-profiles", "policies/return", "readiness-state-definitions"):
            assert shop.call("GET", f"{shop.path}/{path}").json()["count"] == count
    assert shop.call("GET", shop.path).json()["currency_code"] == "GBP"


def test_prices_of_shipping_are_money_in_the_shops_currency(etsy_sandbox: EtsySite) -> None:
    """ST26: decimal numbers go in, integers with a divisor come out."""
    shop = etsy_sandbox.shop("bruno")
    made = shop.call("POST", f"{shop.path}/shipping-profiles", data=PROFILE).json()
    destination = made["shipping_profile_destinations"][0]
    assert destination["primary_cost"] == {
        "amount": 1250, "divisor": 100, "currency_code": "EUR",
    }  # fmt: skip
    assert (destination["destination_region"], destination["destination_country_iso"]) == ("eu", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"origin_postal_code": ""},
        {"destination_country_iso": "FR"},
        {"max_delivery_days": "4"},
        {"min_delivery_days": "46"},
        {"primary_cost": "-1"},
        {"primary_cost": "cheap"},
        {"origin_country_iso": "France"},
        {"shipping_carrier": "usps"},
    ],
)
def test_a_shipping_profile_that_cannot_be_is_refused(
    etsy_sandbox: EtsySite, changes: dict[str, str]
) -> None:
    """ST59: and none is made."""
    shop = etsy_sandbox.shop()
    path = f"{shop.path}/shipping-profiles"
    assert shop.call("POST", path, data={**PROFILE, **changes}).status_code == 400
    assert shop.call("GET", path).json()["count"] == 1


def test_a_carrier_with_its_mail_class_stands_for_delivery_days(etsy_sandbox: EtsySite) -> None:
    """ST26: either is enough, neither is not."""
    shop = etsy_sandbox.shop()
    carrier = shop.call("GET", "/shipping-carriers?origin_country_iso=US").json()["results"][0]
    days = {"min_delivery_days", "max_delivery_days"}
    bare = {name: value for name, value in PROFILE.items() if name not in days}
    path = f"{shop.path}/shipping-profiles"
    assert shop.call("POST", path, data=bare).status_code == 400
    named = {
        "shipping_carrier_id": carrier["shipping_carrier_id"],
        "mail_class": carrier["domestic_classes"][0]["mail_class_key"],
    }
    assert shop.call("POST", path, data={**bare, **named}).status_code == 200


@pytest.mark.parametrize("changes", [{"return_deadline": ""}, {"return_deadline": "15"}])
def test_a_return_policy_needs_one_of_the_deadlines(
    etsy_sandbox: EtsySite, changes: dict[str, str]
) -> None:
    """ST59: where returns are accepted; where nothing is, none is needed."""
    shop = etsy_sandbox.shop()
    path = f"{shop.path}/policies/return"
    assert shop.call("POST", path, data={**POLICY, **changes}).status_code == 400
    nothing = {"accepts_returns": "false", "accepts_exchanges": "false"}
    made = shop.call("POST", path, data=nothing).json()
    assert made["return_deadline"] is None
    assert shop.call("GET", path).json()["count"] == 2


def test_a_processing_profile_exists_once(etsy_sandbox: EtsySite) -> None:
    """ST59: 409 names the one that is there; a week is five days."""
    shop = etsy_sandbox.shop()
    path = f"{shop.path}/readiness-state-definitions"
    made = shop.call("POST", path, data={**READY, "processing_time_unit": "weeks"})
    assert made.status_code == 201
    assert (made.json()["min_processing_days"], made.json()["max_processing_days"]) == (5, 10)
    days = {**READY, "min_processing_time": "5", "max_processing_time": "10"}
    again = shop.call("POST", path, data=days)
    assert again.status_code == 409
    named = again.headers["content-location"].removeprefix("/v3/application")
    assert shop.call("GET", named).json() == made.json()


def test_another_sellers_shop_stays_closed(etsy_sandbox: EtsySite) -> None:
    """ST21: 403 for what is private and for every change; nothing is made."""
    alice, bruno = etsy_sandbox.shop("alice"), etsy_sandbox.shop("bruno")
    assert alice.call("GET", f"{bruno.path}/shipping-profiles").status_code == 403
    for path, form in (
        ("shipping-profiles", PROFILE),
        ("policies/return", POLICY),
        ("readiness-state-definitions", READY),
        ("sections", {"title": "Mine"}),
    ):
        assert alice.call("POST", f"{bruno.path}/{path}", data=form).status_code == 403
        assert bruno.call("GET", f"{bruno.path}/{path}").json()["count"] <= 1
    assert bruno.call("GET", f"{bruno.path}/sections").json()["count"] == 0


def test_pages_count_all_and_show_some(etsy_sandbox: EtsySite) -> None:
    """ST26: `count` is the total."""
    shop = etsy_sandbox.shop()
    path = f"{shop.path}/readiness-state-definitions"
    shop.call("POST", path, data=READY)
    page = shop.call("GET", f"{path}?limit=1&offset=1").json()
    assert (page["count"], len(page["results"])) == (2, 1)
    for query in ("limit=0", "limit=101", "offset=-1", "offset=12001", "limit=ten"):
        assert shop.call("GET", f"{path}?{query}").status_code == 400


def test_eras_move_with_the_year() -> None:
    """ST26: what is 20 years old is vintage, and the newest era ends this year."""
    words = when_made_words(datetime(2022, 5, 1, tzinfo=UTC))
    assert words[1:6] == ("2020_2022", "2010_2019", "2003_2009", "before_2003", "2000_2002")
    assert when_made_words(datetime(2026, 5, 1, tzinfo=UTC))[3:5] == ("2007_2009", "before_2007")
