"""Connecting the eBay account: consent, tokens at rest, readiness, and what can go wrong."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import escape, unescape
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from sqlalchemy import text

from backend.container import Container
from models.selling.publishing import JobAction, JobOutcome
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.behaviour.selling.ebay.conftest import CHANNEL, Shop, begin, connect, redirected, through
from tests.contracts.ebay_shop import Sandbox
from tests.serving import Seller, sign_in, sign_up

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
"""What every browser sends when it goes to an address."""

HOME = {"name": "Home", "country": "US", "postal_code": "94103"}


def channel_of(seller: Seller) -> dict[str, Any]:
    answer = seller.http.get(CHANNEL)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rules(channel: dict[str, Any]) -> list[str]:
    return [gap["rule"] for gap in channel["missing"]]


def stored(database: Database, tenant: TenantSchema) -> dict[str, Any] | None:
    """The row as it lies in the database."""
    with database.tenant(tenant) as session:
        row = session.execute(text("SELECT * FROM ebay_connections")).mappings().one_or_none()
    return dict(row) if row else None


def test_a_seller_connects_and_is_told_what_is_missing(
    seller: Seller, other_seller: Seller, ebay: Sandbox
) -> None:
    """C7, E4: whose account, which scopes, which policies, and how to mend the rest."""
    before = channel_of(seller)
    assert (before["status"], before["ready"], rules(before)) == (
        "not_connected",
        False,
        ["not-connected"],
    )
    answer = connect(seller, ebay, "alice")
    assert answer.status_code == 200, answer.text
    assert answer.json()["connected"]
    channel = channel_of(seller)
    assert (channel["status"], channel["username"]) == ("connected", "TESTUSER_alice")
    assert {scope.rpartition("/")[2] for scope in channel["scopes"]} >= {"sell.inventory"}
    assert set(channel["policies"]) == {"fulfillment", "payment", "return"}
    assert rules(channel) == ["location-missing"]
    assert "location" in channel["missing"][0]["mend"]
    assert channel_of(other_seller)["status"] == "not_connected"


def test_tokens_are_encrypted_where_they_lie(
    connected: Seller, database: Database, container: Container
) -> None:
    """E6: with the id of the key in front, and never in an answer."""
    row = stored(database, connected.tenant)
    assert row is not None
    for name in ("access_token", "refresh_token"):
        assert row[name].startswith(f"{container.secret_box.current_key_id}:")
        plain = container.secret_box.open(row[name])
        assert plain.startswith("v^1.1#")
        assert plain not in connected.http.get(CHANNEL).text


def test_a_state_works_once(seller: Seller, ebay: Sandbox) -> None:
    """E5: the same redirect again is refused and changes nothing."""
    address = redirected(ebay, begin(seller), "alice")
    assert httpx.get(address).status_code == 200
    before = channel_of(seller)
    again = httpx.get(address)
    assert (again.status_code, again.json()["code"]) == (400, "consent-state-refused")
    assert channel_of(seller) == before


def test_a_state_of_ours_is_needed(seller: Seller, ebay: Sandbox, api: httpx.Client) -> None:
    """E5: forged and missing states are refused before eBay is asked anything."""
    address = httpx.URL(redirected(ebay, begin(seller), "alice"))
    calls = ebay.control("calls", method="GET")
    forged = httpx.get(address.copy_set_param("state", "x" * 43))
    assert (forged.status_code, forged.json()["code"]) == (400, "consent-state-refused")
    missing = api.get(f"{CHANNEL}/callback", params={"code": "c"})
    assert (missing.status_code, missing.json()["code"]) == (400, "malformed-request")
    assert ebay.control("calls", method="GET") == calls
    assert channel_of(seller)["status"] == "not_connected"


def test_a_state_lasts_a_quarter_of_an_hour(
    seller: Seller, ebay: Sandbox, clock: MovableClock
) -> None:
    """E5."""
    late = redirected(ebay, begin(seller), "alice")
    clock.advance(timedelta(minutes=15))
    answer = httpx.get(late)
    assert (answer.status_code, answer.json()["code"]) == (400, "consent-state-refused")
    assert "expired" in answer.json()["detail"]


def test_only_the_hash_of_a_state_is_stored(
    seller: Seller, ebay: Sandbox, database: Database
) -> None:
    """E6."""
    state = httpx.URL(begin(seller)).params["state"]
    with database.platform() as session:
        rows = session.execute(text("SELECT * FROM public.channel_consents")).all()
    assert len(rows) == 1
    assert state not in str(rows)


def test_declining_is_told_plainly(seller: Seller, ebay: Sandbox) -> None:
    """E1: nothing is connected, the state is used up."""
    address = redirected(ebay, begin(seller), "alice", decision="decline")
    answer = httpx.get(address)
    assert (answer.status_code, answer.json()["code"]) == (400, "consent-declined")
    assert "did not agree" in answer.json()["detail"]
    assert httpx.get(address).json()["code"] == "consent-state-refused"
    assert channel_of(seller)["status"] == "not_connected"


def test_a_code_that_ebay_does_not_take_connects_nothing(seller: Seller, ebay: Sandbox) -> None:
    """E1."""
    address = httpx.URL(redirected(ebay, begin(seller), "alice"))
    answer = httpx.get(address.copy_set_param("code", "v^1.1#made-up"))
    assert (answer.status_code, answer.json()["code"]) == (400, "consent-state-refused")
    assert channel_of(seller)["status"] == "not_connected"


def press_connect(page: httpx.Response) -> httpx.Response:
    """Send the form of the confirmation page, as a browser does."""
    action, fields = _form_of(page.text)
    return httpx.post(urljoin(str(page.url), action), data=fields, headers=BROWSER)


def _form_of(page: str) -> tuple[str, dict[str, str]]:
    (action,) = re.findall(r'<form method="post" action="([^"]*)">', page)
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return unescape(action), {name: unescape(value) for name, value in fields}


def test_a_browser_is_asked_first_and_nothing_changes(
    seller: Seller, ebay: Sandbox, database: Database
) -> None:
    """E5, ST21: whoever agreed at eBay sees whose shop it is; looking twice does no harm."""
    address = redirected(ebay, begin(seller), "alice")
    calls = ebay.control("calls", method="GET")
    pages = [httpx.get(address, headers=BROWSER) for _ in range(2)]
    for page in pages:
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert seller.email in page.text
        assert "close this page" in page.text
    assert ebay.control("calls", method="GET") == calls
    assert stored(database, seller.tenant) is None
    assert channel_of(seller)["status"] == "not_connected"


def test_pressing_connect_connects_and_says_what_is_missing(seller: Seller, ebay: Sandbox) -> None:
    """C7: with what is still to be done, escaped; a refusal keeps its status."""
    asked = httpx.get(redirected(ebay, begin(seller), "alice"), headers=BROWSER)
    page = press_connect(asked)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "TESTUSER_alice" in page.text
    assert "location" in page.text
    before = channel_of(seller)
    assert (before["status"], before["username"]) == ("connected", "TESTUSER_alice")
    for refused in (press_connect(asked), httpx.get(str(asked.url), headers=BROWSER)):
        assert refused.status_code == 400
        assert "used already" in refused.text
        assert "<form" not in refused.text
    assert channel_of(seller) == before


def test_only_the_confirmation_may_send_a_form(seller: Seller, ebay: Sandbox) -> None:
    """ST21: to us alone and in no frame; one policy, not two that are both obeyed."""
    asked = httpx.get(redirected(ebay, begin(seller), "alice"), headers=BROWSER)
    done = press_connect(asked)
    for page, form_action in ((asked, "form-action 'self'"), (done, "form-action 'none'")):
        (policy,) = page.headers.get_list("content-security-policy")
        assert form_action in policy
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy


def test_the_confirmation_escapes_what_it_shows(api: httpx.Client, ebay: Sandbox) -> None:
    """ST21: an account's address and what stands in the link are text, never markup."""
    stranger = sign_up(api, "o'neil&amp@example.com")
    address = httpx.URL(redirected(ebay, begin(stranger), "alice"))
    code = '"><script>alert(1)</script>'
    page = httpx.get(address.copy_set_param("code", code), headers=BROWSER)
    assert page.status_code == 200
    assert escape(stranger.email) in page.text
    assert stranger.email not in page.text
    assert "<script" not in page.text
    assert _form_of(page.text) == (f"?state={address.params['state']}", {"code": code})


