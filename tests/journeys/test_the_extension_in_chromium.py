"""The browser extension in a real Chromium, at the sandbox Vinted (ST38, ST39)."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from sandbox.server import serving as serving_vinted
from sandbox.vinted.app import create_app as create_vinted
from tests.browsers import SellersBrowser, chromium_or_skip
from tests.contracts.vinted_site import VintedBrowser, VintedSite
from tests.fakes.bridge_server import BridgeServer
from tests.paths import CHECKOUT
from tests.serving import serving
from tests.waiting import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("chromium")]

PICTURES = CHECKOUT / "tests" / "journeys" / "pictures"
"""Screenshots of the last run."""
PHOTOS = CHECKOUT / "backend" / "demo" / "data" / "photos"
LONG_MS = 20_000


@pytest.fixture
def vinted() -> Iterator[VintedSite]:
    """An empty Vinted."""
    with (
        serving_vinted(create_vinted()) as url,
        httpx.Client(base_url=url, timeout=10) as http,
    ):
        yield VintedSite(http)


@pytest.fixture
def stoflow() -> Iterator[BridgeServer]:
    """A StoFlow that holds both sides to the protocol."""
    server = BridgeServer()
    with serving(server.app) as server.url:
        yield server
    assert server.wrong == []


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[SellersBrowser]:
    """The seller's browser."""
    chromium = chromium_or_skip()
    with sync_playwright() as playwright:
        browser = SellersBrowser(playwright, chromium, tmp_path)
        yield browser
        browser.stop()


