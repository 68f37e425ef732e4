"""The browser extension in a real Chromium, the real server with its worker, the sandbox Vinted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from benchmarks.processes import free_port
from tests.browsers import SellersBrowser, chromium_or_skip
from tests.contracts.vinted_site import VintedSite
from tests.installations import (
    PATIENCE_S,
    Goods,
    agree_on_terms,
    assert_published_once,
    data_folder,
    empty_vinted,
    eventually,
    installed,
    pairing_code,
    publications,
    publish,
    standing,
    stock,
)
from tests.paths import CHECKOUT
from tests.serving import Seller, client, sign_up

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("chromium")]

PICTURES = CHECKOUT / "tests" / "journeys" / "pictures"
"""Screenshots of the last run."""
PHOTOS = CHECKOUT / "backend" / "demo" / "data" / "photos"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[SellersBrowser]:
    """The seller's browser."""
    chromium = chromium_or_skip()
    with sync_playwright() as playwright:
        browser = SellersBrowser(playwright, chromium, tmp_path)
        yield browser
        browser.stop()


class Selling:
    """A seller who publishes at Vinted, and what has come of it."""

    def __init__(self, seller: Seller, vinted: VintedSite) -> None:
        self.seller = seller
        self.vinted = vinted
        self.goods: list[Goods] = []

    def ask_for(self, title: str, *files: str) -> None:
        """Publish a product with photos of the demo."""
        goods = stock(self.seller, title, [(PHOTOS / file).read_bytes() for file in files])
        self.goods.append(goods)
        publish(self.seller, [goods])

    def stands(self, state: str) -> None:
        """Wait until the account does."""
        eventually(lambda: standing(self.seller)["state"] == state)

    def statuses(self) -> list[str]:
        """Of all jobs that publish."""
        return sorted(job["status"] for job in publications(self.seller))

    def live(self) -> list[int]:
        """The numbers of items that buyers see."""
        return [row["item_id"] for row in self.vinted.items() if row["state"] == "active"]

    def all_live(self) -> None:
        """Wait for everything that was asked for."""
        eventually(lambda: set(self.statuses()) == {"done"})
        assert len(self.live()) == len(self.goods)

    def photo_sent(self) -> Callable[[], bool]:
        """Whether another photo has come to Vinted: a product is on its way."""
        before = self.vinted.calls("uploadPhoto")
        return lambda: self.vinted.calls("uploadPhoto") > before


def photographed(page: Page, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"server-{name}.png")


def expect_text(found: Locator, text: str) -> None:
    expect(found).to_have_text(text, timeout=PATIENCE_S * 1000)


def test_it_sells_for_a_shop_through_kills_restarts_and_a_captcha(browser: SellersBrowser) -> None:
    """ST38, ST39, D4, D8, G1: pairs by code, publishes by jobs, and each product is live once."""
    port = free_port()
    stoflow = f"http://127.0.0.1:{port}"
    with (
        empty_vinted() as vinted,
        data_folder() as folder,
        installed(folder, vinted, STOFLOW_PUBLIC_URL=stoflow) as installation,
    ):
        api = installation.serve(port, "--with-worker")
        api.wait_until_ready()
        with client(stoflow) as nobody:
            seller = sign_up(nobody)
        selling, origin = Selling(seller, vinted), str(vinted.http.base_url).rstrip("/")

        expect(browser.sign_in(origin).get_by_text("camille")).to_be_visible()
        popup = browser.pair(stoflow, origin, pairing_code(seller))
        selling.stands("connected")
        said = standing(seller)
        assert (said["login"], said["site"]) == ("camille", origin.removeprefix("http://"))
        agree_on_terms(seller)
        selling.ask_for("Red dress with flowers", "dress_018.jpg", "dress_018_hem.jpg")
        selling.all_live()

        on_its_way = selling.photo_sent()
        selling.ask_for("Polo shirt", "polo_068.jpg", "polo_068_print.jpg")
        selling.ask_for("Hoodie", "hoodie_040.jpg")
        eventually(on_its_way)
        api.kill()
        api.start()
        api.wait_until_ready()
        selling.all_live()

        on_its_way = selling.photo_sent()
        selling.ask_for("Maxi dress", "dress_021.jpg", "dress_021_neckline.jpg")
        eventually(on_its_way)
        browser.stop()
        browser.start()
        selling.stands("signed_out")  # its cookies are of a session
        browser.sign_in(origin)
        popup = browser.popup()
        selling.stands("connected")
        expect_text(popup.locator("#connection"), "Connected")
        selling.all_live()

        vinted.control("members/camille/challenge")
        selling.ask_for("Blazer", "blazer_001.jpg")
        selling.ask_for("Skirt", "skirt_097.jpg")
        selling.stands("challenged")
        expect_text(popup.locator("#account"), "Vinted wants to see you")
        expect_text(popup.locator("#connection"), "Stopped")
        photographed(popup, "popup-captcha")
        eventually(lambda: selling.statuses() == ["done"] * 4 + ["parked"] * 2)
        assert len(vinted.items()) == 4

        page = browser.tab(f"{origin}/")
        page.locator("[name=answer]").fill(vinted.read("members")["members"][0]["challenge"])
        page.locator("button").last.click()
        selling.stands("connected")
        selling.all_live()

        expect_text(popup.locator("#connection"), "Connected")
        photographed(popup, "popup")
        photographed(browser.tab(f"{origin}/items/{selling.live()[0]}"), "listing")
        assert_published_once(seller, vinted, "camille", selling.goods)
        (device,) = seller.http.get("/api/v1/vinted/devices").json()
        assert device["device"] == "Mina's laptop"
        seller.http.delete(f"/api/v1/vinted/devices/{device['id']}")
        expect_text(popup.locator("#connection"), "Not paired")
        seller.http.close()
