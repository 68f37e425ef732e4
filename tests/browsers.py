"""Where tests find Node and Chromium, and how they say that they are not there."""

from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Page

from backend.demo.browser import installed_chromium
from backend.demo.chromium import ChromiumBrowser
from sandbox.vinted.state import STANDARD_PASSWORD as PASSWORD

DEVICE = "Mina's laptop"


def node_or_skip() -> Path:
    """Node, as Playwright brings it; leaves the test out, saying so, when it is absent."""
    driver, _ = compute_driver_executable()
    found = Path(driver)
    if not found.exists():
        pytest.skip("left out: Node is absent (it comes with the package playwright)")
    return found


def chromium_or_skip() -> str:
    """A Chromium; leaves the test out, saying so, when there is none."""
    found = installed_chromium()
    if found is None:
        pytest.skip("left out: Chromium is absent (make browser)")
    return found


class SellersBrowser(ChromiumBrowser):
    """The seller's, with names of the tests."""

    def sign_in(self, vinted: str, login: str = "camille", password: str = PASSWORD) -> Page:
        """Sign in at the sandbox."""
        return super().sign_in(vinted, login, password)

    def pair(self, stoflow: str, vinted: str, code: str, device: str = DEVICE) -> Page:
        """Type a pairing code into the popup."""
        return super().pair(stoflow, vinted, code, device)
