"""The error table of each channel knows every refusal that it may meet."""

import ast
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sandbox.ebay
import sandbox.etsy
import services.gateways.ebay
import services.gateways.etsy
import services.gateways.vinted
from shared.errors import Remedy
from tests.paths import contracts_or_skip

OURS = {
    "sell_inventory_v1_oas3.json": {
        "createOffer",
        "createOrReplaceInventoryItem",
        "createOrReplaceInventoryItemGroup",
        "getInventoryItem",
        "getInventoryItemGroup",
        "getInventoryLocation",
        "getOffer",
        "getOffers",
        "publishOffer",
        "publishOfferByInventoryItemGroup",
        "updateOffer",
        "withdrawOffer",
        "withdrawOfferByInventoryItemGroup",
    },
    "sell_fulfillment_v1_oas3.json": {"createShippingFulfillment", "getOrder", "getOrders"},
    "commerce_taxonomy_v1_oas3.json": {
        "getCategorySuggestions",
        "getDefaultCategoryTreeId",
        "getItemAspectsForCategory",
    },
    "sell_metadata_v1_oas3.json": {"getItemConditionPolicies"},
}
"""Documents, and the operations of theirs that are called."""


def table_of(gateway: Any) -> list[dict[str, str]]:
    """A channel's error table."""
    file = Path(gateway.__file__).parent / "error_table.csv"
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


def said_by(place: Any, function: str) -> Iterator[int]:
    """The number that a sandbox hands first to a function, wherever it calls it."""
    for file in Path(place.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == function:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, int):
                    yield first.value


def test_whatever_the_sandbox_ebay_refuses_is_in_the_table() -> None:
    """C8: each id with a remedy and a sentence."""
    known = {int(row["error_id"]) for row in table_of(services.gateways.ebay)}
    refused = set(said_by(sandbox.ebay, "error"))
    assert len(refused) > 50
    assert refused - known == set()


def test_whatever_the_sandbox_etsy_refuses_is_in_the_table() -> None:
    """C8: each status with a row that needs no words."""
    known = {
        int(row["http_status"]) for row in table_of(services.gateways.etsy) if not row["words"]
    }
    refused = set(said_by(sandbox.etsy, "EtsyError"))
    assert {400, 401, 403, 404, 409, 429} <= refused
    assert refused - known == set()


def test_whatever_ebay_documents_of_our_calls_is_in_the_table() -> None:
    """C8: the errors that eBay's own documents list of each operation."""
    folder = contracts_or_skip() / "ebay"
    known = {int(row["error_id"]) for row in table_of(services.gateways.ebay)}
    for name, operations in OURS.items():
        document = json.loads((folder / name).read_text("utf-8"))
        seen = set()
        for methods in document["paths"].values():
            for called in methods.values():
                if isinstance(called, dict) and called.get("operationId") in operations:
                    seen.add(called["operationId"])
                    assert documented(called) - known == set(), called["operationId"]
        assert seen == operations


def documented(operation: dict[str, Any]) -> set[int]:
    """The error ids that a document gives an operation."""
    return {
        int(error_id)
        for answer in operation["responses"].values()
        for error_id in answer.get("x-response-codes", {}).get("errors", {})
    }


def test_whatever_etsy_documents_is_in_the_table() -> None:
    """C8: every status of every operation that is no success."""
    (file,) = (contracts_or_skip() / "etsy").glob("*2026-06.json")
    document = json.loads(file.read_text("utf-8"))
    statuses = {
        int(status)
        for methods in document["paths"].values()
        for called in methods.values()
        if isinstance(called, dict)
        for status in called.get("responses", {})
        if int(status) >= 400
    }
    known = {
        int(row["http_status"]) for row in table_of(services.gateways.etsy) if not row["words"]
    }
    assert statuses - known == set()


def test_every_row_tells_what_to_do() -> None:
    """C8: one of four classes, a whole sentence, and the field to change where one can."""
    for gateway in (services.gateways.ebay, services.gateways.etsy, services.gateways.vinted):
        for row in table_of(gateway):
            remedy = Remedy(row["remedy"])
            assert row["sentence"].endswith("."), row
            assert row["field"] or remedy in {Remedy.WAIT, Remedy.RECONNECT}, row
