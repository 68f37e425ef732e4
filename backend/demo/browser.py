"""The browser of the demo's seller: paired with StoFlow, signed in at the sandbox Vinted."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from backend.demo.shop import Shop, ShopError
from backend.demo.stage import CURRENCY, Addresses
from sandbox.vinted_browser.browser import HeadlessBrowser

TERMS = {"package_size_id": 2, "currency": CURRENCY}
PASSWORD = "sandbox"  # noqa: S105 - opens nothing but a sandbox
DEVICE = "Browser of the demo"

_PATIENCE_S = 30.0


@contextmanager
def open_browser(shop: Shop, addresses: Addresses, user: str) -> Iterator[str]:
    """Pair a browser, sign in at Vinted, and let it work until the end; yields who is signed in.

    Stands in for the extension, and speaks to StoFlow as the extension does. Raises `ShopError`.
    """
    _unpair_old_ones(shop)
    code = shop.call("POST", "/api/v1/vinted/pairings")["code"]
    browser = HeadlessBrowser(addresses.api, addresses.vinted, device=DEVICE)
    try:
        browser.pair(code)
        browser.sign_in(user, PASSWORD)
        browser.start()
        yield _connected(shop)
    finally:
        browser.close()


def _unpair_old_ones(shop: Shop) -> None:
    for device in shop.call("GET", "/api/v1/vinted/devices"):
        shop.call("DELETE", f"/api/v1/vinted/devices/{device['id']}")


def _connected(shop: Shop) -> str:
    deadline = time.monotonic() + _PATIENCE_S
    while (status := shop.call("GET", "/api/v1/vinted/status"))["state"] != "connected":
        if time.monotonic() > deadline:
            raise ShopError(f"Vinted is {status['state']}: {status['reason']}")
        time.sleep(0.1)
    shop.call("PUT", "/api/v1/vinted/terms", json=TERMS)
    return str(status["login"])
