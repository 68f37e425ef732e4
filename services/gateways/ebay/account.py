"""Business policies of a seller and the programme that switches them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.gateways.ebay.errors import EbayRefusal
from services.gateways.ebay.reading import optional_text, rows, text
from services.gateways.ebay.transport import EbayRequest, EbayTransport

BASE = "/sell/account/v1"
POLICY_PROGRAM = "SELLING_POLICY_MANAGEMENT"

_ALREADY_THERE = 25803
_VEHICLES = "MOTORS_VEHICLES"


class PolicyKind(StrEnum):
    """The three policies that every listing names."""

    FULFILLMENT = "fulfillment"
    PAYMENT = "payment"
    RETURN = "return"


_OPERATIONS = {
    PolicyKind.FULFILLMENT: "getFulfillmentPolicies",
    PolicyKind.PAYMENT: "getPaymentPolicies",
    PolicyKind.RETURN: "getReturnPolicies",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """One business policy."""

    id: str
    name: str
    is_default: bool


class EbayAccountClient:
    """`/sell/account/v1`."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    def policies(self, kind: PolicyKind) -> Sequence[Policy]:
        """The seller's policies of one kind that are meant for anything but vehicles."""
        answer = self._transport.send(
            EbayRequest(
                _OPERATIONS[kind],
                "GET",
                f"{BASE}/{kind}_policy",
                params={"marketplace_id": self._transport.marketplace.id},
            )
        )
        found = rows(answer.body, f"{kind}Policies")
        return [_policy(row, kind) for row in found if _is_for_goods(row)]

    def uses_policies(self) -> bool:
        """Whether the account takes part in business policies."""
        path = f"{BASE}/program/get_opted_in_programs"
        answer = self._transport.send(EbayRequest("getOptedInPrograms", "GET", path))
        programs = [optional_text(row, "programType") for row in rows(answer.body, "programs")]
        return POLICY_PROGRAM in programs

    def opt_in_to_policies(self) -> bool:
        """Switch business policies on; False when they were. eBay may take up to 24 hours."""
        body = {"programType": POLICY_PROGRAM}
        try:
            self._transport.send(
                EbayRequest("optInToProgram", "POST", f"{BASE}/program/opt_in", body=body)
            )
        except EbayRefusal as refused:
            if refused.http_status == 409 or refused.mentions(_ALREADY_THERE):
                return False
            raise
        return True


def _is_for_goods(row: Mapping[str, Any]) -> bool:
    kinds = [optional_text(category, "name") for category in rows(row, "categoryTypes")]
    return not kinds or any(kind != _VEHICLES for kind in kinds)


def _policy(row: Mapping[str, Any], kind: PolicyKind) -> Policy:
    return Policy(
        id=text(row, f"{kind}PolicyId"),
        name=optional_text(row, "name") or "",
        is_default=any(category.get("default") is True for category in rows(row, "categoryTypes")),
    )
