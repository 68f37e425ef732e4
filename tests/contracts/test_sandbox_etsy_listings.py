"""Listings of the sandbox Etsy: drawn up, put up for sale, taken down, found, deleted."""

import asyncio
from typing import Any

import httpx
import pytest

from sandbox.etsy.app import create_app
from tests.contracts.etsy_shop import (
    API_KEY,
    BASE,
    EtsySite,
    callback_query,
    consent_form,
    exchange_form,
)

FOUR_MONTHS = 124 * 86_400
"""At least four calendar months, whichever they are."""


def fees(site: EtsySite) -> list[str]:
    """Kinds of the fees billed so far."""
    return [fee["kind"] for fee in site.read("ledger")["fees"]]


def test_a_draft_costs_nothing_and_is_its_sellers_alone(etsy_sandbox: EtsySite) -> None:
    """F2: nobody else finds it, by whatever address."""
    alice, bruno = etsy_sandbox.shop("alice"), etsy_sandbox.shop("bruno")
    listing_id = alice.draft(tags="red,blue shirt", materials=["cotton", "wool"])
    row = alice.get(listing_id)
    assert (row["state"], row["quantity"], row["readiness_state_id"]) == ("draft", 3, None)
    assert row["price"] == {"amount": 1999, "divisor": 100, "currency_code": "USD"}
    assert (row["tags"], row["materials"]) == (["red", "blue shirt"], ["cotton", "wool"])
    assert fees(etsy_sandbox) == []
    assert bruno.call("GET", f"/listings/{listing_id}").status_code == 404
    assert etsy_sandbox.public(f"/listings/{listing_id}").status_code == 404
    assert alice.call("GET", f"{alice.path}/listings").json()["count"] == 0
    drafts = alice.call("GET", f"{alice.path}/listings?state=draft").json()
    assert [one["listing_id"] for one in drafts["results"]] == [listing_id]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": "x" * 141},
        {"title": "Costs 5 $"},
        {"title": "New\nline"},
        {"title": "Rock & roll & more"},
        {"title": "50% or 60%"},
        {"title": None},
        {"description": " "},
        {"quantity": "0"},
        {"quantity": "1000"},
        {"quantity": "three"},
        {"price": "0.19"},
        {"price": "50000.01"},
        {"price": "NaN"},
        {"price": "1,50"},
        {"taxonomy_id": "999999999"},
        {"who_made": "nobody"},
        {"when_made": "2003_2009"},
        {"tags": ",".join(map(str, range(14)))},
        {"tags": "x" * 21},
        {"tags": "half/price"},
        {"materials": "100% wool"},
        {"styles": "a,b,c"},
        {"shipping_profile_id": "1"},
        {"return_policy_id": "1"},
        {"readiness_state_id": "1"},
        {"shop_section_id": "1"},
        {"image_ids": "1"},
        {"image_ids": ""},
        {"item_weight": "0"},
        {"item_weight_unit": "stone"},
        {"production_partner_ids": "1"},
        {"sku": "SKU-1"},
    ],
    ids=str,
)
def test_a_draft_that_cannot_be_is_refused(etsy_sandbox: EtsySite, changes: dict[str, Any]) -> None:
    """ST59, E9: with one sentence, and nothing is drawn up."""
    shop = etsy_sandbox.shop()
    answer = shop.call("POST", f"{shop.path}/listings", data=shop.draft_form(**changes))
    assert (answer.status_code, set(answer.json())) == (400, {"error"})
    assert etsy_sandbox.read("ledger")["listings"] == []


def test_a_title_may_have_what_etsy_allows(etsy_sandbox: EtsySite) -> None:
    """ST26: accents, dashes, signs of trade, and each of four signs once."""
    shop = etsy_sandbox.shop()
    title = "Été — «blouse» 100% coton & lin: 1+1 ™"
    assert shop.get(shop.draft(title=title))["title"] == title


def test_json_is_not_a_form(etsy_sandbox: EtsySite) -> None:
    """ST59: nor is a form without the right content type."""
    shop = etsy_sandbox.shop()
    path = f"{shop.path}/listings"
    assert shop.call("POST", path, json=shop.draft_form()).status_code == 400
    assert shop.call("POST", path, content=b"title=x").status_code == 400
    listing_id = shop.draft()
    assert shop.call("PATCH", f"{path}/{listing_id}", json={"title": "New"}).status_code == 400
    assert shop.get(listing_id)["title"] == "Blue shirt"


