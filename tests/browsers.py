"""Where tests find Node and Chromium, and how they say that they are not there."""

import json
import os
import shutil
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import BrowserContext, Page, Playwright

from sandbox.vinted.state import STANDARD_PASSWORD
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


class SellersBrowser:
    """Chromium with the extension, and with a profile that outlives it."""

    def __init__(self, playwright: Playwright, chromium: str, folder: Path) -> None:
        self._playwright = playwright
        self._chromium = chromium
        self._profile = folder / "profile"
        self._extension = _granted(folder / "extension")
        self._context: BrowserContext | None = None
        self.start()

    def start(self) -> None:
        """Open it, with what it remembers."""
        self._context = self._playwright.chromium.launch_persistent_context(
            self._profile,
            executable_path=self._chromium,
            headless=True,
            ignore_default_args=["--disable-extensions"],
            args=[
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                f"--disable-extensions-except={self._extension}",
                f"--load-extension={self._extension}",
            ],
            viewport={"width": 1000, "height": 800},
        )
        if not self._context.service_workers:
            self._context.wait_for_event("serviceworker")

    def stop(self) -> None:
        """Close it; its profile stays."""
        assert self._context is not None
        self._context.close()

    def tab(self, url: str) -> Page:
        """A new tab."""
        assert self._context is not None
        page = self._context.new_page()
        page.goto(url)
        return page

    def popup(self) -> Page:
        """The extension's popup, in a tab of its size."""
        assert self._context is not None
        address = self._context.service_workers[0].url.replace("worker.js", "popup.html")
        page = self.tab(address)
        page.set_viewport_size({"width": 340, "height": 640})
        return page

    def sign_in(self, vinted: str, login: str = "camille") -> Page:
        """Sign in at Vinted, as a person does."""
        page = self.tab(f"{vinted}/member/login")
        page.get_by_label("Nom d'utilisateur").fill(login)
        page.get_by_label("Mot de passe").fill(STANDARD_PASSWORD)
        page.get_by_role("button", name="Continuer").click()
        return page

    def pair(self, stoflow: str, vinted: str, code: str) -> Page:
        """Type a pairing code into the popup."""
        popup = self.popup()
        popup.get_by_text("Settings").click()
        popup.get_by_role("combobox", name="Your Vinted").fill(vinted)
        popup.get_by_label("Address of StoFlow").fill(stoflow)
        popup.get_by_label("Name of this browser").fill("Mina's laptop")
        popup.get_by_label("Pairing code").fill(code)
        popup.get_by_role("button", name="Pair", exact=True).click()
        return popup


def _granted(folder: Path) -> Path:
    """The extension, already allowed to work on this computer: nobody is there to click on it."""
    shutil.copytree(EXTENSION, folder, ignore=shutil.ignore_patterns("tests"))
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    optional = manifest["optional_host_permissions"]
    manifest["host_permissions"] += [each for each in optional if each.startswith("http:")]
    path.write_text(json.dumps(manifest))
    return folder
