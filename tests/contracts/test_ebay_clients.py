"""Our eBay clients against the sandbox: everything they send and read is as eBay's documents say.

Where the documents are absent the same calls are made unchecked, and one test says so by name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.gateways.ebay.account import PolicyKind
from services.gateways.ebay.errors import EbayGrantRefused, EbayRefusal
from services.gateways.ebay.gateway import HttpEbayGateway, SellerApis
from services.gateways.ebay.inventory import Address, InventoryItem, ItemGroup
from services.gateways.ebay.marketplaces import marketplace_named
from services.gateways.ebay.oauth import SELLER_SCOPES, Keyset
from services.gateways.ebay.offers import Offer, PriceAndQuantity, SellingPolicies
from services.gateways.ebay.transport import EbayAddresses, Exchange
from shared.clock import MovableClock
from shared.errors import APIConnectionError, APITimeoutError, EbayError, Misconfigured, Remedy
from shared.http_client import outbound_client
from shared.money import Money
from tests.contracts.ebay_shop import KEYSET, LOCATION, SHIRTS, Sandbox, callback_query, picture
from tests.contracts.openapi_documents import EbayDocuments
from tests.contracts.recording import ContractCheckingTransport
from tests.fakes.calls import uncounted

SKUS = ("MANY1", "MANY2")
HTTPS_PICTURE = "https://pictures.example/1.jpg"


@dataclass
class FixedTokens:
    """One token, and what replaces it once."""

    token: str
    spare: str | None = None
    replaced: int = 0
    account: str = "user_1"

    def current(self) -> str:
        return self.token

    def replacing(self, rejected: str) -> str:
        self.replaced += 1
        assert rejected == self.token
        if self.spare is None:
            raise EbayError("no other token", remedy=Remedy.RECONNECT)
        return self.spare


@dataclass
class Ebay:
    """Our side, ready to call."""

    gateway: HttpEbayGateway
    sandbox: Sandbox
    wire: ContractCheckingTransport | None
    exchanges: list[Exchange]

    def seller(self, user: str = "alice") -> SellerApis:
        """APIs under a fresh token of this seller."""
        return self.under(FixedTokens(self.sandbox.tokens(user)["access_token"]))

    def under(self, tokens: FixedTokens) -> SellerApis:
        """APIs under these tokens."""
        return self.gateway.seller(tokens, self.gateway.marketplace, self.exchanges.append)


def gateway_to(
    url: str, inner: httpx.BaseTransport | None = None, *, timeout_s: float = 20.0
) -> HttpEbayGateway:
    return HttpEbayGateway(
        outbound_client(timedelta(seconds=timeout_s), transport=inner),
        EbayAddresses(url, url, url, url),
        Keyset(KEYSET.client_id, KEYSET.client_secret, KEYSET.ru_name),
        marketplace_named("EBAY_US"),
        uncounted(),
        MovableClock(datetime(2026, 6, 1, tzinfo=UTC)),
    )


@pytest.fixture
def ebay(
    sandbox_url: str, sandbox: Sandbox, loaded_documents: EbayDocuments | None
) -> Iterator[Ebay]:
    """Our gateway to the sandbox; every request and answer checked where documents are there."""
    wire = None
    if loaded_documents is not None:
        wire = ContractCheckingTransport(httpx.HTTPTransport(), loaded_documents)
    yield Ebay(gateway_to(sandbox_url, wire), sandbox, wire, [])
    if wire is not None:
        assert not wire.violations


def an_item(sku: str, **changes: object) -> InventoryItem:
    values: dict[str, object] = {
        "sku": sku,
        "title": "Blue shirt",
        "description": "A blue shirt.",
        "aspects": {"Brand": ["Acme"], "Size": ["M"]},
        "image_urls": [HTTPS_PICTURE],
        "condition": "PRE_OWNED_EXCELLENT",
        "quantity": 3,
        "weight_grams": 250,
        "barcodes": {"ean": "4006381333931"},
        **changes,
    }
    return InventoryItem(**values)  # type: ignore[arg-type]


def policies_of(apis: SellerApis) -> SellingPolicies:
    return SellingPolicies(*(apis.account.policies(kind)[0].id for kind in PolicyKind))


def an_offer(apis: SellerApis, sku: str, **changes: object) -> Offer:
    values: dict[str, object] = {
        "sku": sku,
        "category_id": SHIRTS,
        "price": Money(1999, "USD"),
        "quantity": 3,
        "description": "<p>A blue shirt.</p>",
        "policies": policies_of(apis),
        "location_key": LOCATION,
        **changes,
    }
    return Offer(**values)  # type: ignore[arg-type]


def stocked(apis: SellerApis, sku: str = "SKU1") -> str:
    apis.inventory.create_location(LOCATION, "Home", Address("US", postal_code="94103"))
    apis.inventory.put_item(an_item(sku))
    return apis.offers.create(an_offer(apis, sku)).offer_id


def test_every_operation_our_clients_use_obeys_the_documents(
    ebay: Ebay, documents: EbayDocuments
) -> None:
    """E7, C7: one walk through all clients; what a client no longer calls fails here."""
    apis, public = ebay.seller(), ebay.gateway.public
    assert apis.identity.user().username == "TESTUSER_alice"
    assert apis.account.uses_policies()
    assert not apis.account.opt_in_to_policies()
    hosted = apis.media.upload(picture())
    offer_id = stocked(apis)
    apis.inventory.put_item(an_item("SKU1", image_urls=[hosted.image_url]))
    apis.offers.update(offer_id, an_offer(apis, "SKU1", quantity=2))
    listing_id = apis.offers.publish(offer_id)
    [live] = apis.offers.of_sku("SKU1")
    assert (live.listing_id, live.published, live.quantity) == (listing_id, True, 2)
    assert live.price == Money(1999, "USD")
    item = apis.inventory.item("SKU1")
    assert item is not None
    assert item.image_urls == (hosted.image_url,)
    order_walk(apis, ebay.sandbox, listing_id)
    apis.offers.withdraw(offer_id)
    assert apis.inventory.delete_item("SKU1")
    assert apis.offers.get(offer_id) is None
    group_walk(apis)
    bulk_walk(apis)
    assert apis.inventory.locations()[0].key == LOCATION
    assert [aspect.name for aspect in public.aspects_of(SHIRTS) if aspect.required]
    assert public.conditions_of([SHIRTS])[SHIRTS] == [1000, 1500, 2990, 3000, 3010]
    assert public.taxonomy.suggestions("t-shirt")[0].path[0] == "Clothing"
    [inventory] = [each for each in public.analytics.rates() if each.api == "sell/inventory"]
    assert (inventory.limit, inventory.window) == (2_000_000, timedelta(days=1))
    assert 0 < inventory.remaining < inventory.limit
    assert inventory.since < datetime.now(UTC) < inventory.resets_at
    assert ebay.wire is not None
    ebay.wire.assert_clean()
    assert set(ebay.wire.operations) == {
        "bulkCreateOffer",
        "bulkCreateOrReplaceInventoryItem",
        "bulkPublishOffer",
        "bulkUpdatePriceQuantity",
        "createImageFromFile",
        "createInventoryLocation",
        "createOffer",
        "createOrReplaceInventoryItem",
        "createOrReplaceInventoryItemGroup",
        "createShippingFulfillment",
        "deleteInventoryItem",
        "deleteInventoryItemGroup",
        "getCategorySuggestions",
        "getDefaultCategoryTreeId",
        "getFulfillmentPolicies",
        "getInventoryItem",
        "getInventoryItemGroup",
        "getInventoryLocations",
        "getItemAspectsForCategory",
        "getItemConditionPolicies",
        "getOffer",
        "getOffers",
        "getOptedInPrograms",
        "getOrder",
        "getOrders",
        "getPaymentPolicies",
        "getRateLimits",
        "getReturnPolicies",
        "getShippingFulfillments",
        "getUser",
        "optInToProgram",
        "publishOffer",
        "publishOfferByInventoryItemGroup",
        "updateOffer",
        "withdrawOffer",
        "withdrawOfferByInventoryItemGroup",
    }


def order_walk(apis: SellerApis, sandbox: Sandbox, listing_id: str) -> None:
    """A5, C13: what was bought, read by its change, by its id and alone; and sent."""
    order_id = sandbox.buy(listing_id, buyer="ada")["order_id"]
    since = datetime.now(UTC) - timedelta(hours=1)
    page = apis.fulfillment.changed(since, None, offset=0, limit=50)
    [order] = page.orders
    assert (order.order_id, order.payment, page.total, page.unreadable) == (order_id, "PAID", 1, [])
    assert (order.buyer, order.total, order.fee) == ("ada", Money(2449, "USD"), Money(354, "USD"))
    [line] = order.lines
    assert (line.sku, line.listing_id, line.quantity) == ("SKU1", listing_id, 1)
    assert apis.fulfillment.by_ids([order_id, "27-404"]).orders == [order]
    assert apis.fulfillment.order(order_id) == order
    assert apis.fulfillment.order("27-404") is None
    assert apis.fulfillment.parcels(order_id) == []
    parcel_id = apis.fulfillment.ship(order_id, {line.line_id: 1}, "USPS", "94001")
    [parcel] = apis.fulfillment.parcels(order_id)
    assert parcel.fulfillment_id == parcel_id
    assert (parcel.tracking, parcel.carrier, parcel.units) == ("94001", "USPS", {line.line_id: 1})
    sent = apis.fulfillment.order(order_id)
    assert sent is not None
    assert (sent.fulfillment, sent.lines[0].fulfilled) == ("FULFILLED", True)


def bulk_walk(apis: SellerApis) -> None:
    """E7: what goes well stays done beside what is refused, and each row says which it is."""
    apis.inventory.put_items([an_item("MANY1"), an_item("MANY2")])
    with pytest.raises(EbayRefusal) as refused:
        apis.inventory.put_items([an_item("MANY3"), an_item("MANY4", title="x" * 81)])
    assert refused.value.mentions(25709)
    assert apis.inventory.item("MANY3") is not None
    assert apis.inventory.item("MANY4") is None
    first = apis.offers.create(an_offer(apis, "MANY1"))
    created = apis.offers.create_all([an_offer(apis, sku) for sku in ("MANY1", "MANY2")])
    assert (created["MANY1"].offer_id, created["MANY1"].existed) == (first.offer_id, True)
    assert created["MANY2"].existed is False
    with pytest.raises(EbayRefusal) as unknown:
        apis.offers.create_all([an_offer(apis, sku) for sku in ("MANY3", "NOBODY")])
    assert unknown.value.mentions(25702)
    assert len(apis.offers.of_sku("MANY3")) == 1
    ids = [created[sku].offer_id for sku in ("MANY1", "MANY2")]
    listed = apis.offers.publish_all([*ids, "404"])
    assert isinstance(listed["404"], EbayRefusal)
    assert {listed[each] for each in ids} == {apis.offers.of_sku(s)[0].listing_id for s in SKUS}
    new = [PriceAndQuantity(sku, ids[n], Money(1500, "USD"), 2) for n, sku in enumerate(SKUS)]
    apis.offers.reprice(new)
    seen = [apis.offers.of_sku(sku)[0] for sku in SKUS]
    assert [(offer.price, offer.quantity) for offer in seen] == [(Money(1500, "USD"), 2)] * 2
    wrong = replace(new[0], price=Money(1400, "EUR"))
    with pytest.raises(EbayRefusal) as priced:
        apis.offers.reprice([wrong, replace(new[1], quantity=1)])
    assert priced.value.mentions(25003)
    assert [apis.offers.of_sku(sku)[0].quantity for sku in SKUS] == [2, 1]


def group_walk(apis: SellerApis) -> None:
    for size in ("S", "M"):
        aspects = {"Brand": ["Acme"], "Size": [size]}
        apis.inventory.put_item(an_item(f"SHIRT{size}", aspects=aspects))
        apis.offers.create(an_offer(apis, f"SHIRT{size}"))
    group = ItemGroup(
        key="GROUP1",
        title="Blue shirt",
        description="Two sizes.",
        image_urls=[HTTPS_PICTURE],
        aspects={"Brand": ["Acme"]},
        skus=["SHIRTS", "SHIRTM"],
        varies_by={"Size": ["S", "M"]},
    )
    apis.inventory.put_group(group)
    listing_id = apis.offers.publish_group("GROUP1")
    offers = [offer for sku in group.skus for offer in apis.offers.of_sku(sku)]
    assert [offer.listing_id for offer in offers] == [listing_id, listing_id]
    stored = apis.inventory.group("GROUP1")
    assert stored is not None
    assert stored.skus == ("SHIRTS", "SHIRTM")
    apis.offers.withdraw_group("GROUP1")
    assert apis.inventory.delete_group("GROUP1")
    assert not apis.inventory.delete_group("GROUP1")


def test_a_whole_shop_is_read_by_the_documents(ebay: Ebay, documents: EbayDocuments) -> None:
    """A4, B15: items page by page, where eBay's offset is the number of the page."""
    apis = ebay.seller()
    listing_id = apis.offers.publish(stocked(apis))
    for size in ("S", "M"):
        apis.inventory.put_item(an_item(f"SHIRT{size}", aspects={"Size": [size]}))
    group = ItemGroup(
        key="G1",
        title="Blue shirt",
        description="Two sizes.",
        image_urls=[HTTPS_PICTURE],
        aspects={},
        skus=["SHIRTS", "SHIRTM"],
        varies_by={"Size": ["S", "M"]},
    )
    apis.inventory.put_group(group)
    pages = [apis.shop_items.page(number, 2) for number in range(2)]
    assert [(page.total, page.last, len(page.rows)) for page in pages] == [
        (3, False, 2),
        (3, True, 1),
    ]
    items = apis.shop_items.items(["SKU1", "SHIRTM", "NONE"])
    assert {sku: item.group_key for sku, item in items.items()} == {"SKU1": None, "SHIRTM": "G1"}
    stored = apis.shop_items.group("G1")
    assert stored is not None
    assert (stored.skus, stored.varies_by) == (("SHIRTS", "SHIRTM"), ("Size",))
    assert apis.shop_items.group("NONE") is None
    [offer] = apis.shop_items.listed("SKU1")
    assert (offer.listing_id, offer.marketplace_id) == (listing_id, "EBAY_US")
    assert (offer.price, offer.quantity, offer.category_id) == (Money(1999, "USD"), 3, SHIRTS)
    assert apis.shop_items.listed("SHIRTM") == apis.shop_items.listed("NONE") == []
    assert ebay.wire is not None
    ebay.wire.assert_clean()
    assert {"getInventoryItems", "bulkGetInventoryItem"} <= set(ebay.wire.operations)