def test_a_picture_on_somebodys_page_connects_nothing(
    seller: Seller, ebay: Sandbox, database: Database
) -> None:
    """ST21: a browser can be led here without a page, and then asks for none."""
    address = redirected(ebay, begin(seller), "alice")
    picture = {"Accept": "image/webp,*/*", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    assert "<form" in httpx.get(address, headers=picture).text
    assert stored(database, seller.tenant) is None


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}])
def test_a_program_completes_at_once(
    seller: Seller, ebay: Sandbox, headers: dict[str, str]
) -> None:
    """E1: also the script of a dashboard."""
    answer = httpx.get(redirected(ebay, begin(seller), "alice"), headers=headers)
    assert (answer.status_code, answer.json()["connected"]) == (200, True)
    assert channel_of(seller)["status"] == "connected"


def test_a_program_may_confirm_as_well(seller: Seller, ebay: Sandbox) -> None:
    """E5: JSON; the code is needed, and a request without it leaves the state as it was."""
    address = httpx.URL(redirected(ebay, begin(seller), "alice"))
    here = address.copy_with(query=None).copy_set_param("state", address.params["state"])
    refused = httpx.post(here)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input")
    code = {"code": address.params["code"]}
    assert httpx.post(here, data=code).json()["connected"]
    again = httpx.post(here, data=code)
    assert (again.status_code, again.json()["code"]) == (400, "consent-state-refused")


