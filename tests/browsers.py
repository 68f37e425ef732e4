"""Where tests find Node and Chromium, and how they say that they are not there."""

import shutil
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from tests.paths import CHECKOUT

EXTENSION = CHECKOUT / "extension"


def node_or_skip() -> Path:
    """Node, as Playwright brings it; leaves the test out, saying so, when it is absent."""
    driver, _ = compute_driver_executable()
    found = Path(driver)
    if not found.exists():
        pytest.skip("left out: Node is absent (it comes with the package playwright)")
    return found


def chromium_or_skip() -> str:
    """A Chromium; leaves the test out, saying so, when there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("left out: Chromium is absent (make browser)")
    return found