def test_a_second_creation_finds_the_offer_that_is_there(ebay: Ebay) -> None:
    """B1: 25002 with the offer's id among its parameters is no failure."""
    apis = ebay.seller()
    offer_id = stocked(apis)
    again = apis.offers.create(an_offer(apis, "SKU1"))
    assert (again.offer_id, again.existed) == (offer_id, True)
    assert len(apis.offers.of_sku("SKU1")) == 1


def test_25002_without_an_offer_id_stays_a_refusal(ebay: Ebay) -> None:
    """C8: the catch-all number alone decides nothing."""
    apis = ebay.seller()
    stocked(apis)
    apis.inventory.put_item(an_item("SKU1", aspects={"Brand": ["Acme"]}))
    [offer] = apis.offers.of_sku("SKU1")
    with pytest.raises(EbayRefusal) as refused:
        apis.offers.publish(offer.offer_id)
    assert refused.value.remedy is Remedy.FIX_DATA
    assert refused.value.mentions(25002)
    assert "Size" in refused.value.fields[0].message
    assert ebay.sandbox.ledger() == []


def test_what_ebay_does_not_have_is_none_and_not_an_error(ebay: Ebay) -> None:
    """B2."""
    apis = ebay.seller()
    assert apis.inventory.item("NOTHING") is None
    assert apis.inventory.group("NOTHING") is None
    assert apis.offers.get("1") is None
    assert apis.offers.of_sku("NOTHING") == []
    assert not apis.inventory.delete_item("NOTHING")


