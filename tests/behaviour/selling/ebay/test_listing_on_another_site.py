"""A shop sells on the site it chose: its language, currency, policies, categories and words."""

from collections.abc import Callable

import httpx
import pytest

from models.selling.publishing import JobAction, JobOutcome
from repositories.selling.ebay import EbayChoiceRepository
from sandbox.ebay.catalogue import FIRST_SITE_ID
from sandbox.ebay.values import SITES
from services.gateways.ebay.marketplaces import marketplace_named
from services.selling.ebay.preflight import EbayPreflight
from services.selling.publishing.channels import Findings
from shared.clock import MovableClock
from tests.behaviour.selling.ebay.conftest import (
    CHANNEL,
    Shop,
    begin,
    connect,
    redirected,
    through,
)
from tests.contracts.ebay_shop import Sandbox
from tests.factories.ebay import SHIRT_CATEGORY
from tests.serving import Seller

UNKNOWN = "category-unknown-on-site"
ABROAD = ["EBAY_GB", "EBAY_FR", "EBAY_DE"]
OWN_WORDS = {
    "EBAY_GB": {},
    "EBAY_FR": {"Département": ["Men"], "Type de taille": ["Regular"], "Type": ["T-Shirt"]},
    "EBAY_DE": {
        "Abteilung": ["Men"],
        "Größenkategorie": ["Regular"],
        "Produktart": ["T-Shirt"],
    },
}
"""What the sandbox takes from a closed list there, in its words."""


def shirts_on(marketplace_id: str) -> str:
    """The number that the sandbox gives the category of shirts there."""
    return str(int(SHIRT_CATEGORY) + int(SITES[marketplace_id].tree_id) * FIRST_SITE_ID)


def rules(shop: Shop, product_id: int) -> list[str]:
    preflight = EbayPreflight(marketplace_named("EBAY_US"))
    with shop.container.database.tenant(shop.tenant) as session:
        gaps = preflight.findings(session, [product_id]).get(product_id, Findings()).gaps
    return [gap.code for gap in gaps]


def choose_site(seller: Seller, marketplace_id: str) -> httpx.Response:
    return seller.http.patch(CHANNEL, json={"marketplace_id": marketplace_id})


@pytest.fixture
def move(shop: Shop, ebay: Sandbox, connected: Seller) -> Callable[[str], None]:
    """Let the shop sell on a site for which the account has policies."""

    def act(marketplace_id: str) -> None:
        ebay.control("sellers/alice/policies", {"marketplace_id": marketplace_id})
        answer = choose_site(connected, marketplace_id)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["marketplace_id"], answer.json()["ready"]) == (marketplace_id, True)

    return act


def choose_category(seller: Seller, marketplace_id: str, product_id: int) -> httpx.Response:
    body = {"category_id": shirts_on(marketplace_id), "aspects": OWN_WORDS[marketplace_id]}
    return seller.http.put(f"/api/v1/products/{product_id}/channels/ebay", json=body)


@pytest.mark.parametrize("marketplace_id", ABROAD)
def test_a_product_is_listed_on_the_site_that_the_account_chose(
    shop: Shop, connected: Seller, move: Callable[[str], None], marketplace_id: str
) -> None:
    """C9, B12: in its currency and tree, under its policies; changed and ended there."""
    site = SITES[marketplace_id]
    move(marketplace_id)
    product_id = shop.shirt(currency=site.currency)
    chosen = choose_category(connected, marketplace_id, product_id)
    assert (chosen.status_code, chosen.json()["missing"]) == (200, []), chosen.text
    job = shop.run(product_id)
    assert job.outcome is JobOutcome.OK, shop.story(job.id)
    [listing] = shop.live()
    assert (listing["marketplace_id"], listing["currency"]) == (marketplace_id, site.currency)
    known = shop.listing(product_id)
    assert known is not None
    assert known.url is not None
    assert known.url.startswith(marketplace_named(marketplace_id).site)
    for action in (JobAction.UPDATE, JobAction.LINK, JobAction.DELETE):
        assert shop.run(product_id, action).outcome is JobOutcome.OK, action
    assert shop.live() == []


