"""A seller at the sandbox eBay, as tests need one: signed in, stocked, able to publish."""

import io
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from PIL import Image

from sandbox.ebay.apis import SCOPE_PREFIX
from sandbox.ebay.state import Keyset

KEYSET = Keyset()
SELLING = (
    "",
    "sell.inventory",
    "sell.account",
    "sell.fulfillment",
    "commerce.identity.readonly",
)
SHIRTS = "15687"
LOCATION = "home"
LANGUAGE = {"Content-Language": "en-US"}
INVENTORY = "/sell/inventory/v1"
FULFILLMENT = "/sell/fulfillment/v1"


def full_scopes(suffixes: Iterable[str]) -> list[str]:
    """Scope strings of their last parts."""
    return [f"{SCOPE_PREFIX}/{suffix}" if suffix else SCOPE_PREFIX for suffix in suffixes]


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A small picture file."""
    file = io.BytesIO()
    Image.new("RGB", size, (120, 40, 40)).save(file, kind)
    return file.getvalue()


class Sandbox:
    """The sandbox as an application sees it before anyone has consented."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def control(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        """Ask something of /_sandbox/ and return the parsed answer."""
        response = self.http.request(method, f"/_sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        """Put a fault in force, for one call unless told otherwise."""
        self.control("faults", {"times": 1, "operation": operation, "kind": kind, **more})

    def ledger(self) -> list[dict[str, Any]]:
        """Every listing there ever was."""
        rows: list[dict[str, Any]] = self.control("ledger", method="GET")["listings"]
        return rows

    def buy(self, listing_id: str, **more: Any) -> dict[str, Any]:
        """A buyer buys one unit and pays, unless told otherwise; returns the order."""
        order: dict[str, Any] = self.control("orders", {"listing_id": listing_id, **more})
        return order

    def consent_form(self, suffixes: Iterable[str] = SELLING) -> dict[str, str]:
        """The query of the consent page."""
        return {
            "client_id": KEYSET.client_id,
            "redirect_uri": KEYSET.ru_name,
            "response_type": "code",
            "scope": " ".join(full_scopes(suffixes)),
            "state": "a state&with=signs",
        }

    def consent(self, user: str, suffixes: Iterable[str] = SELLING) -> dict[str, str]:
        """Agree as `user`; returns the query that the callback gets, decoded."""
        form = {**self.consent_form(suffixes), "user": user, "decision": "agree"}
        return callback_query(self.http.post("/oauth2/consent", data=form))

    def token(self, **form: str) -> httpx.Response:
        """Call the token endpoint with the keyset's credentials."""
        auth = (KEYSET.client_id, KEYSET.client_secret)
        return self.http.post("/identity/v1/oauth2/token", data=form, auth=auth)

    def tokens(self, user: str, suffixes: Iterable[str] = SELLING) -> dict[str, Any]:
        """Go through the whole flow; returns the token answer."""
        code = self.consent(user, suffixes)["code"]
        answer = self.token(grant_type="authorization_code", code=code, redirect_uri=KEYSET.ru_name)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def shop(self, user: str = "alice", suffixes: Iterable[str] = SELLING) -> "Shop":
        """A seller who is signed in."""
        return Shop(self, self.tokens(user, suffixes)["access_token"])

    def application(self) -> "Shop":
        """Nobody in particular: an application token with the public scope."""
        answer = self.token(grant_type="client_credentials", scope=SCOPE_PREFIX)
        return Shop(self, answer.json()["access_token"])


def callback_query(redirect: httpx.Response) -> dict[str, str]:
    """The query of a redirect's target, decoded once."""
    assert redirect.status_code == 302, redirect.text
    query = parse_qs(urlsplit(redirect.headers["location"]).query, strict_parsing=True)
    return {name: values[0] for name, values in query.items()}


