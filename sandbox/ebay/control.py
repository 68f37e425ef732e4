"""Addresses under /_sandbox/ of the sandbox eBay."""

from dataclasses import asdict, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import wire_time
from sandbox.control import Body, CommonControl, WrongOrderError, whole
from sandbox.ebay import tokens
from sandbox.ebay.apis import APIS
from sandbox.ebay.policies import POLICY_KINDS, policy_added, starter_policy
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.sellers import full_name, open_account, possible_name
from sandbox.ebay.state import EbayState, Keyset, Listing, Seller
from sandbox.ebay.values import ACCOUNT_MARKETPLACES


class Control(CommonControl[EbayState]):
    """What can be asked of a running sandbox."""

    def __init__(self, sandbox: EbaySandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """All control addresses."""
        return [
            *self.common_routes(),
            self.route("ledger", "GET", self.ledger),
            self.route("keysets", "POST", self.add_keyset),
            self.route("quotas", "POST", self.set_quota),
            self.route("sellers", "POST", self.add_seller),
            self.route("sellers", "GET", self.sellers),
            self.route("sellers/{name}/revoke", "POST", self.revoke),
            self.route("sellers/{name}/policies", "POST", self.add_policies),
            self.route("reset", "POST", self.reset),
            Route("/_sandbox/images/{image_id}", self.image, methods=["GET"]),
        ]

    def ledger(self, body: Body) -> Any:
        """Every listing there ever was, oldest first."""
        return {"listings": [_ledger_row(row) for row in self.sandbox.state.listings.values()]}

    def add_keyset(self, body: Body) -> Any:
        """Add a keyset, or change one by its client_id."""
        known = set(Keyset.__dataclass_fields__)
        if not set(body) <= known or not all(isinstance(value, str) for value in body.values()):
            raise WrongOrderError(f"a keyset has the text fields {', '.join(sorted(known))}")
        client_id = body.get("client_id", self.sandbox.options.keyset.client_id)
        keyset = self.sandbox.state.keysets.get(client_id) or Keyset(client_id=client_id)
        self.sandbox.state.keysets[client_id] = replace(keyset, **body)
        return {**asdict(self.sandbox.state.keysets[client_id]), "client_secret": "(kept)"}

    def set_quota(self, body: Body) -> Any:
        """Set the daily calls of one API, named by its resource (such as sell.inventory)."""
        resource, limit = body.get("resource"), whole(body, "limit")
        if resource not in [api.resource for api in APIS]:
            raise WrongOrderError(f"resource is one of {', '.join(api.resource for api in APIS)}")
        self.sandbox.state.quota_limits[str(resource)] = limit
        return {"resource": resource, "limit": limit}

    def add_seller(self, body: Body) -> Any:
        """Open an account; `ready: false` leaves it without opt-in and policies."""
        name = str(body.get("name", ""))
        ready = body.get("ready", True)
        if full_name(name) in self.sandbox.state.sellers:
            raise WrongOrderError(f"{full_name(name)} exists")
        if not possible_name(name):
            raise WrongOrderError("name is missing or has characters a user name cannot have")
        marketplaces = body.get("marketplaces", [])
        if not isinstance(marketplaces, list) or not all(
            one in list(ACCOUNT_MARKETPLACES) for one in marketplaces
        ):
            raise WrongOrderError("marketplaces is a list of ids such as EBAY_GB")
        seller = open_account(self.sandbox, name, ready=ready is not False)
        for marketplace in marketplaces:
            self._start_on(seller, marketplace)
        return _seller_row(seller)

    def add_policies(self, body: Body) -> Any:
        """Give a seller a policy of each kind for one more marketplace."""
        marketplace = body.get("marketplace_id")
        if marketplace not in ACCOUNT_MARKETPLACES:
            raise WrongOrderError("marketplace_id is an id such as EBAY_GB")
        seller = self.sandbox.state.sellers.get(full_name(body["name"]))
        if seller is None:
            raise WrongOrderError(f"{full_name(body['name'])} is unknown")
        self._start_on(seller, str(marketplace))
        return _seller_row(seller)

    def _start_on(self, seller: Seller, marketplace: str) -> None:
        for kind in POLICY_KINDS:
            policy_added(self.sandbox.state, seller, kind, starter_policy(kind, marketplace))

    def sellers(self, body: Body) -> Any:
        """Every account."""
        return {"sellers": [_seller_row(one) for one in self.sandbox.state.sellers.values()]}

    def revoke(self, body: Body) -> Any:
        """Kill every token of a seller, as a changed password does."""
        name = full_name(body["name"])
        if name not in self.sandbox.state.sellers:
            raise WrongOrderError(f"{name} is unknown")
        tokens.revoke(self.sandbox, name)
        return {"name": name, "revoked": True}

    def reset(self, body: Body) -> Any:
        """Forget everything but the keysets."""
        self.sandbox.reset()
        return {"reset": True}

    async def image(self, request: Request) -> Response:
        """A stored picture's bytes."""
        image_id = request.path_params["image_id"]
        known = self.sandbox.state.images.get(image_id)
        return self.picture_answer(image_id, known.format if known else None)


def _ledger_row(listing: Listing) -> dict[str, Any]:
    return {
        **asdict(listing),
        "created_at": wire_time(listing.created_at),
        "ended_at": wire_time(listing.ended_at) if listing.ended_at else None,
    }


def _seller_row(seller: Seller) -> dict[str, Any]:
    return {
        "name": seller.name,
        "user_id": seller.user_id,
        "programs": seller.programs,
        "policies": {kind: list(known) for kind, known in seller.policies.items()},
        "locations": list(seller.locations),
        "items": len(seller.items),
        "offers": len(seller.offers),
    }
