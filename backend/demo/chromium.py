"""A seller's Chromium with the extension in it, driven as a person drives it.

Needs Playwright, which comes with what the tests need, and a Chromium of the system.
"""

import json
import os
import shutil
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Playwright

EXTENSION = Path(__file__).parents[2] / "extension"


class ChromiumBrowser:
    """Chromium with the extension, and with a profile that outlives it. Open from the start."""

    def __init__(self, playwright: Playwright, chromium: str, folder: Path) -> None:
        """`folder` keeps the profile."""
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

    def sign_in(self, vinted: str, login: str, password: str) -> Page:
        """Sign in at a sandbox Vinted; back when it has answered."""
        page = self.tab(f"{vinted}/member/login")
        page.get_by_label("Nom d'utilisateur").fill(login)
        page.get_by_label("Mot de passe").fill(password)
        with page.expect_navigation():
            page.get_by_role("button", name="Continuer").click()
        return page

    def pair(self, stoflow: str, vinted: str, code: str, device: str) -> Page:
        """Type a pairing code into the popup."""
        popup = self.popup()
        popup.get_by_text("Settings").click()
        popup.get_by_role("combobox", name="Your Vinted").fill(vinted)
        popup.get_by_label("Address of StoFlow").fill(stoflow)
        popup.get_by_label("Name of this browser").fill(device)
        popup.get_by_label("Pairing code").fill(code)
        popup.get_by_role("button", name="Pair", exact=True).click()
        return popup


def _granted(folder: Path) -> Path:
    """The extension, already allowed to work on this computer: nobody is there to click on it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXTENSION, folder, ignore=shutil.ignore_patterns("tests"))
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    optional = manifest["optional_host_permissions"]
    manifest["host_permissions"] += [each for each in optional if each.startswith("http:")]
    path.write_text(json.dumps(manifest))
    return folder
