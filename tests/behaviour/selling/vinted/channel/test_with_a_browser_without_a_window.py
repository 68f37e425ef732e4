"""The bridge, the browser without a window and the sandbox Vinted, each as it is, together."""

import hashlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from backend.container import Container
from backend.settings import Settings
from models.selling.publishing import JobStatus
from models.selling.vinted import CommandState
from sandbox.vinted.state import STANDARD_PASSWORD
from sandbox.vinted_browser.browser import HeadlessBrowser
from services.gateways.vinted.transport import PhotoUpload, VintedRequest
from shared.clock import MovableClock
from shared.database import Database
from tests.behaviour.selling.vinted.conftest import Desk
from tests.contracts.etsy_shop import picture
from tests.contracts.vinted_site import VintedSite
from tests.serving import Seller, Stage, sign_up
from tests.waiting import until

COMMANDS, CUTS = 40, 15
ORDERS = VintedRequest("GET", "/api/v2/my_orders")


@pytest.fixture
def clock() -> MovableClock:
    """The browser looks at its own clock for what has ended."""
    return MovableClock(datetime.now(UTC))


@pytest.fixture
def settings(
    settings: Settings, stage: Stage, vinted_url: str, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The sandbox counts as one of Vinted's sites; photos are fetched where the API is."""
    monkeypatch.setenv("STOFLOW_VINTED_SANDBOX_SITE", vinted_url.removeprefix("http://"))
    monkeypatch.setenv("STOFLOW_PUBLIC_URL", stage.url)
    return Settings()


@pytest.fixture
def seller(api: httpx.Client) -> Iterator[Seller]:
    """The member of StoFlow; at Vinted it is camille."""
    signed_up = sign_up(api)
    yield signed_up
    signed_up.http.close()


@pytest.fixture
def desk(seller: Seller, database: Database, clock: MovableClock) -> Desk:
    return Desk(database, seller.tenant, clock)


@pytest.fixture
def window_less(stage: Stage, seller: Seller, site: VintedSite) -> Iterator[HeadlessBrowser]:
    """Paired, started, and the one that works for the shop."""
    browser = HeadlessBrowser(stage.url, str(site.http.base_url))
    browser.pair(seller.http.post("/api/v1/vinted/pairings").json()["code"])
    browser.sign_in("camille", STANDARD_PASSWORD)
    browser.start()
    try:
        until(lambda: standing(seller) == ("connected", True))
        yield browser
    finally:
        browser.close()
    # Before rows and shops are cleared away, the bridge writes down that nobody is there.
    until(lambda: not standing(seller)[1])


def standing(seller: Seller) -> tuple[str, bool]:
    status = seller.http.get("/api/v1/vinted/status").json()
    return status["state"], status["executor"]


def test_a_photo_and_a_draft_reach_vinted_and_their_answers_the_rows(
    desk: Desk, window_less: HeadlessBrowser, site: VintedSite, container: Container
) -> None:
    """ST25, ST28, ST35: over a signed link, under a lease that the browser has verified."""
    content, temp_uuid = picture("lime"), str(uuid.uuid4())
    digest = hashlib.sha256(content).hexdigest()
    container.object_store.put("tenants/1/a.jpg", content, "image/jpeg")
    fields = {"photo[type]": "item", "photo[temp_uuid]": temp_uuid}
    photo = PhotoUpload("tenants/1/a.jpg", digest, "image/jpeg", fields)
    draft = {"draft": {"title": "A shirt"}}
    for request in (
        VintedRequest("POST", "/api/v2/photos", photo=photo),
        VintedRequest("POST", "/api/v2/item_upload/drafts", body=draft),
    ):
        job_id = desk.ask(request)
        until(lambda job_id=job_id: desk.job(job_id).status is JobStatus.PENDING)
        command = desk.command(job_id)
        assert (command.state, command.status) == (CommandState.ANSWERED, 200)
    (kept,), (item,) = site.read("ledger")["photos"], site.items()
    assert (kept["sha256"], kept["temp_uuid"]) == (digest, temp_uuid)
    assert (item["title"], item["is_draft"]) == ("A shirt", True)


def test_cut_off_again_and_again_everything_is_done_once(
    desk: Desk, window_less: HeadlessBrowser, site: VintedSite
) -> None:
    """D8, D9: counted by the sandbox; the browser is killed twice as well."""
    jobs = [
        desk.ask(
            VintedRequest("POST", "/api/v2/item_upload/drafts", body={"draft": {"title": str(n)}})
        )
        for n in range(COMMANDS)
    ]
    for number in range(CUTS):
        made = len(site.items())
        if number in (5, 10):
            window_less.restart()
        else:
            window_less.cut_off()
        until(lambda made=made: len(site.items()) > made)
    settled = {CommandState.ANSWERED, CommandState.LOST}
    until(lambda: all(desk.command(each).state in settled for each in jobs))
    titles = sorted(int(item["title"]) for item in site.items())
    assert titles == list(range(COMMANDS))


def test_a_challenge_stops_the_account_until_the_person_has_solved_it(
    desk: Desk, seller: Seller, window_less: HeadlessBrowser, site: VintedSite
) -> None:
    """D4: no job is lost; nothing is asked meanwhile."""
    site.fault("getMyOrders", "challenge")
    first = desk.ask(ORDERS)
    until(lambda: standing(seller)[0] == "challenged")
    second = desk.ask(ORDERS)
    assert site.calls("getMyOrders") == 1
    window_less.solve_challenge()
    until(lambda: standing(seller)[0] == "connected")
    until(lambda: desk.command(second).state is CommandState.ANSWERED)
    assert (desk.command(first).status, desk.command(second).status) == (403, 200)
    assert site.calls("getMyOrders") == 2
