"""A member at the sandbox Vinted, as tests need one: signed in with a browser's cookies."""

import re
import uuid
from typing import Any

import httpx

from sandbox.vinted.state import STANDARD_PASSWORD
from tests.contracts.etsy_shop import picture
from tests.serving import client

API = "/api/v2"
CSRF = re.compile(r'\\?"CSRF_TOKEN\\?":\\?"([0-9a-f-]{36})')
TSHIRTS, SHIRT_SIZE = 221, 4
"""Women's T-shirts, and M / 10 of its sizes."""


class VintedSite:
    """The sandbox as its control addresses show it."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def control(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        """Ask something of /_sandbox/ and return the parsed answer."""
        response = self.http.request(method, f"/_sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def read(self, path: str) -> Any:
        """What the control address `path` shows."""
        return self.control(path, method="GET")

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        """Put a fault in force, for one call unless told otherwise."""
        self.control("faults", {"times": 1, "operation": operation, "kind": kind, **more})

    def calls(self, operation: str) -> int:
        """How often an operation was called."""
        return int(self.read("calls")["calls"].get(operation, 0))

    def items(self) -> list[dict[str, Any]]:
        """Every item there ever was."""
        found: list[dict[str, Any]] = self.read("ledger")["items"]
        return found

    def state_of(self, item_id: int) -> str:
        """What the ledger says of an item."""
        return str(next(row["state"] for row in self.items() if row["item_id"] == item_id))

    def visitor(self) -> "VintedBrowser":
        """A browser that has never been here."""
        return VintedBrowser(self)

    def member(self, login: str = "camille") -> "VintedBrowser":
        """A browser signed in as `login`."""
        browser = VintedBrowser(self)
        answer = browser.sign_in(login)
        assert answer.status_code == 303, answer.text
        return browser


class VintedBrowser:
    """One browser: its cookies, the CSRF token of its pages, and what its pages ask for."""

    def __init__(self, site: VintedSite) -> None:
        self.site = site
        self.http = client(str(site.http.base_url))
        self.token: str | None = None

    def sign_in(
        self, login: str, password: str = STANDARD_PASSWORD, ref_url: str = "/"
    ) -> httpx.Response:
        """Fill in the form, as a person does."""
        self.http.get("/member/login")
        form = {"login": login, "password": password, "ref_url": ref_url}
        return self.http.post("/member/login", data=form)

    def csrf(self, page: str = "/items/new") -> str:
        """The token a page carries."""
        found = CSRF.search(self.http.get(page).text)
        assert found is not None
        return found[1]

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Read from the API."""
        return self.http.get(API + path, params=query)

    def write(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Write to the API with the CSRF token."""
        self.token = self.token or self.csrf()
        headers = {"X-CSRF-Token": self.token}
        return self.http.request(method, API + path, json=body, headers=headers, **more)

    def user_id(self) -> int:
        """Who is signed in."""
        return int(self.get("/users/current").json()["user"]["id"])

    def upload(self, temp_uuid: str, colour: str = "red", **form: str) -> httpx.Response:
        """Send a picture."""
        fields = {"photo[type]": "item", "photo[temp_uuid]": temp_uuid, **form}
        files = {"photo[file]": ("a.jpg", picture(colour), "image/jpeg")}
        return self.write("POST", "/photos", data=fields, files=files)

    def photo(self, temp_uuid: str, colour: str = "red") -> int:
        """The number of a picture just sent."""
        answer = self.upload(temp_uuid, colour)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def form(self, **changes: Any) -> dict[str, Any]:
        """An item that lacks nothing but photos; None takes a field away."""
        form = {
            "id": None,
            "temp_uuid": str(uuid.uuid4()),
            "title": "Blue shirt",
            "description": "A blue shirt.",
            "price": 19.5,
            "currency": "EUR",
            "catalog_id": TSHIRTS,
            "brand_id": 53,
            "brand": "Nike",
            "item_attributes": [
                {"code": "size", "ids": [SHIRT_SIZE]},
                {"code": "condition", "ids": [2]},
                {"code": "material", "ids": []},
            ],
            "color_ids": [9],
            "package_size_id": 1,
            "shipment_prices": {"domestic": None, "international": None},
            "is_unisex": False,
        }
        return {name: value for name, value in {**form, **changes}.items() if value is not None}

    def with_photos(self, count: int = 1, **changes: Any) -> dict[str, Any]:
        """A form whose photos were sent, under `assigned_photos`."""
        form = self.form(**changes)
        photos = [self.photo(form["temp_uuid"]) for _ in range(count)]
        return {**form, "assigned_photos": [{"id": one, "orientation": 0} for one in photos]}

    def draft(self, form: dict[str, Any]) -> httpx.Response:
        """Make a draft."""
        body = {"draft": form, "parcel": None, "upload_session_id": form.get("temp_uuid")}
        return self.write("POST", "/item_upload/drafts", body)

    def complete(self, item_id: int, form: dict[str, Any]) -> httpx.Response:
        """Publish a draft; `form` as it was drafted."""
        photos = form.get("assigned_photos")
        whole = {**form, "id": item_id, "photos": photos}
        whole.pop("assigned_photos", None)
        body = {"draft": whole, "push_up": False, "parcel": None}
        return self.write("POST", f"/item_upload/drafts/{item_id}/completion", body)

    def publish(self, form: dict[str, Any]) -> httpx.Response:
        """Publish without a draft."""
        body = {"item": form, "feedback_id": None, "push_up": False, "parcel": None}
        return self.write("POST", "/item_upload/items", body)

    def published(self, **changes: Any) -> int:
        """An item for sale; returns its number."""
        answer = self.publish(self.with_photos(**changes))
        assert answer.status_code == 200, answer.text
        return int(answer.json()["item"]["id"])

    def wardrobe(self, page: int = 1, per_page: int = 96) -> dict[str, Any]:
        """A page of one's own items."""
        answer = self.get(f"/wardrobe/{self.user_id()}/items", page=page, per_page=per_page)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
