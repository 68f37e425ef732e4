"""Return policies, processing profiles and sections of a shop."""

from typing import Any

from sandbox.answers import Answer
from sandbox.etsy.errors import EtsyError, bad_request, not_found
from sandbox.etsy.fields import LIMIT, OFFSET, boolean, integer, text, word
from sandbox.etsy.operations import BASE, Call, Operation, listed, page
from sandbox.etsy.shops import add_readiness_state, add_return_policy
from sandbox.etsy.state import EtsyState, Shop

DEADLINES = (7, 14, 21, 30, 45, 60, 90)
WORKING_DAYS_A_WEEK = 5
FIRST_SECTION = 48_000_001
MAX_SECTION_TITLE = 24


def _policies(call: Call) -> Answer:
    return listed(list(call.shop.return_policies.values()))


def _policy(call: Call) -> Answer:
    policy = call.shop.return_policies.get(call.path["return_policy_id"])
    if policy is None:
        raise not_found("Return policy")
    return Answer(200, policy)


def _create_policy(call: Call) -> Answer:
    shop, form = call.own_shop, call.form
    returns, exchanges = form["accepts_returns"], form["accepts_exchanges"]
    deadline = form.get("return_deadline")
    if (returns or exchanges) and deadline is None:
        raise bad_request("return_deadline is required where returns or exchanges are accepted.")
    if deadline is not None and deadline not in DEADLINES:
        raise bad_request(f"return_deadline must be one of {', '.join(map(str, DEADLINES))}.")
    made = add_return_policy(
        call.state, shop, returns=returns, exchanges=exchanges, deadline=deadline
    )
    return Answer(200, made)


def _readiness_states(call: Call) -> Answer:
    rows = list(call.own_shop.readiness_states.values())
    return listed(page(call, rows), len(rows))


def _readiness_state(call: Call) -> Answer:
    wanted = call.path["readiness_state_definition_id"]
    found = call.own_shop.readiness_states.get(wanted)
    if found is None:
        raise not_found("Readiness state definition")
    return Answer(200, found)


def _create_readiness_state(call: Call) -> Answer:
    shop, form = call.own_shop, call.form
    factor = WORKING_DAYS_A_WEEK if form.get("processing_time_unit") == "weeks" else 1
    least, most = (form[f"{end}_processing_time"] * factor for end in ("min", "max"))
    if least > most:
        raise bad_request("min_processing_time is above max_processing_time.")
    definition = (form["readiness_state"], least, most)
    for known_id, known in shop.readiness_states.items():
        days = (known["min_processing_days"], known["max_processing_days"])
        if (known["readiness_state"], *days) == definition:
            where = f"{BASE}/shops/{shop.shop_id}/readiness-state-definitions/{known_id}"
            text = "A definition with these values exists."
            raise EtsyError(409, text, headers={"Content-Location": where})
    return Answer(201, add_readiness_state(call.state, shop, definition))


def _sections(call: Call) -> Answer:
    shop = call.shop
    return listed([section_view(call.state, shop, one) for one in shop.sections.values()])


def _section(call: Call) -> Answer:
    section = call.shop.sections.get(call.path["shop_section_id"])
    if section is None:
        raise not_found("Shop section")
    return Answer(200, section_view(call.state, call.shop, section))


def _create_section(call: Call) -> Answer:
    shop, title = call.own_shop, call.form["title"].strip()
    if not 0 < len(title) <= MAX_SECTION_TITLE:
        raise bad_request(f"title must have 1 to {MAX_SECTION_TITLE} characters.")
    section_id = call.state.next_id("section", FIRST_SECTION)
    shop.sections[section_id] = {
        "shop_section_id": section_id,
        "title": title,
        "rank": len(shop.sections) + 1,
        "user_id": shop.user_id,
    }
    return Answer(200, section_view(call.state, shop, shop.sections[section_id]))


def section_view(state: EtsyState, shop: Shop, section: dict[str, Any]) -> dict[str, Any]:
    """Etsy's ShopSection."""
    section_id = section["shop_section_id"]
    active = state.active_listings(shop.shop_id)
    inside = [one for one in active if one.content.get("shop_section_id") == section_id]
    return {**section, "active_listing_count": len(inside)}


_POLICIES = "/shops/{shop_id}/policies/return"
_READINESS = "/shops/{shop_id}/readiness-state-definitions"
_SECTIONS = "/shops/{shop_id}/sections"

POLICY_OPERATIONS = (
    Operation("getShopReturnPolicies", "GET", _POLICIES, None, _policies),
    Operation("getShopReturnPolicy", "GET", _POLICIES + "/{return_policy_id}", None, _policy),
    Operation(
        "createShopReturnPolicy", "POST", _POLICIES, "shops_w", _create_policy,
        form=(
            boolean("accepts_returns", required=True),
            boolean("accepts_exchanges", required=True),
            integer("return_deadline", nullable=True),
        ),
    ),
    Operation(
        "getShopReadinessStateDefinitions", "GET", _READINESS, "shops_r", _readiness_states,
        query=(LIMIT, OFFSET),
    ),
    Operation(
        "getShopReadinessStateDefinition", "GET", _READINESS + "/{readiness_state_definition_id}",
        "shops_r", _readiness_state,
    ),
    Operation(
        "createShopReadinessStateDefinition", "POST", _READINESS, "shops_w",
        _create_readiness_state,
        form=(
            word("readiness_state", ("ready_to_ship", "made_to_order"), required=True),
            integer("min_processing_time", required=True, least=1, most=10),
            integer("max_processing_time", required=True, least=1, most=10),
            word("processing_time_unit", ("days", "weeks")),
        ),
    ),
    Operation("getShopSections", "GET", _SECTIONS, None, _sections),
    Operation("getShopSection", "GET", _SECTIONS + "/{shop_section_id}", None, _section),
    Operation(
        "createShopSection", "POST", _SECTIONS, "shops_w", _create_section,
        form=(text("title", required=True),),
    ),
)  # fmt: skip
