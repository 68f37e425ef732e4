"""The browser extension in a real Chromium, paired with the real server (ST38)."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from backend.container import Container
from backend.settings import Settings
from models.selling.vinted import CommandState, VintedCommand
from sandbox.server import serving as serving_vinted
from sandbox.vinted.app import create_app as create_vinted
from services.gateways.vinted.transport import PhotoUpload, VintedRequest
from shared.clock import SystemClock
from shared.database import Database
from shared.database.wake_ups import WakeUpSender
from tests.behaviour.selling.vinted.conftest import Desk
from tests.browsers import SellersBrowser, chromium_or_skip
from tests.contracts.etsy_shop import picture
from tests.contracts.vinted_site import VintedSite
from tests.serving import Seller, Stage

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("chromium")]

LONG_S = 30.0


@pytest.fixture
def clock() -> SystemClock:
    """A browser's time cannot be moved."""
    return SystemClock()


@pytest.fixture
def vinted() -> Iterator[VintedSite]:
    """An empty Vinted."""
    with (
        serving_vinted(create_vinted()) as url,
        httpx.Client(base_url=url, timeout=10) as http,
    ):
        yield VintedSite(http)


@pytest.fixture
def settings(
    settings: Settings, vinted: VintedSite, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The sandbox is one of Vinted's sites; photos are fetched from the API."""
    monkeypatch.setenv("STOFLOW_VINTED_SANDBOX_SITE", site_of(vinted))
    monkeypatch.setenv("STOFLOW_PUBLIC_URL", stage.url)
    return Settings()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[SellersBrowser]:
    """The seller's browser."""
    chromium = chromium_or_skip()
    with sync_playwright() as playwright:
        browser = SellersBrowser(playwright, chromium, tmp_path)
        yield browser
        browser.stop()


@pytest.fixture
def desk(seller: Seller, database: Database, clock: Any) -> Iterator[Desk]:
    """Leaves commands for the seller's browser, and wakes who sends them."""
    sender = WakeUpSender(database.engine)
    sender.start()
    yield Desk(database, seller.tenant, clock)
    sender.close()


def site_of(vinted: VintedSite) -> str:
    return str(vinted.http.base_url.netloc.decode())


def eventually(holds: Callable[[], Any]) -> None:
    until = monotonic() + LONG_S
    while not holds():
        assert monotonic() < until, "it never came true"
        sleep(0.05)


def answered(desk: Desk, request: VintedRequest, step: str) -> VintedCommand:
    """What came of a command."""
    job = desk.ask(request, step=step)
    eventually(lambda: desk.command(job).state not in (CommandState.WAITING, CommandState.SENT))
    return desk.command(job)


def test_it_works_for_a_shop(
    browser: SellersBrowser,
    container: Container,
    seller: Seller,
    desk: Desk,
    vinted: VintedSite,
) -> None:
    """ST38, ST39: pairs, says who is signed in, sends a photo, meets a captcha, goes on."""
    origin = str(vinted.http.base_url).rstrip("/")

    def standing() -> Any:
        return seller.http.get("/api/v1/vinted/status").json()

    expect(browser.sign_in(origin).get_by_text("camille")).to_be_visible()
    code = seller.http.post("/api/v1/vinted/pairings").json()["code"]
    popup = browser.pair(str(seller.http.base_url).rstrip("/"), origin, code)
    eventually(lambda: standing()["state"] == "connected")
    assert (standing()["login"], standing()["site"]) == ("camille", site_of(vinted))

    content = picture()
    digest = hashlib.sha256(content).hexdigest()
    container.object_store.put("tenants/1/a.jpg", content, "image/jpeg")
    fields = {"photo[type]": "item", "photo[temp_uuid]": str(uuid.uuid4())}
    photo = PhotoUpload("tenants/1/a.jpg", digest, "image/jpeg", fields)
    sent = answered(desk, VintedRequest("POST", "/api/v2/photos", photo=photo), "photo 1 of 1")
    assert (sent.state, sent.status) == (CommandState.ANSWERED, 200)
    assert [each["sha256"] for each in vinted.read("ledger")["photos"]] == [digest]

    vinted.control("members/camille/challenge")
    answered(desk, VintedRequest("GET", "/api/v2/item_upload/colors"), "colours")
    eventually(lambda: standing()["state"] == "challenged")
    expect(popup.locator("#connection")).to_have_text("Stopped")

    page = browser.tab(f"{origin}/")
    page.locator("[name=answer]").fill(vinted.read("members")["members"][0]["challenge"])
    page.locator("button").last.click()
    eventually(lambda: standing()["state"] == "connected")
    colors = answered(desk, VintedRequest("GET", "/api/v2/item_upload/colors"), "colours again")
    assert (colors.status, len(json.loads(colors.answer or "")["colors"])) == (200, 28)

    (device,) = seller.http.get("/api/v1/vinted/devices").json()
    assert device["device"] == "Mina's laptop"
    seller.http.delete(f"/api/v1/vinted/devices/{device['id']}")
    expect(popup.locator("#connection")).to_have_text("Not paired", timeout=LONG_S * 1000)
