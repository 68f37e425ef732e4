"""Sellers and their shops: the two that are always there, and those opened on first sign-in."""

import re
from datetime import datetime
from typing import Any

from sandbox.etsy.state import EtsyState, Shop

FIRST_USER = 710_000_001
FIRST_SHOP = 52_000_001
FIRST_PROFILE = 230_000_000_001
FIRST_POLICY = 1_300_000_000_001
FIRST_READINESS = 1_400_000_000_001
CURRENCIES = {"US": "USD", "FR": "EUR", "DE": "EUR", "GB": "GBP"}
"""What shops of a country sell in, for the countries that can be asked for."""
EU = frozenset({"FR", "DE"})
TEST_SELLERS = {"alice": "US", "bruno": "FR"}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
CENTS = 100


def money(cents: int, currency: str) -> dict[str, Any]:
    """Etsy's Money: an integer amount, what to divide it by, and the currency."""
    return {"amount": cents, "divisor": CENTS, "currency_code": currency}


def open_test_shops(state: EtsyState, now: datetime) -> None:
    """The two test sellers, unless they are there."""
    for name, country in TEST_SELLERS.items():
        if state.shop_named(name) is None:
            open_shop(state, name, now, country=country)


def shop_signing_in(state: EtsyState, name: str, now: datetime) -> Shop | None:
    """The shop of that login name, opened if need be; None when no account can have the name."""
    name = name.strip()
    if not possible_name(name):
        return None
    return state.shop_named(name) or open_shop(state, name, now)


def possible_name(name: str) -> bool:
    """Whether an account can have this name."""
    return _NAME.fullmatch(name) is not None


def open_shop(
    state: EtsyState, name: str, now: datetime, *, country: str = "US", ready: bool = True
) -> Shop:
    """A new account with its shop.

    A `ready` one has a shipping profile, a return policy and a processing profile.
    """
    shop = Shop(
        shop_id=state.next_id("shop", FIRST_SHOP),
        user_id=state.next_id("user", FIRST_USER),
        login_name=name,
        currency=CURRENCIES[country],
        country=country,
        created_at=now,
    )
    state.shops[shop.shop_id] = shop
    if ready:
        add_shipping_profile(
            state,
            shop,
            {
                "title": "Standard",
                "origin_country_iso": country,
                "destination_country_iso": country,
                "primary_cost": 500,
                "secondary_cost": 200,
                "min_delivery_days": 2,
                "max_delivery_days": 5,
            },
        )
        add_return_policy(state, shop, returns=True, exchanges=False, deadline=30)
        add_readiness_state(state, shop, ("ready_to_ship", 1, 3))
    return shop


def add_shipping_profile(state: EtsyState, shop: Shop, given: dict[str, Any]) -> dict[str, Any]:
    """A profile with one destination; costs in cents of the shop's currency."""
    profile_id = state.next_id("shipping profile", FIRST_PROFILE)
    origin = given["origin_country_iso"]
    shop.shipping_profiles[profile_id] = {
        "shipping_profile_id": profile_id,
        "title": given["title"],
        "user_id": shop.user_id,
        "origin_country_iso": origin,
        "is_deleted": False,
        "shipping_profile_destinations": [
            {
                "shipping_profile_destination_id": state.next_id("destination", FIRST_PROFILE),
                "shipping_profile_id": profile_id,
                "origin_country_iso": origin,
                "destination_country_iso": given.get("destination_country_iso") or "",
                "destination_region": given.get("destination_region", "none"),
                "primary_cost": money(given["primary_cost"], shop.currency),
                "secondary_cost": money(given["secondary_cost"], shop.currency),
                "shipping_carrier_id": given.get("shipping_carrier_id"),
                "mail_class": given.get("mail_class"),
                "min_delivery_days": given.get("min_delivery_days"),
                "max_delivery_days": given.get("max_delivery_days"),
            }
        ],
        "shipping_profile_upgrades": [],
        "origin_postal_code": given.get("origin_postal_code", ""),
        "profile_type": "manual",
        "domestic_handling_fee": 0,
        "international_handling_fee": 0,
    }
    return shop.shipping_profiles[profile_id]


def add_return_policy(
    state: EtsyState, shop: Shop, *, returns: bool, exchanges: bool, deadline: int | None
) -> dict[str, Any]:
    """A return policy; `deadline` in days."""
    policy_id = state.next_id("return policy", FIRST_POLICY)
    shop.return_policies[policy_id] = {
        "return_policy_id": policy_id,
        "shop_id": shop.shop_id,
        "accepts_returns": returns,
        "accepts_exchanges": exchanges,
        "return_deadline": deadline,
    }
    return shop.return_policies[policy_id]


def add_readiness_state(
    state: EtsyState, shop: Shop, definition: tuple[str, int, int]
) -> dict[str, Any]:
    """A processing profile: readiness, least and most days."""
    readiness_id = state.next_id("readiness", FIRST_READINESS)
    shop.readiness_states[readiness_id] = {
        "shop_id": shop.shop_id,
        "readiness_state_id": readiness_id,
        **readiness_values(definition),
    }
    return shop.readiness_states[readiness_id]


def readiness_values(definition: tuple[str, int, int]) -> dict[str, Any]:
    """The changeable part of a processing profile."""
    readiness, least, most = definition
    return {
        "readiness_state": readiness,
        "min_processing_days": least,
        "max_processing_days": most,
        "processing_days_display_label": f"{least} - {most} days",
    }