@pytest.mark.parametrize("marketplace_id", ABROAD)
def test_a_category_is_never_guessed_from_another_sites_numbers(
    shop: Shop, connected: Seller, move: Callable[[str], None], marketplace_id: str
) -> None:
    """C9: what was chosen for one site is not taken for another, and is there on the way back."""
    abroad = shop.shirt(currency=SITES[marketplace_id].currency)
    home = shop.shirt()
    with shop.container.database.tenant(shop.tenant) as session:
        EbayChoiceRepository(session).put(abroad, "EBAY_US", SHIRT_CATEGORY, {})
    move(marketplace_id)
    assert rules(shop, abroad) == [UNKNOWN]
    refused = connected.http.put(
        f"/api/v1/products/{abroad}/channels/ebay", json={"category_id": SHIRT_CATEGORY}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "ebay-choice-invalid")
    assert choose_category(connected, marketplace_id, abroad).json()["missing"] == []
    assert choose_site(connected, "EBAY_US").status_code == 200
    assert rules(shop, home) == []
    with shop.container.database.tenant(shop.tenant) as session:
        kept = EbayChoiceRepository(session).by_products([abroad], "EBAY_US")
    assert kept[abroad].category_id == SHIRT_CATEGORY


def test_a_shops_place_for_a_category_counts_on_the_site_it_was_chosen_for(
    shop: Shop, connected: Seller, move: Callable[[str], None]
) -> None:
    """C9: asked about in that site's tree, for all products of the category."""
    product_id = shop.shirt(currency="GBP")
    place = "/api/v1/category-choices/ebay/aa-1-13-8"
    move("EBAY_GB")
    foreign = connected.http.put(place, json={"category_id": SHIRT_CATEGORY})
    assert foreign.json()["code"] == "category-choice-invalid"
    chosen = connected.http.put(place, json={"category_id": shirts_on("EBAY_GB")})
    assert (chosen.status_code, chosen.json()["site"]) == (200, "EBAY_GB")
    assert rules(shop, product_id) == []
    assert choose_site(connected, "EBAY_US").status_code == 200
    assert rules(shop, product_id) == ["currency-not-accepted"]
    assert connected.http.delete(place).status_code == 404


def test_prices_are_in_the_sites_currency(shop: Shop, move: Callable[[str], None]) -> None:
    """B12: 25 euros are not 25 pounds; which currency is wanted is said, nothing is converted."""
    product_id = shop.shirt(currency="EUR")
    assert rules(shop, product_id) == ["currency-not-accepted"]
    move("EBAY_GB")
    assert rules(shop, product_id) == ["currency-not-accepted", UNKNOWN]
    preflight = EbayPreflight(marketplace_named("EBAY_US"))
    with shop.container.database.tenant(shop.tenant) as session:
        [gap, _] = preflight.findings(session, [product_id])[product_id].gaps
    assert "give it prices in GBP" in gap.message


@pytest.mark.parametrize(
    ("marketplace_id", "colour"),
    [
        ("EBAY_GB", ("Colour", "Blue")),
        ("EBAY_FR", ("Couleur", "Bleu")),
        ("EBAY_DE", ("Farbe", "Blau")),
    ],
)
def test_a_product_is_said_in_the_sites_words(
    shop: Shop,
    connected: Seller,
    move: Callable[[str], None],
    marketplace_id: str,
    colour: tuple[str, str],
) -> None:
    """C6: as far as our tables have them; English words for what a category implies stay away."""
    move(marketplace_id)
    product_id = shop.shirt(currency=SITES[marketplace_id].currency)
    body = {"category_id": shirts_on(marketplace_id)}
    told = connected.http.put(f"/api/v1/products/{product_id}/channels/ebay", json=body).json()
    name, word = colour
    assert told["aspects"][name] == [word]
    assert ("Type" in told["aspects"]) == (marketplace_id == "EBAY_GB")


def test_a_site_without_policies_says_what_is_missing(shop: Shop, connected: Seller) -> None:
    """C7: policies belong to a site; where goods are sent from does not."""
    told = choose_site(connected, "EBAY_FR").json()
    assert [gap["field"] for gap in told["missing"]] == [
        "account.fulfillment_policy",
        "account.payment_policy",
        "account.return_policy",
    ]
    assert told["location"]["country"] == "US"


