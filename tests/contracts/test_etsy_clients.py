"""Our Etsy clients against the sandbox: everything they send and read is as Etsy's document says.

Where the document is absent the same calls are made unchecked, and one test says so by name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from services.gateways.calls import Exchange
from services.gateways.etsy.errors import EtsyGrantRefused, EtsyRefusal
from services.gateways.etsy.gateway import EtsyApis, HttpEtsyGateway
from services.gateways.etsy.inventory import Inventory, ListingProperty, OfferedProduct
from services.gateways.etsy.listings import ListingState, ListingText, NewDraft
from services.gateways.etsy.oauth import SELLER_SCOPES, EtsyGrant, new_verifier
from services.gateways.etsy.quotas import EtsyCallBook, EtsyQuotas
from services.gateways.etsy.shop_listings import ShopListing
from services.gateways.etsy.transport import EtsyAddresses, EtsyKeys
from shared.clock import SystemClock
from shared.errors import APITimeoutError, EtsyError, Misconfigured, Remedy
from shared.http_client import outbound_client
from shared.money import Money
from tests.contracts.ebay_shop import picture
from tests.contracts.etsy_documents import EtsyDocuments
from tests.contracts.etsy_shop import APP, CALLBACK, EtsySite, callback_query
from tests.contracts.recording import ContractCheckingTransport
from tests.fakes.calls import UncountedCalls

SHIRTS = 449


@dataclass
class FixedToken:
    """One token."""

    token: str
    account: str = "user_1"

    def current(self) -> str:
        return self.token

    def replacing(self, rejected: str) -> str:
        raise EtsyError("no other token", remedy=Remedy.RECONNECT)


@dataclass
class Etsy:
    """Our side, ready to call."""

    gateway: HttpEtsyGateway
    site: EtsySite
    wire: ContractCheckingTransport | None
    exchanges: list[Exchange]

    def consented(self, user: str = "alice") -> EtsyGrant:
        """Go through the flow as our service does."""
        verifier = new_verifier()
        query = httpx.URL(self.gateway.oauth.authorize_url("a state", verifier)).params
        form = {**dict(query), "user": user, "decision": "agree"}
        code = callback_query(self.site.http.post("/oauth/consent", data=form))["code"]
        return self.gateway.oauth.exchange(code, verifier)

    def seller(self, user: str = "alice") -> EtsyApis:
        """APIs under a fresh token of this seller."""
        tokens = FixedToken(self.consented(user).token)
        shop_id = self.gateway.account(tokens).me().shop_id
        assert shop_id is not None
        return self.gateway.seller(tokens, shop_id, self.exchanges.append)


@pytest.fixture
def etsy(
    etsy_sandbox_url: str, etsy_sandbox: EtsySite, loaded_etsy_documents: EtsyDocuments | None
) -> Iterator[Etsy]:
    """Our gateway to the sandbox; every request and answer checked where the document is there."""
    wire = None
    if loaded_etsy_documents is not None:
        wire = ContractCheckingTransport(httpx.HTTPTransport(), loaded_etsy_documents)
    yield Etsy(gateway_to(etsy_sandbox_url, wire), etsy_sandbox, wire, [])
    if wire is not None:
        assert not wire.violations


def gateway_to(url: str, inner: httpx.BaseTransport | None = None) -> HttpEtsyGateway:
    return HttpEtsyGateway(
        outbound_client(timedelta(seconds=20), transport=inner),
        EtsyAddresses(url, url),
        EtsyKeys(APP.keystring, APP.shared_secret, CALLBACK),
        EtsyCallBook(UncountedCalls(), EtsyQuotas()),
        SystemClock(),
    )


def some_words(apis: EtsyApis, shop_id: int, **changes: object) -> ListingText:
    values: dict[str, object] = {
        "title": "Blue shirt, 50% linen",
        "description": "A blue shirt.\n\nWorn twice & washed.",
        "taxonomy_id": SHIRTS,
        "who_made": "someone_else",
        "when_made": "1990s",
        "is_supply": False,
        "shipping_profile_id": apis.shop.shipping_profiles(shop_id)[0].id,
        "return_policy_id": apis.shop.return_policies(shop_id)[0].id,
        "tags": ("vintage", "60's shirt"),
        **changes,
    }
    return ListingText(**values)  # type: ignore[arg-type]


def shop_id_of(etsy: Etsy, user: str = "alice") -> int:
    rows = {row["name"]: row for row in etsy.site.read("sellers")["sellers"]}
    return int(rows[user]["shop_id"])


def a_draft(etsy: Etsy, apis: EtsyApis, **changes: object) -> tuple[int, ListingText, int]:
    """A new draft; its id, its words and the processing profile."""
    shop_id = shop_id_of(etsy)
    words = some_words(apis, shop_id, **changes)
    profile = apis.shop.processing_profiles(shop_id)[0].id
    draft = NewDraft(words, Money(1999, "USD"), 3, profile)
    return apis.listings.create_draft(draft), words, profile


def a_live_listing(etsy: Etsy, apis: EtsyApis, quantity: int) -> int:
    """Something that buyers can order."""
    listing_id, words, profile = a_draft(etsy, apis)
    apis.listings.upload_image(listing_id, picture(), 1, "")
    offered = [OfferedProduct("SF1", Money(1999, "USD"), quantity)]
    apis.listings.put_inventory(listing_id, Inventory(offered, (), profile))
    apis.listings.activate(listing_id, words)
    return listing_id


def test_every_operation_our_clients_use_obeys_the_document(
    etsy: Etsy, etsy_documents: EtsyDocuments
) -> None:
    """E7, C7: one walk through all clients; what a client no longer calls fails here."""
    apis, listings = etsy.seller(), etsy.seller().listings
    shop = apis.shop.shop(shop_id_of(etsy))
    assert (shop.name, shop.currency, shop.country) == ("SandboxAlice", "USD", "US")
    listing_id, words, profile = a_draft(etsy, apis)
    begun = listings.get(listing_id)
    assert begun is not None
    assert (begun.state, begun.price, begun.quantity) == (
        ListingState.DRAFT,
        Money(1999, "USD"),
        3,
    )
    images = [
        listings.upload_image(listing_id, picture("JPEG", (64, 48 + rank)), rank, "the front")
        for rank in (1, 2, 3)
    ]
    assert [image.image_id for image in listings.images(listing_id)] == images
    listings.delete_image(listing_id, images[1])
    listings.order_images(listing_id, [images[2], images[0]])
    shown = [image.image_id for image in listings.images(listing_id)]
    assert shown == [images[2], images[0]]
    products = [
        OfferedProduct("SFM", Money(1999, "USD"), 2, ("M",)),
        OfferedProduct("SFL", Money(2010, "USD"), 0, ("L",)),
    ]
    listings.put_inventory(listing_id, Inventory(products, ("Size",), profile))
    said = apis.shop.properties(SHIRTS)
    [occasion] = [each for each in said if each.name == "Occasion"]
    value_id, name = occasion.values[0]
    listings.put_property(listing_id, ListingProperty(occasion.id, (value_id,), (name,)))
    listings.activate(listing_id, words)
    live = listings.get(listing_id)
    assert live is not None
    assert live.active
    assert [(each.sku, each.price, each.quantity, each.values) for each in live.products] == [
        ("SFM", Money(1999, "USD"), 2, ("M",)),
        ("SFL", Money(2010, "USD"), 0, ("L",)),
    ]
    listings.rewrite(listing_id, some_words(apis, shop.shop_id, title="Red shirt", tags=()))
    found = listings.find(["SFL"])
    assert found is not None
    assert (found.listing_id, found.title) == (listing_id, "Red shirt")
    assert listings.find(["SF"]) is None
    listings.deactivate(listing_id)
    assert listings.find(["SFL"], [ListingState.ACTIVE]) is None
    assert listings.delete(listing_id)
    assert not listings.delete(listing_id)
    assert listings.get(listing_id) is None
    assert [node.path[-1] for node in apis.shop.taxonomy() if node.id == SHIRTS] == ["T-shirts"]
    assert etsy.wire is not None
    etsy.wire.assert_clean()
    assert set(etsy.wire.operations) == {
        "createDraftListing",
        "deleteListing",
        "deleteListingImage",
        "getListing",
        "getListingImages",
        "getListingsByShop",
        "getMe",
        "getPropertiesByTaxonomyId",
        "getSellerTaxonomyNodes",
        "getShop",
        "getShopReadinessStateDefinitions",
        "getShopReturnPolicies",
        "getShopShippingProfiles",
        "updateListing",
        "updateListingInventory",
        "updateListingProperty",
        "uploadListingImage",
    }


def test_a_whole_shop_is_read_by_the_document(etsy: Etsy, etsy_documents: EtsyDocuments) -> None:
    """A4, B15: page by page, with photos and inventory."""
    apis = etsy.seller()
    etsy.site.control("sellers/alice/stock", {"number": 2})
    sizes = {"S": "A-S", "M": "A-M"}
    etsy.site.control(
        "sellers/alice/stock", {"listings": [{"title": "60&#39;s shirt", "sizes": sizes}]}
    )
    pages = [apis.shop_listings.active(offset, 2) for offset in (0, 2)]
    assert [(page.total, page.last, len(page.rows)) for page in pages] == [
        (3, False, 2),
        (3, True, 1),
    ]
    newest = ShopListing.of(pages[0].rows[0])
    assert (newest.title, newest.who_made, newest.digital) == ("60's shirt", "someone_else", False)
    assert [(each.sku, each.values) for each in newest.variants] == [
        ("A-S", {"Size": "S"}),
        ("A-M", {"Size": "M"}),
    ]
    [offering] = newest.variants[0].offerings
    assert (offering.price, offering.quantity, offering.enabled) == (Money(1999, "USD"), 3, True)
    [image] = newest.images
    assert httpx.get(image.url).headers["content-type"] == "image/jpeg"
    assert etsy.wire is not None
    etsy.wire.assert_clean()


def test_every_operation_on_receipts_obeys_the_document(
    etsy: Etsy, etsy_documents: EtsyDocuments
) -> None:
    """E7, A1: read in pages, one by one, and sent, of which the buyer hears once."""
    apis = etsy.seller()
    listing_id = a_live_listing(etsy, apis, quantity=3)
    bought = etsy.site.control("orders", {"listing_id": listing_id, "quantity": 2})
    receipt_id = int(bought["receipt_id"])
    since = SystemClock().now() - timedelta(days=1)
    page = apis.receipts.changed(since, None, offset=0)
    assert (page.total, page.ids, page.unreadable) == (1, {str(receipt_id)}, [])
    closed = apis.receipts.changed(since - timedelta(days=7), since, offset=0)
    assert (closed.total, closed.size) == (0, 0)
    receipt = apis.receipts.receipt(receipt_id)
    assert receipt is not None
    assert (receipt.status, receipt.paid, receipt.shipped) == ("paid", True, False)
    [line] = receipt.lines
    assert (line.listing_id, line.sku, line.quantity) == (listing_id, "SF1", 2)
    assert (line.total, receipt.goods) == (Money(3998, "USD"), Money(3998, "USD"))
    assert list(apis.receipts.transactions(receipt_id)) == [line]
    assert apis.receipts.receipt(1) is None
    sent = apis.receipts.ship(receipt_id, "usps", "9400", "Thank you")
    assert (sent.shipped, [parcel.tracking for parcel in sent.parcels]) == (True, ["9400"])
    assert [mail["to"] for mail in etsy.site.read("ledger")["emails"]] == ["buyer"]
    assert etsy.wire is not None
    etsy.wire.assert_clean()
    assert {name for name in etsy.wire.operations if "eceipt" in name} == {
        "createReceiptShipment",
        "getShopReceipt",
        "getShopReceipts",
        "getShopReceiptTransactionsByReceipt",
    }


def test_a_shipment_whose_answer_is_lost_is_not_told_again(etsy: Etsy) -> None:
    """B1: the buyer was written to; the receipt shows the parcel to whoever looks first."""
    apis = etsy.seller()
    listing_id = a_live_listing(etsy, apis, quantity=1)
    receipt_id = int(etsy.site.control("orders", {"listing_id": listing_id})["receipt_id"])
    etsy.site.fault("createReceiptShipment", "lost_answer")
    with pytest.raises(APITimeoutError):
        apis.receipts.ship(receipt_id, "usps", "9400")
    receipt = apis.receipts.receipt(receipt_id)
    assert receipt is not None
    assert [parcel.tracking for parcel in receipt.parcels] == ["9400"]
    assert len(etsy.site.read("ledger")["emails"]) == 1


def test_a_draft_without_a_number_is_found_by_its_text(etsy: Etsy) -> None:
    """B2, B3: what a lost answer leaves; what is for sale is found by its number alone."""
    apis = etsy.seller()
    listing_id, words, profile = a_draft(etsy, apis, description="A shirt.\n\nSF123")
    found = apis.listings.find(["SF123"])
    assert found is not None
    assert found.listing_id == listing_id
    apis.listings.upload_image(listing_id, picture(), 1, "")
    offered = [OfferedProduct("SF999", Money(1999, "USD"), 1)]
    apis.listings.put_inventory(listing_id, Inventory(offered, (), profile))
    apis.listings.activate(listing_id, words)
    assert apis.listings.find(["SF123"]) is None


def test_a_listing_beyond_the_first_page_is_found(etsy: Etsy) -> None:
    """B3: newest first, a hundred a page."""
    apis = etsy.seller()
    first, *_ = a_draft(etsy, apis, description="SFFIRST")
    shop_id = shop_id_of(etsy)
    words, profile = some_words(apis, shop_id), apis.shop.processing_profiles(shop_id)[0].id
    for _ in range(101):
        apis.listings.create_draft(NewDraft(words, Money(1999, "USD"), 1, profile))
    before = len(etsy.exchanges)
    found = apis.listings.find(["SFFIRST"])
    assert found is not None
    assert found.listing_id == first
    assert len(etsy.exchanges) == before + 2


def test_a_grant_rotates_and_its_predecessor_is_void(etsy: Etsy) -> None:
    """E4, ST21: both tokens carry the user's number; scopes are those that were asked for."""
    first = etsy.consented()
    assert first.user_id == str(etsy.gateway.account(FixedToken(first.token)).me().user_id)
    assert first.token not in repr(first)
    scopes = etsy.site.http.post(
        "/v3/application/scopes",
        data={"token": first.token},
        headers={"x-api-key": f"{APP.keystring}:{APP.shared_secret}"},
    ).json()["scopes"]
    assert set(scopes) == set(SELLER_SCOPES)
    second = etsy.gateway.oauth.refresh(first.refresh_token)
    assert len({first.token, second.token, first.refresh_token, second.refresh_token}) == 4
    with pytest.raises(EtsyGrantRefused) as void:
        etsy.gateway.oauth.refresh(first.refresh_token)
    assert (void.value.reason, void.value.remedy) == ("invalid_grant", Remedy.RECONNECT)


