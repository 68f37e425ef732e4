"""The demo from curtain to curtain. Every step is one that a seller or an operator would take."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from backend.container import Container
from backend.demo.answers import QuickSeller
from backend.demo.browser import OpenBrowser, open_browser
from backend.demo.proof import count_leaks
from backend.demo.sellers import Seller, open_shops
from backend.demo.shop import Shop
from backend.demo.showing import Row, Showing
from backend.demo.stage import Stage
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from services.selling.catalog.importing.importer import ImportOptions, ProductImport
from services.selling.catalog.importing.pictures import PhotoFolder
from services.selling.catalog.importing.report import ImportReport
from shared.errors import StoflowError

DATA = Path(__file__).parent / "data"
EVERYWHERE = ("ebay", "etsy")
"""Where each product must be live at the end; Vinted lists single pieces only."""

CHANNELS = (*EVERYWHERE, "vinted")
TERMS = {"who_made": "someone_else", "when_made": "1990s", "is_supply": False}
LOCATION = {"name": "Home", "country": "US", "postal_code": "94103"}


class DemoFailed(StoflowError):
    """The demo ended otherwise than it should."""

    code, title = "demo-failed", "The demo did not end as it should"


@dataclass(frozen=True)
class Summary:
    """The one line at the end."""

    products: int
    published: int
    """On eBay and Etsy."""
    on_vinted: int
    duplicates: int
    leaks: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "products": self.products,
            "published": self.published,
            "on_vinted": self.on_vinted,
            "duplicates": self.duplicates,
            "leaks": self.leaks,
            "seconds": round(self.seconds, 2),
        }

    def in_words(self) -> str:
        """For people."""
        return (
            f"{self.published} of {self.products} products are live on eBay and Etsy, "
            f"{self.on_vinted} of them on Vinted too, {self.duplicates} listed twice, "
            f"{self.leaks} rows seen by the other shop, in {self.seconds:.1f} s."
        )


class Play:
    """Two shops; the first one publishes, the second one must not notice."""

    def __init__(
        self, container: Container, stage: Stage, showing: Showing, csv: Path, *, chromium: bool
    ) -> None:
        """`chromium` wants the real extension, where there is a Chromium for it."""
        self._chromium = chromium
        self._container = container
        self._stage = stage
        self._showing = showing
        self._csv = csv

    def perform(self) -> tuple[Summary, Seller]:
        """Everything from the empty stage to the proof. Raises `StoflowError` on any surprise."""
        started = time.monotonic()
        anna, ben = self._open_shops()
        self._start_processes()
        with (
            closing(self._sign_in(anna)) as shop,
            closing(self._sign_in(ben)) as other,
            self._browser(shop, anna) as browser,
        ):
            self._showing.say(f"{browser.kind} is paired, at Vinted as {browser.login}")
            report = self._import(anna)
            self._answer(shop, report.product_ids)
            rows = self._publish(shop, report.product_ids)
            self._showing.table(rows)
            listings = self._read_back(shop, report.product_ids)
            duplicates = self._duplicates(anna, listings)
            live = Counter(each["product_id"] for each in listings if each["channel"] in EVERYWHERE)
            published = sum(number == len(EVERYWHERE) for number in live.values())
            on_vinted = sum(listing["channel"] == "vinted" for listing in listings)
            leaks = count_leaks(self._container.database, shop, other, anna.tenant, ben.tenant)
            self._showing.say(f"{ben.name} sees {leaks} of {anna.name}'s rows")
        seconds = time.monotonic() - started
        return Summary(report.products, published, on_vinted, duplicates, leaks, seconds), anna

    def _open_shops(self) -> tuple[Seller, Seller]:
        anna, ben = open_shops(self._container)
        self._showing.say(f"two shops: {anna.name} is {anna.tenant}, {ben.name} is {ben.tenant}")
        return anna, ben

    def _start_processes(self) -> None:
        stage = self._stage
        stage.start_ebay()
        stage.start_etsy()
        stage.start_vinted()
        stage.start_api()
        stage.start_worker()
        stage.wait_for("ebay")
        refresh = EbayRefresh(
            self._container.database.platform, self._container.ebay.public, self._container.clock
        )
        with self._showing.progress("asking eBay what its categories want to know") as advance:
            refresh.run(progress=advance)
        for name in ("etsy", "vinted", "api"):
            stage.wait_for(name)
        self._showing.say("three sandboxes, an API and a worker are up")

    def _sign_in(self, seller: Seller) -> Shop:
        shop = Shop(self._stage.addresses.api, seller.email, seller.password)
        channel = shop.call("GET", "/api/v1/channels/ebay")
        if channel["status"] != "connected":
            channel = shop.connect("ebay", seller.user)
        if not channel["ready"]:
            channel = shop.call("PUT", "/api/v1/channels/ebay/location", json=LOCATION)
        if not channel["ready"]:
            raise DemoFailed(f"eBay account of {seller.name}: {channel['missing']}")
        etsy = shop.call("GET", "/api/v1/channels/etsy")
        if etsy["status"] != "connected":
            shop.connect("etsy", seller.user)
        etsy = shop.call("PUT", "/api/v1/channels/etsy/terms", json=TERMS)
        if not etsy["ready"]:
            raise DemoFailed(f"Etsy account of {seller.name}: {etsy['missing']}")
        self._showing.say(
            f"{seller.name} is connected to eBay as {channel['username']}, "
            f"to Etsy as {etsy['shop_name']}"
        )
        return shop

    def _browser(self, shop: Shop, seller: Seller) -> AbstractContextManager[OpenBrowser]:
        folder = self._container.settings.data_dir
        addresses = self._stage.addresses
        return open_browser(shop, addresses, seller.user, folder, real=self._chromium)

    def _import(self, seller: Seller) -> ImportReport:
        container = self._container
        importer = ProductImport(
            lambda: container.database.tenant(seller.tenant),
            seller.tenant,
            container.object_store,
            container.image_fetcher,
            container.clock,
        )
        photos = DATA / "photos" if self._csv.parent == DATA else self._csv.parent
        with self._showing.progress(f"importing {self._csv.name}") as advance:
            report = importer.run(
                self._csv.read_bytes(),
                ImportOptions(photos=PhotoFolder(photos)),
                lambda progress: advance(progress.products_done, progress.products),
            )
        self._showing.say(
            f"{report.products} products: {report.created} new, {report.updated} changed, "
            f"{report.unchanged} as before, {report.failed} refused; "
            f"{report.images_added} photos stored, {report.images_missing} not to be had"
        )
        for issue in report.errors[:5]:
            self._showing.say(f"  row {issue.row}, {issue.column}: {issue.message}")
        return report

    def _answer(self, shop: Shop, product_ids: Sequence[int]) -> None:
        seller = QuickSeller(shop, DATA / "photos")
        with self._showing.progress("asking preflight what is missing") as advance:
            for done, product_id in enumerate(product_ids, start=1):
                seller.make_ready(product_id)
                advance(done, len(product_ids))
        if seller.given:
            self._showing.say(
                f"the seller had to answer {seller.given} questions of preflight"
                + (f", with {seller.stand_ins} stand-in photos" if seller.stand_ins else "")
            )
        if seller.kept_off_vinted:
            self._showing.say(
                "not for Vinted, which lists single pieces only:"
                f" {seller.kept_off_vinted} that come in several"
            )

    def _publish(self, shop: Shop, product_ids: Sequence[int]) -> list[Row]:
        if not product_ids:
            return []
        wanted = {"product_ids": product_ids, "channels": list(CHANNELS)}
        asked = shop.call("POST", "/api/v1/publications", json=wanted)
        jobs: dict[tuple[int, str], Any] = {}
        if asked["batch_id"] is not None:
            ids = [item["job_id"] for item in asked["items"] if item["answer"] == "queued"]
            with self._showing.progress("publishing to eBay, Etsy and Vinted") as advance:
                told = shop.follow(asked["batch_id"], ids, advance)
            jobs = {(job["product_id"], job["channel"]): job for job in told}
        titles = {product["id"]: product["title"] for product in shop.pages("/api/v1/products")}
        return [_row(titles[item["product_id"]], item, jobs) for item in asked["items"]]

    def _read_back(self, shop: Shop, product_ids: Sequence[int]) -> list[Any]:
        wanted = set(product_ids)
        listings = [
            listing
            for channel in CHANNELS
            for listing in shop.pages("/api/v1/listings", channel=channel, status="live")
            if listing["product_id"] in wanted
        ]
        differing = [each for each in listings if each["read_back"].get("differences")]
        self._showing.say(
            f"read back {len(listings)} listings: {len(differing)} differ from what was sent"
        )
        return listings

    def _duplicates(self, seller: Seller, listings: Sequence[Any]) -> int:
        """The marketplaces' own ledgers are the judges, not our tables."""
        live = [
            *self._live_on_ebay(seller),
            *self._live_on_etsy(seller),
            *self._live_on_vinted(seller),
        ]
        unknown = {each["listing_id"] for each in listings} - {listing_id for listing_id, _ in live}
        if unknown:
            raise DemoFailed(f"No marketplace knows the listings {', '.join(sorted(unknown))}.")
        times = Counter(key for _, key in live)
        return sum(number - 1 for number in times.values())

    def _live_on_ebay(self, seller: Seller) -> Iterator[tuple[str, str]]:
        for entry in _ledger(self._stage.addresses.ebay):
            if entry["status"] == "ACTIVE" and entry["seller"] == f"TESTUSER_{seller.user}":
                yield entry["listing_id"], f"ebay {entry['group_key'] or entry['sku']}"

    def _live_on_etsy(self, seller: Seller) -> Iterator[tuple[str, str]]:
        for entry in _ledger(self._stage.addresses.etsy):
            if entry["state"] == "active" and entry["seller"] == seller.user:
                yield str(entry["listing_id"]), f"etsy {entry['products'][0]['sku']}"

    def _live_on_vinted(self, seller: Seller) -> Iterator[tuple[str, str]]:
        """Vinted knows no SKUs: the same title twice is the same thing twice."""
        for entry in _ledger(self._stage.addresses.vinted, "items"):
            if entry["state"] == "active" and entry["login"] == seller.user:
                yield str(entry["item_id"]), f"vinted {entry['title']}"


def _ledger(address: str, what: str = "listings") -> list[Any]:
    found: list[Any] = httpx.get(f"{address}/_sandbox/ledger", timeout=30).json()[what]
    return found


def _row(title: str, item: Any, jobs: dict[tuple[int, str], Any]) -> Row:
    job = jobs.get((item["product_id"], item["channel"]))
    if job is None:
        questions = "; ".join(each["message"] for each in item["problems"])
        outcome = questions or item["answer"].replace("_", " ")
        return Row(title, item["channel"], outcome, item["listing_id"] or "", None)
    result = job["result"] or {}
    outcome = (
        job["outcome"] if job["outcome"] == "ok" else f"{job['outcome']}: {job['problem_detail']}"
    )
    return Row(title, item["channel"], outcome, result.get("listing_id", ""), _seconds(job))


def _seconds(job: Any) -> float | None:
    if not (job["started_at"] and job["finished_at"]):
        return None
    began, ended = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()