def test_a_location_is_made_once(ebay: Ebay) -> None:
    """C7."""
    apis = ebay.seller()
    address = Address("US", city="Portland", state="OR")
    assert apis.inventory.create_location("k", "Home", address)
    assert not apis.inventory.create_location("k", "Home", address)
    [location] = apis.inventory.locations()
    assert (location.key, location.enabled, location.city) == ("k", True, "Portland")


@pytest.mark.parametrize(
    ("kind", "remedy", "retry_after"),
    [
        ("http_500", Remedy.WAIT, None),
        ("http_503", Remedy.WAIT, None),
        ("http_429", Remedy.WAIT, 7),
    ],
)
def test_transient_refusals_ask_to_wait(
    ebay: Ebay, kind: str, remedy: Remedy, retry_after: int | None
) -> None:
    """C8, E10: 25001 and 2001 are transient; a Retry-After is honoured where there is one."""
    apis = ebay.seller()
    more = {"retry_after_s": retry_after} if retry_after else {}
    ebay.sandbox.fault("createOffer", kind, **more)
    with pytest.raises(EbayRefusal) as refused:
        stocked(apis)
    assert refused.value.remedy is remedy
    assert refused.value.retry_after == retry_after
    assert ebay.sandbox.control("calls", method="GET")["calls"]["createOffer"] == 1