@pytest.mark.parametrize("decision", ["decline", "agree"])
def test_a_browser_is_told_at_once_what_cannot_be_completed(
    seller: Seller, ebay: Sandbox, clock: MovableClock, decision: str
) -> None:
    """E1, E5: declined, expired and forged consents have no button."""
    address = httpx.URL(redirected(ebay, begin(seller), "alice", decision=decision))
    forged = httpx.get(address.copy_set_param("state", "x" * 43), headers=BROWSER)
    if decision == "agree":
        clock.advance(timedelta(minutes=15))
    answer = httpx.get(address, headers=BROWSER)
    assert ("did not agree" if decision == "decline" else "has expired") in answer.text
    for refused in (answer, forged):
        assert refused.status_code == 400
        assert "<form" not in refused.text
    assert httpx.get(address, headers=BROWSER).status_code == 400


def test_the_button_of_an_expired_confirmation_connects_nothing(
    seller: Seller, ebay: Sandbox, clock: MovableClock, database: Database
) -> None:
    """E5: the quarter of an hour counts to the button."""
    asked = httpx.get(redirected(ebay, begin(seller), "alice"), headers=BROWSER)
    clock.advance(timedelta(minutes=15))
    refused = press_connect(asked)
    assert refused.status_code == 400
    assert "has expired" in refused.text
    assert stored(database, seller.tenant) is None


def test_another_ebay_account_is_refused_and_nothing_changes(
    connected: Seller, ebay: Sandbox, database: Database
) -> None:
    """E5."""
    before = stored(database, connected.tenant)
    answer = connect(connected, ebay, "bob")
    assert (answer.status_code, answer.json()["code"]) == (409, "other-ebay-account")
    assert "TESTUSER_alice" in answer.json()["detail"]
    assert stored(database, connected.tenant) == before


def test_the_same_account_may_be_connected_again(
    connected: Seller, ebay: Sandbox, database: Database
) -> None:
    """E1, E5: new tokens, the location is kept."""
    before = stored(database, connected.tenant)
    assert connect(connected, ebay, "alice").status_code == 200
    after = stored(database, connected.tenant)
    assert before is not None
    assert after is not None
    assert before["refresh_token"] != after["refresh_token"]
    assert channel_of(connected)["ready"]