def test_publishing_is_billed_once_and_shown_to_everybody(etsy_sandbox: EtsySite) -> None:
    """A4: 20 cents, four months, and every buyer sees it, without its numbers of stock-keeping."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    row = shop.get(listing_id)
    assert (row["state"], row["readiness_state_id"]) == ("active", shop.row["readiness_states"][0])
    ledger = etsy_sandbox.read("ledger")
    (fee,) = ledger["fees"]
    assert (fee["listing_id"], fee["kind"], fee["amount"], fee["currency"]) == (
        listing_id, "listing", 20, "USD",
    )  # fmt: skip
    assert etsy_sandbox.public(f"/listings/{listing_id}").json()["title"] == "Blue shirt"
    found = etsy_sandbox.public(f"{shop.path}/listings/active?keywords=SHIRT blue").json()
    assert [one["listing_id"] for one in found["results"]] == [listing_id]
    assert shop.call("GET", shop.path).json()["listing_active_count"] == 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"shipping_profile_id": None}, "shipping_profile_id"),
        ({"readiness_state_id": None}, "readiness_state_id"),
        ({"return_policy_id": None}, "return_policy_id"),
        ({"type": "download"}, "file"),
    ],
)
def test_publishing_needs_what_a_draft_does_not(
    etsy_sandbox: EtsySite, changes: dict[str, Any], word: str
) -> None:
    """ST59: the refusal names what is missing; state and words stay, nothing is billed."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft(**changes)
    shop.upload(listing_id)
    refused = shop.patch(listing_id, state="active", title="Changed")
    assert refused.status_code == 400
    assert word in refused.json()["error"]
    row = shop.get(listing_id)
    assert (row["state"], row["title"]) == ("draft", "Blue shirt")
    assert fees(etsy_sandbox) == []