class Selling:
    """StoFlow's side of publishing at Vinted, one command after the other."""

    def __init__(self, stoflow: BridgeServer, vinted: VintedSite) -> None:
        self.stoflow = stoflow
        self.vinted = vinted
        self.origin = str(vinted.http.base_url).rstrip("/")
        self.site = self.origin.removeprefix("http://")

    def command(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """A command for this Vinted."""
        return self.stoflow.command(self.site, method, f"/api/v2{path}", **more)

    def run(self, method: str, path: str, **more: Any) -> Any:
        """The JSON that Vinted answered."""
        result = self.stoflow.run(self.command(method, path, **more))
        assert (result["outcome"], result["status"]) == ("answered", 200), result
        return httpx.Response(200, text=result["body"]).json()

    def photo_command(self, file: str, temp_uuid: str) -> dict[str, Any]:
        """To send one of the demo's photos."""
        photo = self.stoflow.photo(self.stoflow.url, (PHOTOS / file).read_bytes())
        fields = {"photo[type]": "item", "photo[temp_uuid]": temp_uuid}
        return self.command("POST", "/photos", photo={**photo, "fields": fields}, step="photo")

    def photograph(self, file: str, temp_uuid: str) -> int:
        """The number of the photo at Vinted."""
        result = self.stoflow.run(self.photo_command(file, temp_uuid))
        assert result["status"] == 200, result
        return int(httpx.Response(200, text=result["body"]).json()["id"])

    def publish(self, title: str, *files: str) -> int:
        """Photos, draft, completion; the number of the item."""
        form = VintedBrowser(self.vinted).form(title=title, description="Worn twice.")
        session = form["temp_uuid"]
        photos = [{"id": self.photograph(file, session), "orientation": 0} for file in files]
        draft = {**form, "assigned_photos": photos}
        around = {"parcel": None, "upload_session_id": session}
        made = self.run("POST", "/item_upload/drafts", json={"draft": draft, **around})
        number = int(made["draft"]["id"])
        whole = {**form, "id": number, "photos": photos}
        body = {"draft": whole, "push_up": False, **around}
        self.run("POST", f"/item_upload/drafts/{number}/completion", json=body)
        return number


@pytest.fixture
def selling(browser: SellersBrowser, stoflow: BridgeServer, vinted: VintedSite) -> Selling:
    """The seller is signed in at Vinted and has paired the browser."""
    selling = Selling(stoflow, vinted)
    expect(browser.sign_in(selling.origin).get_by_text("camille")).to_be_visible()
    browser.pair(stoflow.url, selling.origin, stoflow.code)
    stoflow.until(lambda: "signed_in" in stoflow.states())
    return selling


def photographed(page: Page, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def test_it_publishes_is_cut_off_restarted_challenged_and_goes_on(
    browser: SellersBrowser, stoflow: BridgeServer, vinted: VintedSite, selling: Selling
) -> None:
    """ST38: the whole life of an extension, with nothing lost and nothing done twice."""
    (said,) = stoflow.heard["vinted_session_update"]
    assert (said["site"], said["login"]) == (selling.site, "camille")
    stoflow.status["waiting"] = 3

    first = selling.publish("Red dress with flowers", "dress_018.jpg", "dress_018_hem.jpg")
    assert vinted.state_of(first) == "active"

    stoflow.cut_off()
    stoflow.until(lambda: len(stoflow.states()) == 2)
    second = selling.publish("Polo shirt", "polo_068.jpg")

    browser.stop()
    browser.start()
    stoflow.until(lambda: stoflow.states()[-1] == "signed_out")  # its cookies are of a session
    browser.sign_in(selling.origin)
    stoflow.until(lambda: stoflow.states()[-1] == "signed_in")
    popup = browser.popup()
    expect(popup.locator("#connection")).to_have_text("Connected", timeout=LONG_MS)
    expect(popup.locator("#account")).to_have_text("camille")
    popup.get_by_role("button", name="Pause").click()
    stoflow.until(lambda: stoflow.states()[-1] == "paused")
    assert stoflow.send(selling.command("GET", "/users/current"))["refused"] == "paused"
    expect(popup.locator("#connection")).to_have_text("Paused")
    popup.get_by_role("button", name="Go on").click()
    stoflow.until(lambda: stoflow.states()[-1] == "signed_in")
    third = selling.publish("Blazer", "blazer_001.jpg")

    vinted.control("members/camille/challenge")
    challenged = selling.command("GET", f"/item_upload/items/{third}")
    result = stoflow.run(challenged)
    assert result["status"] == 403
    assert stoflow.heard["datadome_detected"] == [
        {"command_id": challenged["command_id"], "site": selling.site, "status": 403}
    ]
    assert stoflow.states()[-1] == "challenged"
    expect(popup.locator("#account")).to_have_text("Vinted wants to see you")
    expect(popup.locator("#connection")).to_have_text("Stopped")
    photographed(popup, "popup-captcha")
    asked = len(vinted.read("requests")["requests"])
    refused = stoflow.send(selling.command("GET", f"/item_upload/items/{third}"))
    assert refused["refused"] == "no_session"
    assert len(vinted.read("requests")["requests"]) == asked

    page = browser.tab(f"{selling.origin}/items/{third}")
    page.locator("[name=answer]").fill(vinted.read("members")["members"][0]["challenge"])
    page.locator("button").last.click()
    stoflow.until(lambda: stoflow.states()[-1] == "signed_in")
    fourth = selling.publish("Blazer again", "blazer_001.jpg")

    expect(popup.locator("#waiting")).to_have_text("3 jobs")
    photographed(popup, "popup")
    stoflow.status["waiting"] = 4  # which the popup asks for when it is opened
    expect(browser.popup().locator("#waiting")).to_have_text("4 jobs", timeout=LONG_MS)
    popup.bring_to_front()
    popup.emulate_media(color_scheme="dark")
    photographed(popup, "popup-dark")
    listing = browser.tab(f"{selling.origin}/items/{first}")
    photographed(listing, "listing")
    rows = {row["item_id"]: row for row in vinted.items()}
    assert list(rows) == [first, second, third, fourth]
    assert {row["state"] for row in rows.values()} == {"active"}
    assert [len(row["photos"]) for row in rows.values()] == [2, 1, 1, 1]
    assert set(stoflow.photos) == {each["sha256"] for each in vinted.read("ledger")["photos"]}
    # What is told again, since its acknowledgement was cut off, is told alike.
    assert all(again == told[0] for told in stoflow.results.values() for again in told)


def test_what_was_begun_when_the_browser_ended_is_lost_and_never_done_twice(
    browser: SellersBrowser, stoflow: BridgeServer, vinted: VintedSite, selling: Selling
) -> None:
    """ST38: StoFlow then looks at Vinted; the extension opens its tab itself."""
    vinted.fault("createDraft", "timeout_after_success", delay_s=60)
    draft = {"draft": {"title": "Half"}, "parcel": None, "upload_session_id": str(uuid.uuid4())}
    command = selling.command("POST", "/item_upload/drafts", json=draft)
    assert stoflow.send(command) == {"taken": True}
    until(lambda: vinted.calls("createDraft"))

    browser.stop()
    browser.start()
    results = stoflow.results[command["command_id"]]
    stoflow.until(lambda: stoflow.states()[-1] == "signed_out")
    stoflow.until(lambda: results)
    told = len(results)
    assert stoflow.send(command) == {"taken": True}
    stoflow.until(lambda: len(results) > told)
    assert {each["outcome"] for each in results} == {"lost"}
    assert (vinted.calls("createDraft"), len(vinted.items())) == (1, 1)


def test_a_seller_who_signs_in_while_it_looks_is_seen(
    browser: SellersBrowser, stoflow: BridgeServer, vinted: VintedSite
) -> None:
    """ST38: what comes of a look that began before says nothing of the page that came after."""
    selling = Selling(stoflow, vinted)
    vinted.fault("getCurrentUser", "http_503", delay_s=4)
    browser.pair(stoflow.url, selling.origin, stoflow.code)
    until(lambda: vinted.calls("getCurrentUser"))
    browser.sign_in(selling.origin)
    stoflow.until(lambda: stoflow.states()[-1:] == ["signed_in"])
    assert stoflow.states()[0] == "unreachable"


def test_an_error_page_is_loaded_anew_once_vinted_is_there(
    browser: SellersBrowser, stoflow: BridgeServer, vinted: VintedSite
) -> None:
    """ST38: the browser leaves one as it is, with the address of Vinted."""
    selling = Selling(stoflow, vinted)
    vinted.fault("page", "drop_connection", times=1000)
    popup = browser.pair(stoflow.url, selling.origin, stoflow.code)
    stoflow.until(lambda: stoflow.states() == ["unreachable"])
    lost = stoflow.run(selling.command("GET", "/users/current"))
    assert lost["outcome"] == "not_sent"
    vinted.control("faults", method="DELETE")
    popup.get_by_role("button", name="Look again").click()
    stoflow.until(lambda: len(stoflow.states()) == 2)
    popup.get_by_role("button", name="Look again").click()
    stoflow.until(lambda: stoflow.states()[2:] == ["signed_out"])
    assert vinted.calls("getCurrentUser") > 0