def test_a_code_needs_its_own_verifier(etsy: Etsy) -> None:
    """ST21."""
    query = httpx.URL(etsy.gateway.oauth.authorize_url("a state", new_verifier())).params
    form = {**dict(query), "user": "alice", "decision": "agree"}
    code = callback_query(etsy.site.http.post("/oauth/consent", data=form))["code"]
    with pytest.raises(EtsyGrantRefused):
        etsy.gateway.oauth.exchange(code, new_verifier())


def test_keys_that_etsy_does_not_know_are_the_operators_business(
    etsy_sandbox_url: str, etsy_sandbox: EtsySite
) -> None:
    """E6: named by the setting, and no seller is asked to connect again."""
    url = etsy_sandbox_url
    stranger = HttpEtsyGateway(
        outbound_client(timedelta(seconds=20)),
        EtsyAddresses(url, url),
        EtsyKeys("other", "secret", CALLBACK),
        EtsyCallBook(UncountedCalls(), EtsyQuotas()),
        SystemClock(),
    )
    with pytest.raises(Misconfigured, match="STOFLOW_ETSY_KEYSTRING"):
        stranger.oauth.refresh("1.token")
    with pytest.raises(EtsyRefusal, match="STOFLOW_ETSY_KEYSTRING") as refused:
        stranger.account(FixedToken("1.token")).me()
    assert refused.value.remedy is Remedy.WAIT
