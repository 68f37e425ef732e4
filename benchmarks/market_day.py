"""A whole installation for a day at the market: both sandboxes, API, one worker, one seller."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from backend.container import Container, build_container
from backend.demo.play import LOCATION, TERMS
from backend.demo.shop import Shop
from backend.demo.stage import Addresses, Stage, environment_of
from backend.logs import configure_logs
from backend.settings import Settings
from backend.upkeep import bring_up_to_date
from benchmarks.installation import address_of, empty_installation
from benchmarks.photographed import shirt
from benchmarks.processes import free_port
from models.selling.publishing import Channel, JobOutcome, MarketplaceJob
from repositories.selling.orders import FollowedUp, OrderFilter, OrderRepository
from repositories.selling.publishing import JobFilter, JobRepository, ListingRepository
from services.accounts.identity.registration import Registration
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from shared.database import TenantSchema

SHIRT_CATEGORY = "15687"
"""eBay's id for men's t-shirts."""

PATIENCE_S = 900.0

_QUIET_S = 3.0
"""So long nobody is called: the worker has done what it does for itself when it starts."""

_EMAIL, _PASSWORD, _NAME = "bench@example.com", "a long sentence is best", "bench"


class MarketDayFailed(Exception):
    """Something did not come out as a benchmark needs it."""


@dataclass(frozen=True)
class MarketDay:
    """Everything is up, and the seller can list on eBay and on Etsy."""

    container: Container
    addresses: Addresses
    tenant: TenantSchema
    shop: Shop

    def stock(self, products: int, *, single: bool = False) -> Sequence[int]:
        """So many shirts, each with a photo of its own; `single`: one piece of one size each."""
        container = self.container
        with container.database.tenant(self.tenant) as session:
            made = [
                shirt(session, container.clock, container.object_store, number, single=single)
                for number in range(1, products + 1)
            ]
            return [product.id for product in made]

    def ask(self, product_ids: Sequence[int], channels: Sequence[str]) -> int:
        """Ask for publication; returns the batch. Raises `MarketDayFailed`."""
        wanted = {"product_ids": list(product_ids), "channels": list(channels)}
        asked = self.shop.call("POST", "/api/v1/publications", json=wanted)
        refused = [item for item in asked["items"] if item["answer"] != "queued"]
        if refused:
            raise MarketDayFailed(f"Not queued: {refused[0]}")
        return int(asked["batch_id"])

    def publish(self, product_ids: Sequence[int], channels: Sequence[str]) -> int:
        """Ask for it, wait until all of it has ended well; returns the batch.

        Raises `MarketDayFailed`.
        """
        batch_id = self.ask(product_ids, channels)
        deadline = time.monotonic() + PATIENCE_S
        while not self.shop.call("GET", f"/api/v1/publications/{batch_id}")["finished"]:
            if time.monotonic() > deadline:
                raise MarketDayFailed(f"Batch {batch_id} did not end.")
            time.sleep(0.25)
        self._believe(batch_id)
        return batch_id

    def jobs(self, batch_id: int) -> Sequence[MarketplaceJob]:
        """All of a batch."""
        with self.container.database.tenant(self.tenant) as session:
            return JobRepository(session).page(JobFilter(batch_id=batch_id), None, 100_000)

    def calls(self, channel: str) -> int:
        """How often the channel was called so far."""
        url = f"{getattr(self.addresses, channel)}/_sandbox/calls"
        made: Mapping[str, int] = httpx.get(url, timeout=30).raise_for_status().json()["calls"]
        return sum(made.values())

    def settle(self) -> None:
        """Wait until the worker has read orders and categories, and calls nobody.

        Raises `MarketDayFailed`.
        """
        deadline = time.monotonic() + PATIENCE_S
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < _QUIET_S:
            if time.monotonic() > deadline:
                raise MarketDayFailed("The worker does not come to rest.")
            now = self.calls("ebay") + self.calls("etsy")
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.25)

    def buy(self, channel: str, listing_id: str) -> None:
        """A stranger buys one of it, and pays."""
        url = f"{getattr(self.addresses, channel)}/_sandbox/orders"
        wanted: Any = int(listing_id) if channel == "etsy" else listing_id
        body = {"listing_id": wanted, "quantity": 1}
        httpx.post(url, json=body, timeout=30).raise_for_status()

    def listing_of(self, product_id: int, channel: str) -> str:
        """The live listing's id. Raises `MarketDayFailed`."""
        with self.container.database.tenant(self.tenant) as session:
            listing = ListingRepository(session).get(product_id, Channel(channel))
        if listing is None:
            raise MarketDayFailed(f"Product {product_id} is not on {channel}.")
        return listing.listing_id

    def fetch_orders(self, channel: str) -> None:
        """As the button *fetch my orders* does."""
        self.shop.call("POST", "/api/v1/orders/sync", json={"channels": [channel]})

    def follow_ups(self) -> Mapping[tuple[int, int], float | None]:
        """What sales caused elsewhere, by order and product: seconds from the sale known to the
        other channel told, None while that is under way.
        """
        with self.container.database.tenant(self.tenant) as session:
            orders = OrderRepository(session)
            found = orders.page(OrderFilter(), None, 100_000)
            return {
                (order.id, each.what.product_id): _seconds(each)
                for order in found
                for each in orders.follow_ups(order.id)
            }

    def _believe(self, batch_id: int) -> None:
        failed = [job for job in self.jobs(batch_id) if job.outcome is not JobOutcome.OK]
        if failed:
            job = failed[0]
            raise MarketDayFailed(
                f"{len(failed)} jobs failed; product {job.product_id} on {job.channel}: "
                f"{job.outcome}, {job.problem_detail}"
            )