def test_a_site_is_left_only_when_nothing_is_listed_on_it(shop: Shop, connected: Seller) -> None:
    """C9: neither by choosing nor by connecting anew."""
    product_id = shop.shirt()
    shop.run(product_id)
    refused = choose_site(connected, "EBAY_FR")
    assert (refused.status_code, refused.json()["code"]) == (409, "ebay-site-in-use")
    again = connected.http.post(f"{CHANNEL}/connect", json={"marketplace_id": "EBAY_FR"})
    assert (again.status_code, again.json()["code"]) == (409, "ebay-site-in-use")
    assert connected.http.get(CHANNEL).json()["marketplace_id"] == "EBAY_US"
    assert choose_site(connected, "EBAY_US").json()["ready"] is True
    shop.run(product_id, JobAction.DELETE)
    assert choose_site(connected, "EBAY_FR").status_code == 200


def test_a_site_that_does_not_exist_is_refused(shop: Shop, connected: Seller) -> None:
    """H4: with the names of those that do."""
    refused = choose_site(connected, "EBAY_XX")
    assert (refused.status_code, refused.json()["code"]) == (422, "ebay-site-unknown")
    assert "EBAY_FR" in refused.json()["detail"]


def test_the_site_is_chosen_while_connecting(seller: Seller, ebay: Sandbox) -> None:
    """C9: it rides in the state, which is good as a whole or not at all."""
    ebay.control("sellers", {"name": "alice", "marketplaces": ["EBAY_DE"]})
    asked = seller.http.post(f"{CHANNEL}/connect", json={"marketplace_id": "EBAY_DE"}).json()
    target = redirected(ebay, asked["authorize_url"], "alice")
    forged = target.replace("EBAY_DE", "EBAY_FR")
    assert forged != target
    assert httpx.get(forged).json()["code"] == "consent-state-refused"
    told = httpx.get(target).json()["channel"]
    assert told["marketplace_id"] == "EBAY_DE"
    assert [gap["field"] for gap in told["missing"]] == ["account.location"]


def test_connecting_again_keeps_the_site(seller: Seller, ebay: Sandbox) -> None:
    """C9: the installation's own site is for accounts that chose none."""
    assert connect(seller, ebay, "alice").status_code == 200
    assert choose_site(seller, "EBAY_FR").status_code == 200
    assert httpx.get(redirected(ebay, begin(seller), "alice")).status_code == 200
    assert seller.http.get(CHANNEL).json()["marketplace_id"] == "EBAY_FR"


def test_nobody_chooses_a_site_for_an_account_that_is_not_there(seller: Seller) -> None:
    """C9."""
    refused = choose_site(seller, "EBAY_FR")
    assert (refused.status_code, refused.json()["code"]) == (409, "ebay-not-connected")


@pytest.mark.parametrize("marketplace_id", ABROAD)
def test_every_call_names_the_site_and_its_language(
    shop: Shop,
    connected: Seller,
    move: Callable[[str], None],
    clock: MovableClock,
    marketplace_id: str,
) -> None:
    """C3: all but photos and tokens, whether they write or read."""
    move(marketplace_id)
    product_id = shop.shirt(currency=SITES[marketplace_id].currency)
    assert choose_category(connected, marketplace_id, product_id).json()["missing"] == []
    sent: list[httpx.Request] = []

    class Watching(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return super().handle_request(request)

    through(shop.container, Watching())
    rebuilt = shop.rebuilt()
    assert rebuilt.run(product_id).outcome is JobOutcome.OK
    language = SITES[marketplace_id].language
    calls = [each for each in sent if "/oauth2/" not in each.url.path]
    assert {each.headers["Accept-Language"] for each in calls} == {language}
    assert {each.headers["X-EBAY-C-MARKETPLACE-ID"] for each in calls} == {marketplace_id}
    written = [each for each in calls if each.headers.get("Content-Type") == "application/json"]
    assert {each.headers["Content-Language"] for each in written} == {language}
