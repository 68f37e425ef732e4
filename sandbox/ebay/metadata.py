"""Metadata API: which conditions a category allows."""

import re
from typing import Any

from sandbox.answers import NO_CONTENT, Answer
from sandbox.ebay.apis import CONDITIONS_READ, METADATA
from sandbox.ebay.catalogue import Catalogue
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.values import SITES

MAX_FILTERED = 50
APPAREL = "Clothing, Shoes & Accessories"
_FILTER = re.compile(r"categoryIds:\{(?P<ids>[0-9]+(\|[0-9]+)*)\}")


def _policies(call: Call) -> Answer:
    marketplace = call.path["marketplace_id"]
    if marketplace not in SITES:
        raise EbayError(400, error(46001, "The marketplace ID was not found."))
    catalogue = call.sandbox.catalogue_of(marketplace)
    wanted, warnings = _wanted(call.query.get("filter"), catalogue)
    rows = [_policy(catalogue, leaf, SITES[marketplace].tree_id) for leaf in wanted]
    if not rows and not warnings:
        return NO_CONTENT
    return Answer(
        200, {"itemConditionPolicies": rows, **({"warnings": warnings} if warnings else {})}
    )


def _wanted(text: str | None, catalogue: Catalogue) -> tuple[list[str], list[dict[str, Any]]]:
    """The categories asked for, and eBay's warnings about the others."""
    if text is None:
        return list(catalogue.leaves), []
    match = _FILTER.fullmatch(text)
    if match is None:
        return [], [_warning(46002, "The filter value is invalid.")]
    asked = match["ids"].split("|")
    warnings = []
    if len(asked) > MAX_FILTERED:
        warnings.append(_warning(46004, f"Only {MAX_FILTERED} category IDs are considered."))
    known = [leaf for leaf in asked[:MAX_FILTERED] if leaf in catalogue.leaves]
    if len(known) < len(asked[:MAX_FILTERED]):
        warnings.append(_warning(46003, "A category ID was not found for the marketplace."))
    return known, warnings


def _warning(error_id: int, message: str) -> dict[str, Any]:
    return error(error_id, message, domain=METADATA.domain)


def _policy(catalogue: Catalogue, leaf: str, tree_id: str) -> dict[str, Any]:
    apparel = catalogue.leaves[leaf].startswith(APPAREL)
    return {
        "categoryTreeId": tree_id,
        "categoryId": leaf,
        "itemConditionRequired": True,
        "itemConditions": [
            {
                "conditionId": one.condition_id,
                "conditionDescription": (apparel and one.apparel_name) or one.name,
            }
            for one in catalogue.allowed_conditions(leaf)
        ],
    }


METADATA_OPERATIONS = (
    Operation(
        "getItemConditionPolicies",
        "GET",
        "/marketplace/{marketplace_id}/get_item_condition_policies",
        METADATA,
        CONDITIONS_READ,
        _policies,
    ),
)
