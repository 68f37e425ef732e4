"""Two API processes hold sellers' sockets, two workers run jobs; killing any of them loses nothing.

Real processes on the embedded database, real HTTP, real handlers; the sandbox Vinted counts.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.processes import free_port, running
from sandbox.vinted.state import STANDARD_PASSWORD
from sandbox.vinted_browser.browser import HeadlessBrowser
from tests.contracts.vinted_site import VintedSite
from tests.installations import (
    Goods,
    agree_on_terms,
    assert_published_once,
    balancing,
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
from tests.serving import Seller, client, sign_up

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("installation")]

EACH_TIME = 4
"""So many products a shop publishes while processes are killed."""
REDIS = shutil.which("redis-server")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Filled by the first test that comes; each has shops of its own."""
    with data_folder() as folder:
        yield folder


@contextmanager
def redis(wanted: bool) -> Iterator[dict[str, str]]:
    """A real one, where it is asked for."""
    if not wanted:
        yield {}
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [str(REDIS), "--port", str(port), "--save", "", "--dir", folder]
        with running(command, port, dict(os.environ), Path(folder)):
            yield {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}


@dataclass
class Shop:
    """A seller of StoFlow who is `login` at Vinted, with a browser that works for the shop."""

    seller: Seller
    login: str
    browser: HeadlessBrowser
    vinted: VintedSite
    goods: list[Goods]

    def ask_for_more(self, number: int = EACH_TIME) -> None:
        """Publish so many new products."""
        first = len(self.goods)
        titles = [f"Shirt {place} of {self.login}" for place in range(first, first + number)]
        more = [stock(self.seller, title) for title in titles]
        self.goods += more
        publish(self.seller, more)

    def live(self) -> int:
        """How many of its products buyers see."""
        rows = self.vinted.items()
        return sum((row["login"], row["state"]) == (self.login, "active") for row in rows)

    def has_ended(self) -> bool:
        """Whether all of its jobs have."""
        return {job["status"] for job in publications(self.seller)} <= {"done", "cancelled"}


@contextmanager
def open_shop(stoflow: str, vinted: VintedSite, login: str) -> Iterator[Shop]:
    """A new one; `stoflow` is where its seller and its browser find the API."""
    vinted.control("members", {"login": login})
    with client(stoflow) as nobody:
        seller = sign_up(nobody)
    browser = HeadlessBrowser(stoflow, str(vinted.http.base_url), device=f"{login}'s laptop")
    with seller.http, closing(browser):
        browser.pair(pairing_code(seller))
        browser.sign_in(login, STANDARD_PASSWORD)
        browser.start()
        eventually(lambda: standing(seller)["state"] == "connected")
        agree_on_terms(seller)
        yield Shop(seller, login, browser, vinted, [])


def ask_and_wait_for_the_first(shops: Sequence[Shop]) -> None:
    """Until publishing goes on in every shop, and is far from its end."""
    before = [shop.live() for shop in shops]
    for shop in shops:
        shop.ask_for_more()
    for shop, live in zip(shops, before, strict=True):
        eventually(lambda shop=shop, live=live: shop.live() > live)
    assert not all(shop.has_ended() for shop in shops)


@pytest.mark.parametrize("with_redis", [False, True], ids=["alone", "redis"])
def test_killing_any_of_two_apis_and_two_workers_loses_nothing(
    folder: Path, with_redis: bool
) -> None:
    """ST31, ST37, B1, G1, H1, H2: a command reaches the socket wherever it is, is done once, and
    its answer goes on in whatever process; each shop sells on its own account.
    """
    if with_redis and REDIS is None:
        pytest.skip("left out: there is no redis-server on this machine")
    ports, here, there = (free_port(), free_port()), free_port(), free_port()
    with ExitStack() as stack:
        joined = stack.enter_context(redis(with_redis))
        vinted = stack.enter_context(empty_vinted())
        for port, servers in ((here, ports), (there, ports[::-1])):
            stack.enter_context(balancing(port, servers))
        public = f"http://127.0.0.1:{here}"
        installation = stack.enter_context(
            installed(folder, vinted, STOFLOW_PUBLIC_URL=public, **joined)
        )
        apis = [installation.serve(ports[0])]
        apis[0].wait_until_ready()
        apis.append(installation.serve(ports[1]))
        workers = [installation.work() for _ in apis]
        apis[1].wait_until_ready()
        shops = [
            stack.enter_context(open_shop(f"http://127.0.0.1:{port}", vinted, login))
            for port, login in ((here, "anna"), (there, "ben"))
        ]
        for api, worker in zip(apis, workers, strict=True):
            ask_and_wait_for_the_first(shops)
            api.kill()
            worker.kill()
            eventually(lambda: all(shop.browser.connected for shop in shops))
            api.start()
            worker.start()
            api.wait_until_ready()
        eventually(lambda: all(shop.has_ended() for shop in shops))
        for shop in shops:
            assert_published_once(shop.seller, vinted, shop.login, shop.goods)
        assert len(vinted.items()) == sum(len(shop.goods) for shop in shops)


def test_one_process_alone_publishes(folder: Path) -> None:
    """ST31: `stoflow serve --with-worker` without Redis and without a database server."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        empty_vinted() as vinted,
        installed(folder, vinted, STOFLOW_PUBLIC_URL=url) as installation,
    ):
        installation.serve(port, "--with-worker").wait_until_ready()
        with open_shop(url, vinted, "anna") as shop:
            shop.ask_for_more(1)
            eventually(shop.has_ended)
            assert_published_once(shop.seller, vinted, shop.login, shop.goods)