def test_publishing_needs_a_picture(etsy_sandbox: EtsySite) -> None:
    """C1: and one is enough."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    refused = shop.patch(listing_id, state="active")
    assert (refused.status_code, "image" in refused.json()["error"]) == (400, True)
    shop.upload(listing_id)
    assert shop.patch(listing_id, state="active").status_code == 200


def test_a_shop_in_the_union_needs_no_return_policy(etsy_sandbox: EtsySite) -> None:
    """ST26: the law there is the policy."""
    assert etsy_sandbox.shop("bruno").listed(return_policy_id=None)


def test_asking_twice_to_publish_is_billed_twice(etsy_sandbox: EtsySite) -> None:
    """B1: whoever repeats blindly after a lost answer pays for it."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    shop.upload(listing_id)
    etsy_sandbox.fault("updateListing", "lost_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        shop.patch(listing_id, state="active")
    assert shop.state_of(listing_id) == "active"
    assert shop.patch(listing_id, state="active").status_code == 200
    assert fees(etsy_sandbox) == ["listing", "renewal"]


def test_taking_down_and_putting_up_again_within_the_term_is_free(etsy_sandbox: EtsySite) -> None:
    """A4: the listing keeps its number and its end."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    end = shop.get(listing_id)["ending_timestamp"]
    assert shop.patch(listing_id, state="inactive").json()["state"] == "inactive"
    assert etsy_sandbox.public(f"/listings/{listing_id}").status_code == 404
    assert shop.patch(listing_id, state="active").json()["ending_timestamp"] == end
    assert fees(etsy_sandbox) == ["listing"]


def test_a_draft_was_never_up_and_cannot_be_taken_down(etsy_sandbox: EtsySite) -> None:
    """ST59: nor can a listing be told to be sold out."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    for state in ("inactive", "sold_out", "draft"):
        assert shop.patch(listing_id, state=state).status_code == 400
    assert shop.state_of(listing_id) == "draft"


def test_four_months_later_a_listing_expires_or_renews(etsy_sandbox: EtsySite) -> None:
    """A4: as the seller wants it; renewing what expired is billed."""
    shop = etsy_sandbox.shop()
    plain, renewing = shop.listed(), shop.listed(should_auto_renew="true")
    etsy_sandbox.control("clock/advance", {"seconds": FOUR_MONTHS})
    shop = etsy_sandbox.shop()
    assert [shop.get(one)["state"] for one in (plain, renewing)] == ["expired", "active"]
    assert fees(etsy_sandbox) == ["listing", "listing", "auto_renewal"]
    assert shop.patch(plain, state="active").status_code == 200
    assert fees(etsy_sandbox)[-1] == "renewal"


def test_an_active_listing_cannot_lose_what_it_needs(etsy_sandbox: EtsySite) -> None:
    """ST59: and stays as it was."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    before = shop.get(listing_id, includes="Images")
    for form in ({"shipping_profile_id": ""}, {"image_ids": ""}, {"return_policy_id": ""}):
        assert shop.patch(listing_id, **form).status_code == 400
    assert shop.get(listing_id, includes="Images") == before


@pytest.mark.parametrize("publish", [False, True])
def test_a_deleted_listing_is_gone_but_for_the_ledger(
    etsy_sandbox: EtsySite, publish: bool
) -> None:
    """A5: 204, then 404 for whatever comes after."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed() if publish else shop.draft()
    assert shop.call("DELETE", f"/listings/{listing_id}").status_code == 204
    assert shop.call("DELETE", f"/listings/{listing_id}").status_code == 404
    assert shop.call("GET", f"/listings/{listing_id}").status_code == 404
    assert shop.patch(listing_id, title="New").status_code == 404
    assert shop.state_of(listing_id) == "deleted"


def test_another_seller_can_neither_change_nor_delete(etsy_sandbox: EtsySite) -> None:
    """ST21: 403 where the listing can be seen, under either shop's address."""
    alice, bruno = etsy_sandbox.shop("alice"), etsy_sandbox.shop("bruno")
    listing_id = alice.listed()
    patch = {"data": {"title": "Mine"}}
    assert bruno.call("PATCH", f"{alice.path}/listings/{listing_id}", **patch).status_code == 403
    assert bruno.patch(listing_id, title="Mine").status_code == 404
    assert bruno.call("DELETE", f"/listings/{listing_id}").status_code == 403
    body = {"products": [bruno.product("B-1")]}
    assert bruno.put_inventory(listing_id, body).status_code == 403
    assert bruno.upload(listing_id).status_code == 404
    assert alice.get(listing_id)["title"] == "Blue shirt"


def test_deleting_needs_its_own_scope(etsy_sandbox: EtsySite) -> None:
    """ST21: writing is not deleting."""
    listing_id = etsy_sandbox.shop().draft()
    weaker = etsy_sandbox.shop(scope="listings_r listings_w shops_r")
    assert weaker.call("DELETE", f"/listings/{listing_id}").status_code == 403
    assert weaker.state_of(listing_id) == "draft"


def test_a_shops_listings_come_in_pages_newest_first(etsy_sandbox: EtsySite) -> None:
    """ST26: by state; `count` is how many there are."""
    shop = etsy_sandbox.shop()
    numbers = [shop.listed(title=f"Shirt {one}") for one in range(3)]
    shop.draft()
    page = shop.call("GET", f"{shop.path}/listings?limit=2&offset=1").json()
    assert page["count"] == 3
    assert [one["listing_id"] for one in page["results"]] == [numbers[1], numbers[0]]


def test_several_listings_are_read_at_once(etsy_sandbox: EtsySite) -> None:
    """ST26: those that are not there are left out."""
    shop = etsy_sandbox.shop()
    first, second = shop.listed(), shop.draft()
    query = f"/listings/batch?listing_ids={first},{second},1&includes=Images"
    found = shop.call("GET", query).json()
    assert [one["listing_id"] for one in found["results"]] == [first, second]
    assert [len(one["images"]) for one in found["results"]] == [1, 0]
    assert etsy_sandbox.public(query).json()["count"] == 1
    many = ",".join(str(one) for one in range(1, 102))
    assert shop.call("GET", f"/listings/batch?listing_ids={many}").status_code == 400


def test_a_section_counts_what_is_for_sale_in_it(etsy_sandbox: EtsySite) -> None:
    """ST26: drafts do not count."""
    shop = etsy_sandbox.shop()
    made = shop.call("POST", f"{shop.path}/sections", data={"title": "Shirts"}).json()
    section_id = str(made["shop_section_id"])
    shop.listed(shop_section_id=section_id)
    shop.draft(shop_section_id=section_id)
    found = shop.call("GET", f"{shop.path}/sections/{section_id}").json()
    assert found["active_listing_count"] == 1


def test_translations_stand_beside_the_listing(etsy_sandbox: EtsySite) -> None:
    """ST26: made once, then updated; the listing's own words stay."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    path = f"{shop.path}/listings/{listing_id}/translations/fr"
    form = {"title": "Chemise bleue", "description": "Une chemise.", "tags": "bleu,lin"}
    assert shop.call("PUT", path, data=form).status_code == 404
    assert shop.call("POST", path, data=form).json()["tags"] == ["bleu", "lin"]
    assert shop.call("POST", path, data=form).status_code == 400
    assert shop.call("PUT", path, data={**form, "title": "x" * 141}).status_code == 400
    assert shop.call("PUT", path, data={**form, "title": "Chemise"}).status_code == 200
    row = shop.get(listing_id, includes="Translations")
    assert (row["title"], row["translations"]["fr"]["title"]) == ("Blue shirt", "Chemise")
    assert row["translations"]["de"] is None


def test_attributes_take_values_of_the_taxonomy_alone(etsy_sandbox: EtsySite) -> None:
    """ST26: number and word must agree, and the category must have the property."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    rows = shop.call("GET", "/seller-taxonomy/nodes/432/properties").json()["results"]
    values = {row["name"]: row["value_id"] for row in rows[0]["possible_values"]}
    path = f"{shop.path}/listings/{listing_id}/properties"
    good = {"value_ids": values["Blue"], "values": "Blue"}
    assert shop.call("PUT", f"{path}/200", data=good).json()["property_name"] == "Primary color"
    for wrong in (
        {**good, "value_ids": values["Red"]},
        {**good, "values": "Mauve"},
        {"value_ids": [values["Blue"], values["Red"]], "values": ["Blue", "Red"]},
        {"values": "Blue"},
    ):
        assert shop.call("PUT", f"{path}/200", data=wrong).status_code == 400
    assert shop.call("PUT", f"{path}/62809790533", data=good).status_code == 400
    assert [one["values"] for one in shop.call("GET", path).json()["results"]] == [["Blue"]]
    assert shop.call("DELETE", f"{path}/200").status_code == 204
    assert shop.call("GET", path).json()["count"] == 0


def test_two_writers_of_one_listing_collide() -> None:
    """ST59: the second gets 409 while the first is at work, whose words stand."""

    async def collide() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            shop = await signed_in(http)
            form = {**FORM, "shipping_profile_id": "", "return_policy_id": ""}
            made = await http.post(f"{shop}/listings", data=form)
            path = f"{shop}/listings/{made.json()['listing_id']}"
            slow = {"operation": "updateListing", "kind": "slow", "times": 1, "delay_s": 0.05}
            await http.post("/_sandbox/faults", json=slow)
            both = [http.patch(path, data={"title": title}) for title in ("First", "Second")]
            answers = list(await asyncio.gather(*both))
            return [*answers, await http.get(f"{BASE}/listings/{made.json()['listing_id']}")]

    first, second, found = asyncio.run(collide())
    assert (first.status_code, second.status_code) == (200, 409)
    assert found.json()["title"] == "First"


FORM = {
    "quantity": "1",
    "title": "Shirt",
    "description": "A shirt.",
    "price": "5",
    "who_made": "i_did",
    "when_made": "made_to_order",
    "taxonomy_id": "432",
}


async def signed_in(http: httpx.AsyncClient) -> str:
    """Sign alice in for all later calls; returns the address of her shop."""
    form = {**consent_form(), "user": "alice", "decision": "agree"}
    code = callback_query(await http.post("/oauth/consent", data=form))["code"]
    tokens = await http.post("/v3/public/oauth/token", data=exchange_form(code))
    bearer = f"Bearer {tokens.json()['access_token']}"
    http.headers.update({"Authorization": bearer, "x-api-key": API_KEY})
    me = (await http.get(f"{BASE}/users/me")).json()
    return f"{BASE}/shops/{me['shop_id']}"
