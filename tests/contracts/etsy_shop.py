"""A seller at the sandbox Etsy, as tests need one: signed in, able to publish."""

import io
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from PIL import Image

from sandbox.etsy.state import App
from sandbox.etsy.tokens import challenge_of

APP = App()
API_KEY = f"{APP.keystring}:{APP.shared_secret}"
CALLBACK = APP.redirect_uris[0]
SELLING = "listings_r listings_w listings_d shops_r shops_w transactions_r transactions_w email_r"
VERIFIER = "a-verifier.of~43_characters-and-then-some-more"
BASE = "/v3/application"
SHIRTS = 432
"""Men's Clothing in Etsy's seller taxonomy."""


class EtsySite:
    """The sandbox as an application sees it before anyone has consented."""

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

    def consent_form(self, **changes: str) -> dict[str, str]:
        """The query of the consent page."""
        return {**consent_form(), **changes}

    def consent(self, user: str, **changes: str) -> dict[str, str]:
        """Agree as `user`; returns the query that the callback gets, decoded."""
        form = {**self.consent_form(**changes), "user": user, "decision": "agree"}
        return callback_query(self.http.post("/oauth/consent", data=form))

    def exchange(self, code: str, **changes: str) -> httpx.Response:
        """Spend a code."""
        return self.http.post("/v3/public/oauth/token", data={**exchange_form(code), **changes})

    def refresh(self, refresh_token: str, client_id: str = APP.keystring) -> httpx.Response:
        """Ask for a new pair."""
        form = {"grant_type": "refresh_token", "client_id": client_id}
        return self.http.post(
            "/v3/public/oauth/token", data={**form, "refresh_token": refresh_token}
        )

    def tokens(self, user: str = "alice", scope: str = SELLING) -> dict[str, Any]:
        """Go through the whole flow; returns the token answer."""
        answer = self.exchange(self.consent(user, scope=scope)["code"])
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def shop(self, user: str = "alice", scope: str = SELLING) -> "EtsyShop":
        """A seller who is signed in."""
        token = self.tokens(user, scope)["access_token"]
        known = {row["name"]: row for row in self.read("sellers")["sellers"]}
        return EtsyShop(self, token, known[user])

    def public(self, path: str, **more: Any) -> httpx.Response:
        """A GET with the API key alone."""
        return self.http.get(BASE + path, headers={"x-api-key": API_KEY}, **more)


class EtsyShop:
    """Calls with one token."""

    def __init__(self, site: EtsySite, access_token: str, row: dict[str, Any]) -> None:
        self.site = site
        self.token = access_token
        self.headers = {"Authorization": f"Bearer {access_token}", "x-api-key": API_KEY}
        self.row = row
        self.shop_id: int = row["shop_id"]
        self.user_id: int = row["user_id"]
        self.path = f"/shops/{self.shop_id}"

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One call; `headers` add to or replace the usual ones, None takes one away."""
        wanted = {**self.headers, **more.pop("headers", {})}
        headers = {name: value for name, value in wanted.items() if value is not None}
        return self.site.http.request(method, BASE + path, headers=headers, **more)

    def draft(self, **changes: Any) -> int:
        """A draft that lacks nothing but a picture; returns its number."""
        answer = self.call("POST", f"{self.path}/listings", data=self.draft_form(**changes))
        assert answer.status_code == 201, answer.text
        return int(answer.json()["listing_id"])

    def draft_form(self, **changes: Any) -> dict[str, Any]:
        """The form of a draft; None takes a field away."""
        form = {
            "quantity": "3",
            "title": "Blue shirt",
            "description": "A blue shirt.",
            "price": "19.99",
            "who_made": "someone_else",
            "when_made": "2010_2019",
            "taxonomy_id": str(SHIRTS),
            "shipping_profile_id": str(self.row["shipping_profiles"][0]),
            "return_policy_id": str(self.row["return_policies"][0]),
            "readiness_state_id": str(self.row["readiness_states"][0]),
        }
        return {name: value for name, value in {**form, **changes}.items() if value is not None}

    def upload(self, listing_id: int, colour: str = "red", **form: str) -> httpx.Response:
        """Send a picture to a listing."""
        files = {"image": ("a.jpg", picture(colour), "image/jpeg")}
        path = f"{self.path}/listings/{listing_id}/images"
        return self.call("POST", path, files=files, data=form)

    def patch(self, listing_id: int, **form: Any) -> httpx.Response:
        """Change a listing."""
        return self.call("PATCH", f"{self.path}/listings/{listing_id}", data=form)

    def listed(self, **changes: Any) -> int:
        """A listing for sale; returns its number."""
        listing_id = self.draft(**changes)
        assert self.upload(listing_id).status_code == 201
        answer = self.patch(listing_id, state="active")
        assert answer.status_code == 200, answer.text
        return listing_id

    def get(self, listing_id: int, **query: Any) -> dict[str, Any]:
        """A listing as it is now."""
        answer = self.call("GET", f"/listings/{listing_id}", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def put_inventory(self, listing_id: int, body: dict[str, Any]) -> httpx.Response:
        """Replace a listing's inventory."""
        return self.call("PUT", f"/listings/{listing_id}/inventory", json=body)

    def product(self, sku: str, size: str | None = None, **changes: Any) -> dict[str, Any]:
        """A product for `put_inventory`; changes go to its offering."""
        offering = {
            "price": 19.99,
            "quantity": 3,
            "is_enabled": True,
            "readiness_state_id": self.row["readiness_states"][0],
        }
        values = [{"property_id": 513, "property_name": "Size", "value_ids": [], "values": [size]}]
        return {
            "sku": sku,
            "property_values": values if size else [],
            "offerings": [{**offering, **changes}],
        }

    def state_of(self, listing_id: int) -> str:
        """What the ledger says of a listing."""
        rows = self.site.read("ledger")["listings"]
        return str(next(row["state"] for row in rows if row["listing_id"] == listing_id))


def consent_form() -> dict[str, str]:
    """What the consent page is asked with."""
    return {
        "response_type": "code",
        "client_id": APP.keystring,
        "redirect_uri": CALLBACK,
        "scope": SELLING,
        "state": "a state&with=signs",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }


def exchange_form(code: str) -> dict[str, str]:
    """What a code is spent with."""
    return {
        "grant_type": "authorization_code",
        "client_id": APP.keystring,
        "redirect_uri": CALLBACK,
        "code": code,
        "code_verifier": VERIFIER,
    }


def picture(colour: str = "red", kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A small picture file."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def callback_query(redirect: httpx.Response) -> dict[str, str]:
    """The query of a redirect's target, decoded once."""
    assert redirect.status_code == 302, redirect.text
    query = parse_qs(urlsplit(redirect.headers["location"]).query, strict_parsing=True)
    return {name: values[0] for name, values in query.items()}
