"""Addresses under /_sandbox/ of the sandbox Etsy."""

from dataclasses import asdict, replace
from typing import Any

from starlette.routing import Route

from sandbox.clock import wire_time
from sandbox.control import Body, CommonControl, WrongOrderError, whole
from sandbox.etsy import limits, tokens
from sandbox.etsy.sandbox import EtsySandbox
from sandbox.etsy.shops import CURRENCIES, open_shop, possible_name
from sandbox.etsy.state import App, EtsyState, Shop


class Control(CommonControl[EtsyState]):
    """What can be asked of a running sandbox Etsy."""

    def __init__(self, sandbox: EtsySandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """All control addresses."""
        return [
            *self.common_routes(),
            self.route("requests", "GET", self.requests),
            self.route("apps", "POST", self.add_app),
            self.route("limits", "GET", self.limits),
            self.route("limits", "POST", self.set_limits),
            self.route("sellers", "GET", self.sellers),
            self.route("sellers", "POST", self.add_seller),
            self.route("sellers/{name}/revoke", "POST", self.revoke),
            self.route("reset", "POST", self.reset),
        ]

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

    def _shop(self, body: Body) -> Shop:
        shop = self.sandbox.state.shop_named(str(body.get("name")))
        if shop is None:
            raise WrongOrderError(f"{body.get('name')} is unknown")
        return shop


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