def test_a_lost_answer_to_a_creation_is_never_asked_for_again(
    sandbox_url: str, sandbox: Sandbox
) -> None:
    """B1: the work was done, the answer withheld; the caller is told, nothing is repeated."""
    apis = gateway_to(sandbox_url, timeout_s=1.5).seller(
        FixedTokens(sandbox.tokens("alice")["access_token"]), marketplace_named("EBAY_US")
    )
    sandbox.fault("createOffer", "timeout_after_success")
    with pytest.raises(APITimeoutError):
        stocked(apis)
    assert sandbox.control("calls", method="GET")["calls"]["createOffer"] == 1
    assert len(apis.offers.of_sku("SKU1")) == 1


def test_a_dropped_line_leaves_a_creation_in_doubt_and_a_question_not(ebay: Ebay) -> None:
    """B2."""
    apis = ebay.seller()
    offer_id = stocked(apis)
    ebay.sandbox.fault("publishOffer", "drop_connection")
    with pytest.raises(APITimeoutError):
        apis.offers.publish(offer_id)
    ebay.sandbox.fault("getOffer", "drop_connection")
    with pytest.raises(APIConnectionError):
        apis.offers.get(offer_id)


def test_nobody_listening_means_that_nothing_was_sent() -> None:
    """B1."""
    site = marketplace_named("EBAY_US")
    apis = gateway_to("http://127.0.0.1:9").seller(FixedTokens("t"), site)
    with pytest.raises(APIConnectionError) as failed:
        apis.inventory.put_item(an_item("SKU1"))
    assert "nothing was changed" in failed.value.detail


