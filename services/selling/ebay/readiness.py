"""Whether the eBay account has what every listing needs, and how to mend what it lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.selling.ebay import ConnectionStatus, EbayConnection
from services.gateways.ebay.account import Policy, PolicyKind
from services.gateways.ebay.gateway import SellerApis
from services.gateways.ebay.inventory import Location
from services.gateways.ebay.marketplaces import Marketplace
from services.gateways.ebay.offers import SellingPolicies
from services.gateways.ebay.reading import at
from shared.errors import FieldProblem

_POLICY_WORDS = {
    PolicyKind.FULFILLMENT: "shipping",
    PolicyKind.PAYMENT: "payment",
    PolicyKind.RETURN: "return",
}


@dataclass(frozen=True, slots=True)
class AccountReadiness:
    """What eBay last told about the account."""

    uses_policies: bool
    policies: Mapping[PolicyKind, Policy]
    location: Location | None

    def as_json(self) -> dict[str, Any]:
        """How it is stored with the connection."""
        return {
            "uses_policies": self.uses_policies,
            "policies": {
                kind.value: {"id": policy.id, "name": policy.name}
                for kind, policy in self.policies.items()
            },
            "location": None
            if self.location is None
            else {
                "key": self.location.key,
                "name": self.location.name,
                "country": self.location.country,
                "postal_code": self.location.postal_code,
                "city": self.location.city,
            },
        }


def read_readiness(apis: SellerApis, preferred_location: str | None) -> AccountReadiness:
    """Ask eBay: five calls. Raises what the gateway raises."""
    uses_policies = apis.account.uses_policies()
    policies = {
        kind: chosen
        for kind in PolicyKind
        if (chosen := _default_of(apis.account.policies(kind) if uses_policies else ())) is not None
    }
    enabled = [location for location in apis.inventory.locations() if location.enabled]
    location = next(
        (location for location in enabled if location.key == preferred_location),
        enabled[0] if enabled else None,
    )
    return AccountReadiness(uses_policies, policies, location)


def move_to(connection: EbayConnection, site: Marketplace) -> None:
    """Let an account sell on a site. Policies belong to a site; where goods are does not."""
    connection.marketplace_id = site.id
    location = at(connection.readiness, "location")
    connection.readiness = {} if location is None else {"location": location}
    connection.checked_at = None


def preferred_location(connection: EbayConnection | None) -> str | None:
    """The location that listings of this shop have used so far."""
    key = at(connection.readiness, "location", "key") if connection is not None else None
    return key if isinstance(key, str) else None


def selling_policies(connection: EbayConnection) -> SellingPolicies | None:
    """The ids that every offer names, when all three are known."""
    ids = [at(connection.readiness, "policies", kind.value, "id") for kind in PolicyKind]
    return None if None in ids else SellingPolicies(*(str(each) for each in ids))


def account_gaps(connection: EbayConnection | None) -> Sequence[FieldProblem]:
    """What keeps the whole account from listing; empty when it is ready."""
    if connection is None or connection.status is ConnectionStatus.DISCONNECTED:
        return [_gap("not-connected", "account", "Connect the eBay account first.")]
    if connection.status is ConnectionStatus.NEEDS_REAUTH:
        message = "eBay has ended the connection. Connect the same eBay account again."
        return [_gap("needs-reauth", "account", message)]
    if connection.checked_at is None:
        message = "The account's settings could not be read yet. Check the connection again."
        return [_gap("not-checked", "account", message)]
    return [*_policy_gaps(connection), *_location_gaps(connection)]


def _policy_gaps(connection: EbayConnection) -> list[FieldProblem]:
    if not at(connection.readiness, "uses_policies"):
        message = "Switch on business policies: check the connection with opt_in set to true."
        return [_gap("policies-off", "account.policies", message)]
    return [
        _gap(
            "policy-missing",
            f"account.{kind}_policy",
            f"Create a {_POLICY_WORDS[kind]} policy in eBay's business policies, "
            "then check the connection.",
        )
        for kind in PolicyKind
        if at(connection.readiness, "policies", kind.value, "id") is None
    ]


def _location_gaps(connection: EbayConnection) -> list[FieldProblem]:
    if preferred_location(connection) is not None:
        return []
    message = "Say where the goods are sent from: set the location of the eBay channel."
    return [_gap("location-missing", "account.location", message)]


def _default_of(policies: Sequence[Policy]) -> Policy | None:
    first = policies[0] if policies else None
    return next((policy for policy in policies if policy.is_default), first)


def _gap(rule: str, field: str, message: str) -> FieldProblem:
    return FieldProblem(field, message, rule)
