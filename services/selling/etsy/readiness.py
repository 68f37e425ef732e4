"""Whether the Etsy shop has what every listing needs, and how to mend what it lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.selling.etsy import EtsyAccount, EtsyAccountStatus
from services.gateways.etsy.reading import at, rows
from services.gateways.etsy.shop import EtsyShop, EtsyShopClient, Profile
from shared.errors import FieldProblem

_NORTH_WEST = frozenset(
    {"AT", "BE", "DE", "DK", "EE", "FI", "FR", "IE", "LT", "LU", "LV", "NL", "SE"}
)
_SOUTH_EAST = frozenset(
    {"BG", "CY", "CZ", "ES", "GR", "HR", "HU", "IT", "MT", "PL", "PT", "RO", "SI"}
)
_EU = _NORTH_WEST | _SOUTH_EAST | {"SK"}
"""Member states: Etsy asks their shops for no return policy, because the law has one."""

KINDS: Mapping[str, str] = {
    "shipping_profile": "delivery profile",
    "return_policy": "return policy",
    "processing_profile": "processing profile",
}
"""What listings name, and how the shop manager calls it."""


@dataclass(frozen=True, slots=True)
class ShopReadiness:
    """What Etsy last told about the shop."""

    shop: EtsyShop
    profiles: Mapping[str, Sequence[Profile]]
    """By the keys of `KINDS`."""

    def as_json(self) -> dict[str, Any]:
        """How it is stored with the account."""
        return {
            "currency": self.shop.currency,
            "country": self.shop.country,
            "on_holiday": self.shop.on_holiday,
            "profiles": {
                kind: [{"id": profile.id, "name": profile.name} for profile in found]
                for kind, found in self.profiles.items()
            },
        }


@dataclass(frozen=True, slots=True)
class ListingTerms:
    """The ids that every listing names."""

    shop_id: int
    currency: str
    shipping_profile_id: int
    return_policy_id: int | None
    processing_profile_id: int


def read_readiness(client: EtsyShopClient, shop_id: int) -> ShopReadiness:
    """Ask Etsy: four calls. Raises what the gateway raises."""
    return ShopReadiness(
        client.shop(shop_id),
        {
            "shipping_profile": client.shipping_profiles(shop_id),
            "return_policy": client.return_policies(shop_id),
            "processing_profile": client.processing_profiles(shop_id),
        },
    )


def profiles_of(account: EtsyAccount, kind: str) -> Sequence[Profile]:
    """What the shop has of a kind."""
    found = rows(at(account.readiness, "profiles"), kind)
    return [Profile(int(row["id"]), str(row["name"])) for row in found]


def chosen(account: EtsyAccount, kind: str) -> int | None:
    """The profile that listings use: the seller's choice, else the only one or the first."""
    there = [profile.id for profile in profiles_of(account, kind)]
    wanted = at(account.choices, kind)
    if wanted is not None:
        return wanted if wanted in there else None
    return there[0] if there else None


def listing_terms(account: EtsyAccount) -> ListingTerms | None:
    """What listings name, when all of it is known."""
    shipping, processing = (
        chosen(account, "shipping_profile"),
        chosen(account, "processing_profile"),
    )
    currency = at(account.readiness, "currency")
    if shipping is None or processing is None or not isinstance(currency, str):
        return None
    returns = chosen(account, "return_policy")
    return ListingTerms(account.remote_shop_id, currency, shipping, returns, processing)


def account_gaps(account: EtsyAccount | None) -> Sequence[FieldProblem]:
    """What keeps the whole account from listing; empty when it is ready."""
    if account is None or account.status is EtsyAccountStatus.DISCONNECTED:
        return [_gap("not-connected", "account", "Connect the Etsy account first.")]
    if account.status is EtsyAccountStatus.NEEDS_REAUTH:
        message = "Etsy has ended the connection. Connect the same Etsy account again."
        return [_gap("needs-reauth", "account", message)]
    if account.checked_at is None:
        message = "The shop's settings could not be read yet. Check the connection again."
        return [_gap("not-checked", "account", message)]
    return [*_profile_gaps(account), *_holiday_gaps(account)]


def _profile_gaps(account: EtsyAccount) -> list[FieldProblem]:
    needed = [kind for kind in KINDS if kind != "return_policy" or _needs_returns(account)]
    return [_missing(account, kind) for kind in needed if chosen(account, kind) is None]


def _needs_returns(account: EtsyAccount) -> bool:
    return at(account.readiness, "country") not in _EU


def _missing(account: EtsyAccount, kind: str) -> FieldProblem:
    word = KINDS[kind]
    there = profiles_of(account, kind)
    if there:
        message = f"The {word} you chose is gone from Etsy. Choose another one."
        choices = tuple(f"{profile.id}: {profile.name}" for profile in there)
        return FieldProblem(f"account.{kind}", message, "profile-gone", choices)
    message = f"Create a {word} in Etsy's shop manager, then check the connection."
    return _gap("profile-missing", f"account.{kind}", message)


def _holiday_gaps(account: EtsyAccount) -> list[FieldProblem]:
    if at(account.readiness, "on_holiday") is not True:
        return []
    message = "The Etsy shop is on holiday. Open it in the shop manager, then check the connection."
    return [_gap("on-holiday", "account", message)]


def _gap(rule: str, field: str, message: str) -> FieldProblem:
    return FieldProblem(field, message, rule)