def test_disconnecting_erases_the_tokens(
    connected: Seller, ebay: Sandbox, database: Database
) -> None:
    """E6: and then another account may come, for nothing is listed."""
    assert connected.http.delete(CHANNEL).status_code == 204
    row = stored(database, connected.tenant)
    assert row is not None
    assert (row["access_token"], row["refresh_token"]) == ("", "")
    channel = channel_of(connected)
    assert (channel["status"], rules(channel)) == ("disconnected", ["not-connected"])
    refused = connected.http.post(f"{CHANNEL}/check")
    assert (refused.status_code, refused.json()["code"]) == (409, "ebay-not-connected")
    assert connect(connected, ebay, "bob").status_code == 200
    assert rules(channel_of(connected)) == ["location-missing"]
    assert connected.http.delete(CHANNEL).status_code == 204
    assert connected.http.delete(CHANNEL).status_code == 204


def test_a_shop_with_listings_keeps_its_account(shop: Shop, connected: Seller) -> None:
    """E5: else listings would be mapped to a stranger's account."""
    shop.run(shop.shirt())
    connected.http.delete(CHANNEL)
    answer = connect(connected, shop.ebay, "bob")
    assert (answer.status_code, answer.json()["code"]) == (409, "other-ebay-account")
    assert channel_of(connected)["status"] == "disconnected"
    blocked = shop.run(shop.shirt())
    assert (blocked.outcome, blocked.problem_fields[0]["code"]) == (
        JobOutcome.BLOCKED,
        "not-connected",
    )


def test_missing_policies_are_named_and_business_policies_switched_on(
    seller: Seller, ebay: Sandbox
) -> None:
    """C7."""
    ebay.control("sellers", {"name": "carol", "ready": False})
    connect(seller, ebay, "carol")
    assert rules(channel_of(seller)) == ["policies-off", "location-missing"]
    checked = seller.http.post(f"{CHANNEL}/check", json={"opt_in": True})
    assert checked.status_code == 200, checked.text
    assert rules(checked.json()) == ["policy-missing"] * 3 + ["location-missing"]
    assert rules(channel_of(seller)) == rules(checked.json())
    again = seller.http.post(f"{CHANNEL}/check", json={"opt_in": True})
    assert again.status_code == 200


def test_a_connection_stands_although_the_account_could_not_be_read(
    seller: Seller, ebay: Sandbox
) -> None:
    """C7, C8: it is said, and mended by checking again."""
    ebay.fault("getOptedInPrograms", "http_500")
    assert connect(seller, ebay, "alice").status_code == 200
    channel = channel_of(seller)
    assert (channel["status"], rules(channel)) == ("connected", ["not-checked"])
    assert rules(seller.http.post(f"{CHANNEL}/check").json()) == ["location-missing"]


@pytest.mark.parametrize("operation", ["token", "getUser"])
def test_an_ebay_that_is_down_connects_nothing(
    seller: Seller, ebay: Sandbox, operation: str
) -> None:
    """C8: a clear problem; starting again works."""
    ebay.fault(operation, "http_503")
    answer = connect(seller, ebay, "alice")
    assert answer.status_code == 502
    assert answer.json()["remedy"] == "wait"
    assert channel_of(seller)["status"] == "not_connected"
    assert connect(seller, ebay, "alice").status_code == 200


