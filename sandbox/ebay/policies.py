"""Business policies as records: shapes, starters, ids."""

from typing import Any

from sandbox.ebay.shapes import MONEY, Shape
from sandbox.ebay.state import EbayState, Seller
from sandbox.ebay.values import ACCOUNT_MARKETPLACES, HOME

POLICY_KINDS = ("fulfillment", "payment", "return")
FIRST_POLICY = 6_196_000_001

_UNITS = frozenset(
    [
        "YEAR",
        "MONTH",
        "DAY",
        "HOUR",
        "CALENDAR_DAY",
        "BUSINESS_DAY",
        "MINUTE",
        "SECOND",
        "MILLISECOND",
    ]
)
_REGION_TYPES = frozenset(
    ["COUNTRY", "COUNTRY_REGION", "STATE_OR_PROVINCE", "WORLD_REGION", "WORLDWIDE"]
)
_SPAN: Shape = {"unit": _UNITS, "value": int}
_REGION: Shape = {"regionName": str, "regionType": _REGION_TYPES}
_REGIONS: Shape = {"regionIncluded": [_REGION], "regionExcluded": [_REGION]}
_COMMON: Shape = {
    "name": str,
    "description": str,
    "marketplaceId": ACCOUNT_MARKETPLACES,
    "categoryTypes": [
        {
            "name": frozenset({"MOTORS_VEHICLES", "ALL_EXCLUDING_MOTORS_VEHICLES"}),
            "default": bool,
        }
    ],
}
_SERVICE: Shape = {
    "sortOrder": int,
    "shippingCarrierCode": str,
    "shippingServiceCode": str,
    "shippingCost": MONEY,
    "additionalShippingCost": MONEY,
    "freeShipping": bool,
    "shipToLocations": _REGIONS,
}
_OPTION: Shape = {
    "costType": frozenset({"CALCULATED", "FLAT_RATE", "NOT_SPECIFIED"}),
    "optionType": frozenset({"DOMESTIC", "INTERNATIONAL"}),
    "shippingServices": [_SERVICE],
}
POLICY_SHAPES: dict[str, Shape] = {
    "fulfillment": _COMMON
    | {
        "handlingTime": _SPAN,
        "freightShipping": bool,
        "globalShipping": bool,
        "localPickup": bool,
        "pickupDropOff": bool,
        "shipToLocations": _REGIONS,
        "shippingOptions": [_OPTION],
    },
    "payment": _COMMON
    | {"immediatePay": bool, "fullPaymentDueIn": _SPAN, "paymentInstructions": str},
    "return": _COMMON
    | {
        "returnsAccepted": bool,
        "returnPeriod": _SPAN,
        "refundMethod": frozenset({"MERCHANDISE_CREDIT", "MONEY_BACK"}),
        "returnShippingCostPayer": frozenset({"BUYER", "SELLER"}),
        "returnInstructions": str,
    },
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "fulfillment": {
        "freightShipping": False,
        "globalShipping": False,
        "localPickup": False,
        "pickupDropOff": False,
        "shipToLocations": {"regionIncluded": [], "regionExcluded": []},
    },
    "payment": {"immediatePay": False, "paymentMethods": []},
    "return": {"refundMethod": "MONEY_BACK", "returnShippingCostPayer": "BUYER"},
}


def policy_id_name(kind: str) -> str:
    """The field that carries a policy's id."""
    return f"{kind}PolicyId"


def policy_added(
    state: EbayState, seller: Seller, kind: str, content: dict[str, Any]
) -> dict[str, Any]:
    """Store a policy under a new id, with eBay's defaults filled in."""
    policy_id = state.next_number("policy", FIRST_POLICY)
    policy = {**_DEFAULTS[kind], **content, policy_id_name(kind): policy_id}
    seller.policies.setdefault(kind, {})[policy_id] = policy
    return policy


def starter_policy(kind: str, marketplace_id: str = HOME.marketplace_id) -> dict[str, Any]:
    """What a new seller account comes with, for one marketplace."""
    common = {
        "name": f"Standard {kind}",
        "marketplaceId": marketplace_id,
        "categoryTypes": [{"name": "ALL_EXCLUDING_MOTORS_VEHICLES", "default": True}],
    }
    return common | _STARTERS[kind]


_STARTERS: dict[str, dict[str, Any]] = {
    "fulfillment": {
        "handlingTime": {"unit": "DAY", "value": 2},
        "shippingOptions": [
            {
                "costType": "FLAT_RATE",
                "optionType": "DOMESTIC",
                "shippingServices": [
                    {
                        "sortOrder": 1,
                        "shippingCarrierCode": "USPS",
                        "shippingServiceCode": "USPSGroundAdvantage",
                        "shippingCost": {"currency": "USD", "value": "5.95"},
                        "freeShipping": False,
                    }
                ],
            }
        ],
    },
    "payment": {"immediatePay": True},
    "return": {
        "returnsAccepted": True,
        "returnPeriod": {"unit": "DAY", "value": 30},
        "returnShippingCostPayer": "BUYER",
    },
}