def test_a_refused_token_is_replaced_once(ebay: Ebay) -> None:
    """E1: and eBay's refusing a token that it has just given ends no connection; it passes."""
    good = ebay.sandbox.tokens("alice")["access_token"]
    tokens = FixedTokens("v^1.1#expired", good)
    assert ebay.under(tokens).identity.user().username == "TESTUSER_alice"
    assert tokens.replaced == 1
    hopeless = FixedTokens("v^1.1#expired", "v^1.1#expired too")
    with pytest.raises(EbayRefusal) as refused:
        ebay.under(hopeless).identity.user()
    assert refused.value.remedy is Remedy.WAIT
    assert hopeless.replaced == 1


def test_no_token_is_in_errors_or_in_what_is_remembered(ebay: Ebay) -> None:
    """E6."""
    secret = "v^1.1#i^1#secret"
    with pytest.raises(EbayRefusal) as refused:
        ebay.under(FixedTokens(secret, secret)).identity.user()
    assert secret not in repr(refused.value.__dict__)
    assert secret not in repr(ebay.exchanges)
    keyset = Keyset("id", "hush", "name")
    assert "hush" not in repr(keyset)


def test_the_whole_consent_flow(ebay: Ebay) -> None:
    """E4, E6: code for tokens, a refresh with the same scopes, no second use of a code."""
    oauth = ebay.gateway.oauth
    query = parse_qs(urlsplit(oauth.authorize_url("a state")).query)
    form = {name: values[0] for name, values in query.items()}
    assert form["scope"].split() == list(SELLER_SCOPES)
    agreed = {**form, "user": "alice", "decision": "agree"}
    answer = callback_query(ebay.sandbox.http.post("/oauth2/consent", data=agreed))
    assert answer["state"] == "a state"
    grant = oauth.exchange(answer["code"])
    renewed = oauth.refresh(grant.refresh_token, SELLER_SCOPES)
    assert renewed.token != grant.access.token
    assert ebay.under(FixedTokens(renewed.token)).account.uses_policies()
    with pytest.raises(EbayGrantRefused) as refused:
        oauth.exchange(answer["code"])
    assert (refused.value.reason, refused.value.remedy) == ("invalid_grant", Remedy.RECONNECT)


def test_a_wrong_keyset_is_the_operators_business(sandbox_url: str, sandbox: Sandbox) -> None:
    """E6."""
    gateway = gateway_to(sandbox_url)
    wrong = HttpEbayGateway(
        outbound_client(timedelta(seconds=5)),
        EbayAddresses(sandbox_url, sandbox_url, sandbox_url, sandbox_url),
        Keyset(KEYSET.client_id, "wrong", KEYSET.ru_name),
        gateway.marketplace,
        uncounted(),
        MovableClock(datetime(2026, 6, 1, tzinfo=UTC)),
    )
    with pytest.raises(Misconfigured) as refused:
        wrong.oauth.application(["scope"])
    assert "wrong" not in refused.value.detail


def test_the_application_token_is_asked_for_once(ebay: Ebay) -> None:
    """E10: eBay gives 1,000 a day."""
    for _ in range(3):
        ebay.gateway.public.aspects_of(SHIRTS)
    calls = ebay.sandbox.control("calls", method="GET")["calls"]
    assert (calls["token"], calls["getDefaultCategoryTreeId"]) == (1, 1)


def test_a_broken_photo_is_the_sellers_business(ebay: Ebay) -> None:
    """C1."""
    with pytest.raises(EbayRefusal) as refused:
        ebay.seller().media.upload(b"not a picture")
    assert refused.value.remedy is Remedy.FIX_DATA
    assert refused.value.fields[0].field == "images"
