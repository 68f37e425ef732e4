"""The browser of the demo's seller: paired with StoFlow, signed in at the sandbox Vinted.

The extension in a real Chromium where there is one, else a stand-in without a window that speaks to
StoFlow as the extension does.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from backend.demo.shop import Shop, ShopError
from backend.demo.stage import CURRENCY, Addresses
from sandbox.vinted_browser.browser import HeadlessBrowser

TERMS = {"package_size_id": 2, "currency": CURRENCY}
PASSWORD = "sandbox"  # noqa: S105 - opens nothing but a sandbox
DEVICE = "Browser of the demo"

_PATIENCE_S = 100.0
"""What the extension did not reach it looks for again after a minute or so."""


@dataclass(frozen=True)
class OpenBrowser:
    """A browser at work."""

    kind: str
    """In words."""
    login: str
    """Who is signed in at Vinted."""


@contextmanager
def open_browser(
    shop: Shop, addresses: Addresses, user: str, folder: Path, *, real: bool
) -> Iterator[OpenBrowser]:
    """Pair a browser, sign in at Vinted, and let it work until the end.

    `real` wants Chromium; where that is absent the stand-in comes. Raises `ShopError`.
    """
    for device in shop.call("GET", "/api/v1/vinted/devices"):
        shop.call("DELETE", f"/api/v1/vinted/devices/{device['id']}")
    code = shop.call("POST", "/api/v1/vinted/pairings")["code"]
    chromium = installed_chromium() if real else None
    if chromium is None:
        with _stand_in(addresses, user, code):
            yield OpenBrowser("a browser without a window", _connected(shop))
    else:
        with _with_the_extension(chromium, addresses, user, code, folder / "chromium"):
            yield OpenBrowser("Chromium with the extension", _connected(shop))


def installed_chromium() -> str | None:
    """Where a Chromium is that can be driven; None where there is none."""
    if find_spec("playwright") is None:
        return None
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def _stand_in(addresses: Addresses, user: str, code: str) -> Iterator[None]:
    browser = HeadlessBrowser(addresses.api, addresses.vinted, device=DEVICE)
    try:
        browser.pair(code)
        browser.sign_in(user, PASSWORD)
        browser.start()
        yield
    finally:
        browser.close()


@contextmanager
def _with_the_extension(
    chromium: str, addresses: Addresses, user: str, code: str, folder: Path
) -> Iterator[None]:
    from playwright.sync_api import sync_playwright

    from backend.demo.chromium import ChromiumBrowser

    shutil.rmtree(folder, ignore_errors=True)
    with sync_playwright() as playwright:
        browser = ChromiumBrowser(playwright, chromium, folder)
        try:
            browser.sign_in(addresses.vinted, user, PASSWORD)
            browser.pair(addresses.api, addresses.vinted, code, DEVICE)
            yield
        finally:
            browser.stop()


def _connected(shop: Shop) -> str:
    deadline = time.monotonic() + _PATIENCE_S
    while (status := shop.call("GET", "/api/v1/vinted/status"))["state"] != "connected":
        if time.monotonic() > deadline:
            raise ShopError(f"Vinted is {status['state']}: {status['reason']}")
        time.sleep(0.1)
    shop.call("PUT", "/api/v1/vinted/terms", json=TERMS)
    return str(status["login"])
