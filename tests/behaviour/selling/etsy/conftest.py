"""The sandbox Etsy beside our API: sellers who are connected."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from backend.container import Container
from sandbox.etsy.app import create_app as create_sandbox
from sandbox.server import serving
from services.gateways.etsy.gateway import HttpEtsyGateway
from services.gateways.etsy.quotas import EtsyCallBook, EtsyQuotas
from services.gateways.etsy.transport import EtsyAddresses, EtsyKeys
from services.selling.quotas.ledger import DatabaseLedger
from shared.http_client import outbound_client
from tests.contracts.etsy_shop import APP, EtsySite
from tests.serving import Seller, Stage, sign_in

CHANNEL = "/api/v1/channels/etsy"
MADE = {"who_made": "someone_else", "when_made": "1990s", "is_supply": False}


@pytest.fixture(scope="session")
def etsy_url() -> Iterator[str]:
    """A sandbox Etsy on a free port."""
    with serving(create_sandbox()) as url:
        yield url


@pytest.fixture
def etsy(etsy_url: str, stage: Stage) -> Iterator[EtsySite]:
    """The sandbox, emptied; its consent page sends sellers back to our API."""
    with httpx.Client(base_url=etsy_url, timeout=10) as http:
        site = EtsySite(http)
        site.control("reset")
        site.control("apps", {"redirect_uris": [f"{stage.url}{CHANNEL}/callback"]})
        site.control("limits", {"per_second": 1000, "per_day": 1_000_000})
        yield site


@pytest.fixture(autouse=True)
def pointed_at_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, etsy: EtsySite, etsy_url: str, stage: Stage
) -> None:
    """What our installation knows of Etsy."""
    monkeypatch.setenv("STOFLOW_ETSY_AUTH_URL", etsy_url)
    monkeypatch.setenv("STOFLOW_ETSY_API_URL", etsy_url)
    monkeypatch.setenv("STOFLOW_ETSY_KEYSTRING", APP.keystring)
    monkeypatch.setenv("STOFLOW_ETSY_SHARED_SECRET", APP.shared_secret)
    monkeypatch.setenv("STOFLOW_ETSY_REDIRECT_URI", f"{stage.url}{CHANNEL}/callback")
    monkeypatch.setenv("STOFLOW_ETSY_CALLS_PER_SECOND", "1000")


def through(container: Container, transport: httpx.BaseTransport) -> None:
    """Lead all further calls to Etsy through this transport."""
    settings = container.settings.etsy
    assert settings.keystring is not None
    assert settings.shared_secret is not None
    assert settings.redirect_uri is not None
    ledger = DatabaseLedger(container.database, container.clock)
    container.etsy = HttpEtsyGateway(
        outbound_client(settings.timeout, transport=transport),
        EtsyAddresses(settings.auth_url, settings.api_url),
        EtsyKeys(
            settings.keystring, settings.shared_secret.get_secret_value(), settings.redirect_uri
        ),
        EtsyCallBook(ledger, EtsyQuotas(1000)),
        container.clock,
    )


def redirected(site: EtsySite, authorize_url: str, user: str, decision: str = "agree") -> str:
    """Go through Etsy's consent page; returns the address the browser is sent to."""
    form = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
    answer = site.http.post("/oauth/consent", data={**form, "user": user, "decision": decision})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def begin(seller: Seller) -> str:
    """Ask our API to connect; returns the authorize URL."""
    answer = seller.http.post(f"{CHANNEL}/connect")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["authorize_url"])


def connect(seller: Seller, site: EtsySite, user: str) -> httpx.Response:
    """The whole flow; returns our callback's answer."""
    return httpx.get(redirected(site, begin(seller), user))


def sign_in_again(seller: Seller) -> None:
    """After the clock has moved past the end of the access token."""
    nobody = httpx.Client(base_url=seller.http.base_url)
    tokens = sign_in(nobody, seller.email).json()
    seller.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"


@pytest.fixture
def connected(seller: Seller, etsy: EtsySite) -> Seller:
    """A seller whose Etsy account is connected and lacks nothing."""
    assert connect(seller, etsy, "alice").status_code == 200
    answer = seller.http.put(f"{CHANNEL}/terms", json=MADE)
    assert answer.status_code == 200, answer.text
    assert answer.json()["ready"], answer.text
    return seller