class Shop:
    """Calls with one token."""

    def __init__(self, sandbox: Sandbox, access_token: str) -> None:
        self.sandbox = sandbox
        self.headers = {"Authorization": f"Bearer {access_token}", "Accept-Language": "en-US"}

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One call; `headers` add to or replace the usual ones, None takes one away."""
        wanted = {**self.headers, **more.pop("headers", {})}
        headers = {name: value for name, value in wanted.items() if value is not None}
        return self.sandbox.http.request(method, path, headers=headers, **more)

    def write(self, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
        """A JSON call of the Inventory API with Content-Language."""
        return self.call(method, INVENTORY + path, json=body, headers={**LANGUAGE, **headers})

    def read(self, path: str) -> httpx.Response:
        """A GET of the Inventory API."""
        return self.call("GET", INVENTORY + path)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        """A POST of the Inventory API without Content-Language."""
        more = {} if body is None else {"json": body}
        return self.call("POST", INVENTORY + path, **more)

    def delete(self, path: str) -> httpx.Response:
        """A DELETE of the Inventory API."""
        return self.call("DELETE", INVENTORY + path)

    def policies(self) -> dict[str, str]:
        """Ids of the seller's policies, as offers name them."""
        found = {}
        for kind in ("fulfillment", "payment", "return"):
            path = f"/sell/account/v1/{kind}_policy?marketplace_id=EBAY_US"
            rows = self.call("GET", path).json()[f"{kind}Policies"]
            found[f"{kind}PolicyId"] = rows[0][f"{kind}PolicyId"]
        return found

    def add_location(self, key: str = LOCATION) -> httpx.Response:
        """Open an inventory location."""
        address = {"country": "US", "postalCode": "10001"}
        return self.post(f"/location/{key}", {"location": {"address": address}})

    def put_item(self, sku: str, **changes: Any) -> httpx.Response:
        """Put an item that can be listed, unless `changes` say otherwise."""
        return self.write("PUT", f"/inventory_item/{sku}", item(**changes))

    def offer_body(self, sku: str, **changes: Any) -> dict[str, Any]:
        """An offer that can be published, unless `changes` say otherwise."""
        body = {
            "sku": sku,
            "marketplaceId": "EBAY_US",
            "format": "FIXED_PRICE",
            "categoryId": SHIRTS,
            "listingDescription": "<p>As pictured.</p>",
            "listingDuration": "GTC",
            "listingPolicies": self.policies(),
            "merchantLocationKey": LOCATION,
            "pricingSummary": {"price": {"value": "19.99", "currency": "USD"}},
        }
        return {**body, **changes}

    def add_offer(self, sku: str, **changes: Any) -> str:
        """Create an offer and return its id."""
        answer = self.write("POST", "/offer", self.offer_body(sku, **changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["offerId"])

    def stocked(self, sku: str = "SKU-1") -> str:
        """Location, item and offer in place; returns the id of the unpublished offer."""
        self.add_location()
        self.put_item(sku)
        return self.add_offer(sku)

    def listed(self, sku: str = "SKU-1") -> tuple[str, str]:
        """A live listing; returns offer id and listing id."""
        offer_id = self.stocked(sku)
        answer = self.post(f"/offer/{offer_id}/publish")
        assert answer.status_code == 200, answer.text
        return offer_id, str(answer.json()["listingId"])

    def bought(self, sku: str = "SKU-1", **more: Any) -> str:
        """A live listing that somebody has bought one of; returns the id of the paid order."""
        _, listing_id = self.listed(sku)
        return str(self.sandbox.buy(listing_id, **more)["order_id"])

    def order(self, order_id: str) -> dict[str, Any]:
        """An order as its seller reads it."""
        answer = self.call("GET", f"{FULFILLMENT}/order/{order_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def orders(self, **query: str) -> dict[str, Any]:
        """A page of orders."""
        answer = self.call("GET", f"{FULFILLMENT}/order", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ship(self, order_id: str, **changes: Any) -> httpx.Response:
        """Send one unit of the order's first line, unless `changes` say otherwise."""
        [line, *_] = self.order(order_id)["lineItems"]
        body = {
            "lineItems": [{"lineItemId": line["lineItemId"], "quantity": 1}],
            "shippingCarrierCode": "USPS",
            "trackingNumber": "94001",
            **changes,
        }
        path = f"{FULFILLMENT}/order/{order_id}/shipping_fulfillment"
        kept = {name: value for name, value in body.items() if value is not None}
        return self.call("POST", path, json=kept)

    def grouped(self, key: str = "GROUP-1") -> list[str]:
        """Two variations with offers and their group; returns the offer ids."""
        self.add_location()
        offers = []
        for size in ("S", "M"):
            sku = f"{key}-{size}"
            self.put_item(sku, aspects={"Brand": ["Acme"], "Size": [size]})
            offers.append(self.add_offer(sku))
        answer = self.write("PUT", f"/inventory_item_group/{key}", group(key))
        assert answer.status_code == 204, answer.text
        return offers


def item(**changes: Any) -> dict[str, Any]:
    """An inventory item's body; `aspects`, `title`, … go into the product."""
    outer = {"condition": "PRE_OWNED_EXCELLENT"}
    product: dict[str, Any] = {
        "title": "Blue shirt",
        "description": "A blue shirt.",
        "aspects": {"Brand": ["Acme"], "Size": ["M"]},
        "imageUrls": ["https://pictures.example/1.jpg"],
    }
    outer |= {name: changes.pop(name) for name in ("condition",) if name in changes}
    quantity = changes.pop("quantity", 3)
    product |= changes
    return {
        **outer,
        "availability": {"shipToLocationAvailability": {"quantity": quantity}},
        "product": {name: value for name, value in product.items() if value is not None},
    }


def group(key: str, **changes: Any) -> dict[str, Any]:
    """An item group's body for the two variations S and M."""
    body = {
        "title": "Blue shirt in two sizes",
        "description": "Choose yours.",
        "aspects": {"Brand": ["Acme"]},
        "imageUrls": ["https://pictures.example/group.jpg"],
        "variantSKUs": [f"{key}-S", f"{key}-M"],
        "variesBy": {
            "aspectsImageVariesBy": ["Size"],
            "specifications": [{"name": "Size", "values": ["S", "M"]}],
        },
    }
    return {**body, **changes}


def error_ids(response: httpx.Response) -> list[int]:
    """The error ids of a refusal."""
    return [error["errorId"] for error in response.json()["errors"]]
