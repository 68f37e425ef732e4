"""Who the seller is, and what their shop has that every listing names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateways.etsy.errors import EtsyRefusal
from services.gateways.etsy.reading import (
    at,
    flag,
    number,
    numbers,
    optional_text,
    results,
    rows,
    text,
    whole,
)
from services.gateways.etsy.transport import EtsyRequest, EtsyTransport

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class EtsySelf:
    """Whose token it is; both numbers never change."""

    user_id: int
    shop_id: int | None
    """None for somebody who buys at Etsy and sells nothing there."""


@dataclass(frozen=True, slots=True)
class EtsyShop:
    """A shop."""

    shop_id: int
    name: str
    currency: str
    """ISO 4217, of all its prices."""
    country: str | None
    """ISO 3166-1, where Etsy knows it."""
    on_holiday: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """A delivery profile, return policy or processing profile."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class TaxonomyNode:
    """A category of Etsy's."""

    id: int
    path: tuple[str, ...]
    """Names from the top."""
    is_leaf: bool


@dataclass(frozen=True, slots=True)
class TaxonomyProperty:
    """What can be said of a listing in a category, with the values that Etsy knows."""

    id: int
    name: str
    required: bool
    for_variants: bool
    values: tuple[tuple[int, str], ...]
    """Id and name."""


class EtsyShopClient:
    """Users, shops, profiles and the taxonomy. Nothing here changes anything."""

    def __init__(self, transport: EtsyTransport) -> None:
        self._transport = transport

    def me(self) -> EtsySelf:
        """The seller who consented."""
        body = self._get("getMe", "/users/me")
        return EtsySelf(number(body, "user_id"), whole(body, "shop_id") or None)

    def shop(self, shop_id: int) -> EtsyShop:
        """A shop."""
        body = self._get("getShop", f"/shops/{shop_id}")
        return EtsyShop(
            shop_id=number(body, "shop_id"),
            name=text(body, "shop_name"),
            currency=text(body, "currency_code"),
            country=optional_text(body, "shop_location_country_iso"),
            on_holiday=flag(body, "is_vacation") is True,
        )

    def shipping_profiles(self, shop_id: int) -> Sequence[Profile]:
        """The shop's delivery profiles that are not deleted."""
        body = self._get("getShopShippingProfiles", f"/shops/{shop_id}/shipping-profiles")
        return [
            Profile(number(row, "shipping_profile_id"), optional_text(row, "title") or "")
            for row in results(body)
            if flag(row, "is_deleted") is not True
        ]

    def return_policies(self, shop_id: int) -> Sequence[Profile]:
        """The shop's return policies."""
        try:
            body = self._get("getShopReturnPolicies", f"/shops/{shop_id}/policies/return")
        except EtsyRefusal as refused:
            if refused.http_status == 404:
                return []
            raise
        return [Profile(number(row, "return_policy_id"), _returns(row)) for row in results(body)]

    def processing_profiles(self, shop_id: int) -> Sequence[Profile]:
        """How long the shop takes to send things; Etsy calls each a readiness state."""
        path = f"/shops/{shop_id}/readiness-state-definitions"
        params = (("limit", str(MAX_PAGE)), ("offset", "0"))
        try:
            body = self._get("getShopReadinessStateDefinitions", path, params)
        except EtsyRefusal as refused:
            if refused.http_status == 404:
                return []
            raise
        return [
            Profile(number(row, "readiness_state_id"), _processing(row)) for row in results(body)
        ]

    def taxonomy(self) -> Sequence[TaxonomyNode]:
        """Every category a seller may list in: thousands, in one answer."""
        body = self._get("getSellerTaxonomyNodes", "/seller-taxonomy/nodes")
        found: list[TaxonomyNode] = []
        for row in results(body):
            _collect(row, (), found)
        return found

    def properties(self, taxonomy_id: int) -> Sequence[TaxonomyProperty]:
        """What can be said in a category."""
        path = f"/seller-taxonomy/nodes/{taxonomy_id}/properties"
        return [_property(row) for row in results(self._get("getPropertiesByTaxonomyId", path))]

    def _get(self, operation: str, path: str, params: Sequence[tuple[str, str]] = ()) -> Any:
        return self._transport.send(EtsyRequest(operation, "GET", path, params))


def _returns(row: Mapping[str, Any]) -> str:
    accepted = [
        word
        for name, word in (("accepts_returns", "returns"), ("accepts_exchanges", "exchanges"))
        if flag(row, name)
    ]
    days = whole(row, "return_deadline")
    if not accepted:
        return "no returns"
    return " and ".join(accepted) + (f" within {days} days" if days is not None else "")


def _processing(row: Mapping[str, Any]) -> str:
    label = optional_text(row, "processing_days_display_label")
    state = (optional_text(row, "readiness_state") or "").replace("_", " ")
    return ", ".join(part for part in (state, label) if part)


def _collect(row: Mapping[str, Any], above: tuple[str, ...], found: list[TaxonomyNode]) -> None:
    path = (*above, text(row, "name"))
    children = rows(row, "children")
    found.append(TaxonomyNode(number(row, "id"), path, not children))
    for child in children:
        _collect(child, path, found)


def _property(row: Mapping[str, Any]) -> TaxonomyProperty:
    values = [
        (ids[0], name)
        for value in rows(row, "possible_values")
        if (ids := (numbers({"ids": [at(value, "value_id")]}, "ids")))
        and (name := optional_text(value, "name"))
    ]
    return TaxonomyProperty(
        id=number(row, "property_id"),
        name=optional_text(row, "display_name") or text(row, "name"),
        required=flag(row, "is_required") is True,
        for_variants=flag(row, "supports_variations") is True,
        values=tuple(values),
    )