def _seconds(followed: FollowedUp) -> float | None:
    if followed.outcome is not JobOutcome.OK or followed.finished_at is None:
        return None
    return (followed.finished_at - followed.what.known_at).total_seconds()


@contextmanager
def opened_market() -> Iterator[MarketDay]:
    """Gone at the end, with all of its processes."""
    folder, before = Path(tempfile.mkdtemp(prefix="stoflow-market-")), dict(os.environ)
    addresses = Addresses(*(f"http://127.0.0.1:{free_port()}" for _ in range(4)))
    configure_logs("console", "ERROR")
    try:
        with empty_installation() as database:
            os.environ.update(environment_of(folder, address_of(database), addresses))
            with closing(build_container(Settings(), database=database)) as container:
                bring_up_to_date(container.database, container.clock)
                tenant = _seller(container)
                with Stage(folder, address_of(database), addresses) as stage:
                    _start(stage, container)
                    with closing(Shop(addresses.api, _EMAIL, _PASSWORD)) as shop:
                        _connect(shop)
                        yield MarketDay(container, addresses, tenant, shop)
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def _seller(container: Container) -> TenantSchema:
    registration = Registration(container.passwords, container.provisioning, container.clock)
    with container.database.platform() as session:
        return TenantSchema(registration.register(session, _EMAIL, _PASSWORD, _NAME).id)


def _start(stage: Stage, container: Container) -> None:
    stage.start_ebay()
    stage.start_etsy()
    stage.start_api()
    stage.start_worker()
    stage.wait_for("ebay")
    EbayRefresh(container.database.platform, container.ebay.public, container.clock).run(
        [SHIRT_CATEGORY]
    )
    stage.wait_for("etsy")
    stage.wait_for("api")


def _connect(shop: Shop) -> None:
    shop.connect("ebay", _NAME)
    shop.connect("etsy", _NAME)
    ready = (
        shop.call("PUT", "/api/v1/channels/ebay/location", json=LOCATION),
        shop.call("PUT", "/api/v1/channels/etsy/terms", json=TERMS),
    )
    for channel in ready:
        if not channel["ready"]:
            raise MarketDayFailed(f"An account lacks {channel['missing']}")