def test_a_location_is_set_and_may_move(connected: Seller, ebay: Sandbox) -> None:
    """C7: the same address twice is one location at eBay, another address another one."""
    first = connected.http.put(f"{CHANNEL}/location", json=HOME).json()["location"]
    assert connected.http.put(f"{CHANNEL}/location", json=HOME).json()["location"] == first
    there = {"country": "US", "city": "Portland", "state": "OR"}
    second = connected.http.put(f"{CHANNEL}/location", json=there).json()["location"]
    assert second["key"] != first["key"]
    assert second["city"] == "Portland"
    assert channel_of(connected)["location"] == second
    assert connected.http.post(f"{CHANNEL}/check").json()["location"] == second


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "us", "postal_code": "94103"},
        {"country": "USA", "postal_code": "94103"},
        {"country": "US"},
        {"country": "US", "city": "Portland"},
        {"country": "US", "postal_code": "   "},
        {"country": "US", "postal_code": "9\u0000"},
        {"country": "US", "postal_code": "94103", "planet": "Earth"},
        {"country": "US", "postal_code": "9" * 17},
    ],
)
def test_a_location_that_is_none_is_refused(
    connected: Seller, ebay: Sandbox, wrong: dict[str, str]
) -> None:
    """C7: eBay is not asked, nothing changes."""
    before, calls = channel_of(connected), ebay.control("calls", method="GET")
    answer = connected.http.put(f"{CHANNEL}/location", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert answer.json()["fields"]
    assert channel_of(connected) == before
    assert ebay.control("calls", method="GET") == calls


class WatchedTransport(httpx.HTTPTransport):
    """Notes how many database connections are in use at each call to eBay."""

    def __init__(self, container: Container) -> None:
        super().__init__()
        self.container = container
        self.seen: list[tuple[str, int]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        pool = self.container.database.engine.pool
        self.seen.append((request.url.path, pool.checkedout()))  # type: ignore[attr-defined]
        return super().handle_request(request)


@pytest.fixture
def watched(container: Container) -> WatchedTransport:
    transport = WatchedTransport(container)
    through(container, transport)
    return transport


def test_an_address_that_ebay_refuses_is_the_sellers_business(
    container: Container, connected: Seller
) -> None:
    """C7: 422 with eBay's words, nothing changes."""
    before = channel_of(connected)
    error = {"errorId": 25802, "category": "REQUEST", "message": "No such postal code."}
    answer = httpx.Response(400, json={"errors": [error]})
    through(container, httpx.MockTransport(lambda _request: answer))
    refused = connected.http.put(f"{CHANNEL}/location", json=HOME)
    assert (refused.status_code, refused.json()["code"]) == (422, "location-refused")
    assert "No such postal code." in refused.json()["detail"]
    assert channel_of(connected) == before


def test_ebay_is_asked_with_no_transaction_open(
    watched: WatchedTransport, shop: Shop, connected: Seller
) -> None:
    """F16: neither while connecting nor while a job runs."""
    product_id = shop.shirt()
    connect(connected, shop.ebay, "alice")
    connected.http.post(f"{CHANNEL}/check")
    shop.run(product_id)
    shop.run(product_id, JobAction.UPDATE)
    shop.run(product_id, JobAction.DELETE)
    assert len(watched.seen) > 20
    assert [path for path, in_use in watched.seen if in_use] == []


Ask = Callable[[httpx.Client], httpx.Response]


@pytest.mark.parametrize(
    "ask",
    [
        lambda http: http.get(CHANNEL),
        lambda http: http.delete(CHANNEL),
        lambda http: http.post(f"{CHANNEL}/connect"),
        lambda http: http.post(f"{CHANNEL}/check"),
        lambda http: http.put(f"{CHANNEL}/location", json=HOME),
        lambda http: http.get(f"{CHANNEL}/category-suggestions", params={"q": "shirt"}),
        lambda http: http.get("/api/v1/products/1/channels/ebay"),
        lambda http: http.put("/api/v1/products/1/channels/ebay", json={}),
    ],
)
def test_nobody_comes_in_without_a_sign_in_that_holds(
    api: httpx.Client, seller: Seller, ebay: Sandbox, ask: Ask
) -> None:
    """E5: no token, or the token of a sign-in that was ended; eBay is not asked."""
    assert ask(api).status_code == 401
    tokens = sign_in(api, seller.email).json()
    out = {"Authorization": f"Bearer {tokens['access_token']}"}
    body = {"refresh_token": tokens["refresh_token"]}
    assert api.post("/api/v1/auth/logout", json=body, headers=out).status_code == 204
    with httpx.Client(base_url=api.base_url, headers=out) as signed_out:
        assert ask(signed_out).status_code == 401
    assert ebay.control("calls", method="GET")["calls"] == {}


@pytest.fixture
def no_keyset(pointed_at_the_sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOFLOW_EBAY_CLIENT_SECRET")


def test_an_installation_without_a_keyset_says_so(no_keyset: None, seller: Seller) -> None:
    """E6."""
    answer = seller.http.post(f"{CHANNEL}/connect")
    assert (answer.status_code, answer.json()["code"]) == (500, "misconfigured")
    assert "STOFLOW_EBAY_CLIENT_SECRET" in answer.json()["detail"]
