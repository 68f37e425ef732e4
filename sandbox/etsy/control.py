"""Addresses under /_sandbox/ of the sandbox Etsy."""

from dataclasses import asdict, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import wire_time
from sandbox.control import Body, CommonControl, WrongOrderError, whole
from sandbox.etsy import limits, tokens
from sandbox.etsy.sandbox import EtsySandbox
from sandbox.etsy.shops import CURRENCIES, open_shop, possible_name
from sandbox.etsy.state import App, EtsyState, Listing, Shop


class Control(CommonControl[EtsyState]):
    """What can be asked of a running sandbox Etsy."""

    def __init__(self, sandbox: EtsySandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """All control addresses."""
        return [
            *self.common_routes(),
            self.route("ledger", "GET", self.ledger),
            self.route("listings", "GET", self.listings),
            self.route("requests", "GET", self.requests),
            self.route("apps", "POST", self.add_app),
            self.route("limits", "GET", self.limits),
            self.route("limits", "POST", self.set_limits),
            self.route("sellers", "GET", self.sellers),
            self.route("sellers", "POST", self.add_seller),
            self.route("sellers/{name}/revoke", "POST", self.revoke),
            self.route("reset", "POST", self.reset),
            Route("/_sandbox/images/{image_id:int}", self.image, methods=["GET"]),
            Route("/il/{image_id:int}/{name}", self.image, methods=["GET"]),
        ]

    def ledger(self, body: Body) -> Any:
        """Every listing there ever was, every fee, every e-mail, oldest first."""
        state = self.sandbox.state
        return {
            "listings": [ledger_row(state, one) for one in state.listings.values()],
            "emails": [{**asdict(mail), "at": wire_time(mail.at)} for mail in state.emails],
            "fees": [{**asdict(fee), "at": wire_time(fee.at)} for fee in state.fees],
        }

    def listings(self, body: Body) -> Any:
        """Listings that are there, by the SKUs of their products; one may stand under several."""
        state = self.sandbox.state
        found: dict[str, list[dict[str, Any]]] = {}
        for listing in state.listings.values():
            if listing.deleted_at is None:
                for sku in sorted({product.sku for product in listing.current}):
                    found.setdefault(sku, []).append(ledger_row(state, listing))
        return {"listings": found}

    def requests(self, body: Body) -> Any:
        """The last ten thousand calls, oldest first."""
        rows = self.sandbox.state.requests
        return {"requests": [{**asdict(row), "at": wire_time(row.at)} for row in rows]}

    def add_app(self, body: Body) -> Any:
        """Add an application, or change one by its keystring."""
        keystring = str(body.get("keystring", self.sandbox.options.app.keystring))
        apps = self.sandbox.state.apps
        known = apps.get(keystring) or App(keystring)
        try:
            apps[keystring] = replace(known, **body)
        except TypeError as wrong:
            fields = ", ".join(sorted(App.__dataclass_fields__))
            raise WrongOrderError(f"an application has the fields {fields}") from wrong
        return {**asdict(apps[keystring]), "shared_secret": "(kept)"}

    def limits(self, body: Body) -> Any:
        """Calls a second and a day, and the day's use by application."""
        state = self.sandbox.state
        used = {key: limits.used_today(self.sandbox, key) for key in state.apps}
        return {"per_second": state.per_second, "per_day": state.per_day, "used_today": used}

    def set_limits(self, body: Body) -> Any:
        """Set `per_second`, `per_day` or both."""
        state = self.sandbox.state
        if "per_second" in body:
            state.per_second = whole(body, "per_second")
        if "per_day" in body:
            state.per_day = whole(body, "per_day")
        return self.limits(body)

    def sellers(self, body: Body) -> Any:
        """Every account with its shop."""
        return {"sellers": [_seller_row(shop) for shop in self.sandbox.state.shops.values()]}

    def add_seller(self, body: Body) -> Any:
        """Open an account; `ready: false` leaves it without profiles and policies."""
        name, country = str(body.get("name", "")), body.get("country", "US")
        if not possible_name(name) or self.sandbox.state.shop_named(name):
            raise WrongOrderError("name is missing, taken or has characters a name cannot have")
        if country not in CURRENCIES:
            raise WrongOrderError(f"country is one of {', '.join(CURRENCIES)}")
        now, ready = self.sandbox.clock.now(), body.get("ready", True) is not False
        return _seller_row(open_shop(self.sandbox.state, name, now, country=country, ready=ready))

    def revoke(self, body: Body) -> Any:
        """Kill every token of a seller, as a changed password does."""
        tokens.revoke(self.sandbox, self._shop(body).user_id)
        return {"name": body["name"], "revoked": True}

    def reset(self, body: Body) -> Any:
        """Begin anew."""
        self.sandbox.reset()
        return {"reset": True}

    async def image(self, request: Request) -> Response:
        """A stored picture's bytes."""
        image_id = request.path_params["image_id"]
        known = self.sandbox.state.images.get(image_id)
        return self.picture_answer(str(image_id), known.format if known else None)

    def _shop(self, body: Body) -> Shop:
        shop = self.sandbox.state.shop_named(str(body.get("name")))
        if shop is None:
            raise WrongOrderError(f"{body.get('name')} is unknown")
        return shop


def ledger_row(state: EtsyState, listing: Listing) -> dict[str, Any]:
    """A listing as the control addresses show it."""
    shop = state.shops[listing.shop_id]
    return {
        "listing_id": listing.listing_id,
        "seller": shop.login_name,
        "shop_id": shop.shop_id,
        "state": "deleted" if listing.deleted_at is not None else listing.state,
        "title": listing.content["title"],
        "price": listing.price,
        "currency": shop.currency,
        "quantity": listing.quantity,
        "products": [
            {
                "product_id": product.product_id,
                "sku": product.sku,
                "price": product.offering.price,
                "quantity": product.offering.quantity,
                "is_enabled": product.offering.is_enabled,
                "values": [value for one in product.property_values for value in one["values"]],
            }
            for product in listing.current
        ],
        "images": [
            {
                "image_id": image_id,
                "sha256": state.images[image_id].sha256,
                "alt_text": state.images[image_id].alt_text,
            }
            for image_id in listing.image_ids
        ],
        "created_at": listing.created_at,
        "ends_at": listing.ends_at,
        "deleted_at": listing.deleted_at,
    }


def _seller_row(shop: Shop) -> dict[str, Any]:
    return {
        "name": shop.login_name,
        "user_id": shop.user_id,
        "shop_id": shop.shop_id,
        "country": shop.country,
        "currency": shop.currency,
        "shipping_profiles": list(shop.shipping_profiles),
        "return_policies": list(shop.return_policies),
        "readiness_states": list(shop.readiness_states),
    }
