"""Account API: programs and business policies."""

from collections.abc import Iterator
from typing import Any

from sandbox.answers import Answer
from sandbox.ebay.apis import ACCOUNT, ACCOUNT_READ, ACCOUNT_WRITE
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.operations import Call, Handler, Operation
from sandbox.ebay.policies import (
    POLICY_KINDS,
    POLICY_SHAPES,
    policy_added,
    policy_id_name,
)
from sandbox.ebay.shapes import fitted
from sandbox.ebay.state import OPT_IN_DEFAULT
from sandbox.ebay.values import ACCOUNT_MARKETPLACES

PROGRAMS = frozenset({OPT_IN_DEFAULT, "OUT_OF_STOCK_CONTROL", "PARTNER_MOTORS_DEALER"})
PLURALS = {kind: f"{kind}Policies" for kind in POLICY_KINDS}


def _opt_in(call: Call) -> Answer:
    program = fitted(call.body, {"programType": str}).get("programType")
    if program is None:
        text = "Missing field programType."
        raise EbayError(400, error(20401, text, fieldName="programType"))
    if program not in PROGRAMS:
        raise EbayError(404, error(20404, "programType not found.", fieldName="programType"))
    if program in call.seller.programs:
        text = "programType already exists."
        raise EbayError(409, error(25803, text, category="BUSINESS", programType=program))
    call.seller.programs.append(program)
    return Answer(200, {})


def _programs(call: Call) -> Answer:
    return Answer(200, {"programs": [{"programType": name} for name in call.seller.programs]})


def _list(kind: str) -> Handler:
    def answer(call: Call) -> Answer:
        marketplace = call.query.get("marketplace_id")
        if not marketplace:
            text = "Missing field marketplace_id."
            raise EbayError(400, error(20401, text, fieldName="marketplace_id"))
        if marketplace not in ACCOUNT_MARKETPLACES:
            text = "Invalid marketplace_id."
            raise EbayError(400, error(20403, text, fieldName="marketplace_id"))
        _check_opted_in(call)
        rows = [
            policy
            for policy in call.seller.policies.get(kind, {}).values()
            if policy["marketplaceId"] == marketplace
        ]
        href = f"{ACCOUNT.base_path}/{kind}_policy?marketplace_id={marketplace}"
        body = {"href": href, "limit": len(rows), "offset": 0, "total": len(rows)}
        return Answer(200, {**body, PLURALS[kind]: rows})

    return answer


def _get(kind: str) -> Handler:
    def answer(call: Call) -> Answer:
        (policy_id,) = call.path.values()
        policy = call.seller.policies.get(kind, {}).get(policy_id)
        if policy is None:
            name = policy_id_name(kind)
            raise EbayError(404, error(20404, f"{name} not found.", fieldName=name))
        return Answer(200, policy)

    return answer


def _create(kind: str) -> Handler:
    def answer(call: Call) -> Answer:
        _check_opted_in(call)
        content = fitted(call.body, POLICY_SHAPES[kind])
        for name in _required(kind):
            if content.get(name) in (None, "", []):
                raise EbayError(400, error(20401, f"Missing field {name}.", fieldName=name))
        if not all(one.get("name") for one in content["categoryTypes"]):
            text = "Missing field categoryTypes.name."
            raise EbayError(400, error(20401, text, fieldName="categoryTypes.name"))
        same = call.seller.policies.get(kind, {}).values()
        keys = (content["name"], content["marketplaceId"])
        if keys in [(policy["name"], policy["marketplaceId"]) for policy in same]:
            text = "Invalid request. A policy of this name exists."
            raise EbayError(400, error(20400, text, fieldName="name"))
        policy = policy_added(call.state, call.seller, kind, content)
        policy_id = policy[policy_id_name(kind)]
        location = f"{call.base_url}{ACCOUNT.base_path}/{kind}_policy/{policy_id}"
        return Answer(201, {**policy, "warnings": []}, {"Location": location})

    return answer


def _required(kind: str) -> Iterator[str]:
    yield from ("name", "marketplaceId", "categoryTypes")
    if kind == "return":
        yield "returnsAccepted"


def _check_opted_in(call: Call) -> None:
    if OPT_IN_DEFAULT not in call.seller.programs:
        text = "Invalid seller. The seller has not opted in to business policies."
        raise EbayError(400, error(20403, text, fieldName="programType"))


def _policy_operations(kind: str) -> Iterator[Operation]:
    name = kind.capitalize()
    plain, single = f"/{kind}_policy", _SINGLE[kind]
    create: dict[str, Any] = {"handler": _create(kind), "json_body": True}
    yield Operation(f"get{name}Policies", "GET", plain, ACCOUNT, ACCOUNT_READ, _list(kind))
    yield Operation(f"create{name}Policy", "POST", _CREATED[kind], ACCOUNT, ACCOUNT_WRITE, **create)
    yield Operation(f"get{name}Policy", "GET", single, ACCOUNT, ACCOUNT_READ, _get(kind))


_SINGLE = {
    "fulfillment": "/fulfillment_policy/{fulfillmentPolicyId}",
    "payment": "/payment_policy/{payment_policy_id}",
    "return": "/return_policy/{return_policy_id}",
}
_CREATED = {
    "fulfillment": "/fulfillment_policy/",
    "payment": "/payment_policy",
    "return": "/return_policy",
}

ACCOUNT_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "optInToProgram", "POST", "/program/opt_in", ACCOUNT, ACCOUNT_WRITE, _opt_in,
        json_body=True,
    ),
    Operation(
        "getOptedInPrograms", "GET", "/program/get_opted_in_programs", ACCOUNT, ACCOUNT_READ,
        _programs,
    ),
    *(operation for kind in POLICY_KINDS for operation in _policy_operations(kind)),
)  # fmt: skip
