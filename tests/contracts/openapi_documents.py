"""eBay's own API documents, and whether requests and answers agree with them.

The documents have known defects, mended here in memory: each patch says what is wrong. What they
leave open is settled strictly: a field that a schema does not know is a violation.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import httpx
from jsonschema import Draft202012Validator

Schema = dict[str, Any]
NO_CONTENT = 204
METHODS = ("get", "put", "post", "delete")

FILES = (
    "sell_inventory_v1_oas3.json",
    "sell_fulfillment_v1_oas3.json",
    "sell_account_v1_oas3.json",
    "commerce_taxonomy_v1_oas3.json",
    "sell_metadata_v1_oas3.json",
    "commerce_media_v1_beta_oas3.json",
    "commerce_identity_v1_oas3.json",
    "developer_analytics_v1_beta_oas3.json",
)

NAMES_TO_VALUES: Schema = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}
MISTYPED = {
    # Typed string; on the wire an object from name to values.
    ("Product", "aspects"): NAMES_TO_VALUES,
    ("InventoryItemGroup", "aspects"): NAMES_TO_VALUES,
    # A bare sentence stands where a schema belongs.
    ("CustomPolicyResponse", "description"): {"type": "string"},
}
NOT_REALLY_REQUIRED = (
    # Listed as required although the field's own description says that it may be left out.
    ("Product", "title"),
    ("Product", "description"),
    ("EbayOfferDetailsWithKeys", "includeCatalogProductDetails"),
    ("EbayOfferDetailsWithId", "includeCatalogProductDetails"),
    ("InventoryItemGroup", "inventoryItemGroupKey"),
    ("InventoryLocationFull", "phone"),
    ("InventoryLocationResponse", "phone"),
    ("Address", "stateOrProvince"),
    # A row of a bulk answer that failed has no item.
    ("GetInventoryItemResponse", "inventoryItem"),
)
ERRORS: Schema = {
    # The documents give the inner error only; the wire wraps it in a list.
    "type": "object",
    "required": ["errors"],
    "additionalProperties": False,
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["errorId", "domain", "category", "message"],
                "additionalProperties": False,
                "properties": {
                    "errorId": {"type": "integer"},
                    "domain": {"type": "string"},
                    "subdomain": {"type": "string"},
                    "category": {"enum": ["REQUEST", "APPLICATION", "BUSINESS"]},
                    "message": {"type": "string"},
                    "longMessage": {"type": "string"},
                    "inputRefIds": {"type": "array", "items": {"type": "string"}},
                    "outputRefIds": {"type": "array", "items": {"type": "string"}},
                    "parameters": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["name", "value"],
                            "additionalProperties": False,
                            "properties": {
                                "name": {"type": "string"},
                                "value": {"type": "string"},
                            },
                        },
                    },
                },
            },
        },
    },
}
EVERYWHERE = {401, 403, 429, 500, 503}
"""Statuses any operation may answer with although no document lists them."""
COMMON_ERRORS = {1001, 1002, 1100, 2001, 2002, 2004}
"""Error ids of the gateway before the APIs, which the APIs' documents do not list."""
NUMERIC_QUERY = {"limit", "offset"}
"""Typed string in the documents, numbers in fact."""


class ContractViolation(AssertionError):
    """A request or an answer that the document does not allow."""


@dataclass(frozen=True)
class DocumentedOperation:
    """One operation of one document."""

    operation_id: str
    method: str
    path: str
    document: Schema = field(repr=False)
    description: Schema = field(repr=False)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What request paths look like, with or without a last slash."""
        text = re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(self.path.rstrip("/")))
        return re.compile(text + "/?")

    @property
    def scopes(self) -> frozenset[str]:
        """Scopes of which any one opens the operation."""
        return frozenset(
            scope
            for requirement in self.description.get("security", [])
            for scopes in requirement.values()
            for scope in scopes
        )

    @cached_property
    def error_ids(self) -> frozenset[int]:
        """Every error id that the API's document knows, and the gateway's own."""
        return frozenset(_error_ids(self.document)) | COMMON_ERRORS

    def parameters(self, place: str) -> Iterator[Schema]:
        """Declared parameters in the path, query or header."""
        for parameter in self.description.get("parameters", []):
            if parameter["in"] == place:
                yield parameter

    def validator(self, schema: Schema) -> Draft202012Validator:
        """Checks against a schema of this document."""
        return Draft202012Validator({**schema, "components": self.document["components"]})


class EbayDocuments:
    """All documents that StoFlow's eBay clients and the sandbox are held against."""

    def __init__(self, folder: Path) -> None:
        self.operations = [
            operation
            for name in FILES
            for operation in _operations(mended(json.loads((folder / name).read_text("utf-8"))))
        ]

    def operation(self, operation_id: str) -> DocumentedOperation:
        """The operation of that id. Raises ContractViolation when there is none."""
        for operation in self.operations:
            if operation.operation_id == operation_id:
                return operation
        raise ContractViolation(f"no document has an operation {operation_id}")

    def find(self, method: str, path: str) -> DocumentedOperation | None:
        """The operation a request is meant for; literal paths win over those with parameters."""
        found = [
            operation
            for operation in self.operations
            if operation.method == method and operation.pattern.fullmatch(path)
        ]
        return min(found, key=lambda operation: operation.path.count("{"), default=None)

    def check_request(self, operation: DocumentedOperation, request: httpx.Request) -> None:
        """Raise ContractViolation where the document does not allow `request`."""
        check_request(operation, request)

    def check_response(
        self, operation: DocumentedOperation, request: httpx.Request, response: httpx.Response
    ) -> None:
        """Raise ContractViolation where the document does not allow `response` to `request`."""
        check_response(operation, request, response)


def mended(document: Schema) -> Schema:
    """A copy without the known defects, in which unknown fields are violations."""
    document = copy.deepcopy(document)
    schemas = document["components"]["schemas"]
    for (name, prop), schema in MISTYPED.items():
        if prop in schemas.get(name, {}).get("properties", {}):
            schemas[name]["properties"][prop] = schema
    for name, prop in NOT_REALLY_REQUIRED:
        required = schemas.get(name, {}).get("required", [])
        if prop in required:
            required.remove(prop)
    for schema in schemas.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
        elif "enum" in schema:
            schema["type"] = "string"  # Typed object although all its values are words.
    return document


def check_request(operation: DocumentedOperation, request: httpx.Request) -> None:
    """Raise ContractViolation where the document does not allow `request`."""
    query = request.url.params
    for parameter in operation.parameters("query"):
        if parameter.get("required") and not query.get(parameter["name"]):
            violated(operation, f"query parameter {parameter['name']} is missing")
    known = {parameter["name"] for parameter in operation.parameters("query")}
    for name, value in query.items():
        if name not in known:
            violated(operation, f"query parameter {name} is unknown")
        if name in NUMERIC_QUERY and not value.isdecimal():
            violated(operation, f"query parameter {name} is not a number")
    for parameter in operation.parameters("header"):
        if parameter.get("required") and not request.headers.get(parameter["name"]):
            violated(operation, f"header {parameter['name']} is missing")
    _check_request_body(operation, request)


def _check_request_body(operation: DocumentedOperation, request: httpx.Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind == "multipart/form-data":
        return  # create_image_from_file: the document describes the body in words only.
    body = operation.description.get("requestBody")
    content = request.read()
    if body is None:
        if content:
            violated(operation, "a body was sent where none is declared")
        return
    if not content:
        if body.get("required"):
            violated(operation, "the body is missing")
        return
    schema = body["content"].get(kind, {}).get("schema")
    if schema is None:
        violated(operation, f"content type {kind or '(none)'} is not declared")
    _check(operation, schema, content, "request")


def check_response(
    operation: DocumentedOperation, request: httpx.Request, response: httpx.Response
) -> None:
    """Raise ContractViolation where the document does not allow `response` to `request`."""
    status, content = response.status_code, response.read()
    if status >= 400:
        if str(status) not in operation.description["responses"] and status not in EVERYWHERE:
            violated(operation, f"status {status} is not declared")
        _check(operation, ERRORS, content, f"answer {status}")
        _check_error_ids(operation, response.json()["errors"])
    else:
        _check_success(operation, response)


def _check_success(operation: DocumentedOperation, response: httpx.Response) -> None:
    status, content = response.status_code, response.content
    declared = operation.description["responses"].get(str(status))
    if declared is None:
        violated(operation, f"status {status} is not declared")
    for name in declared.get("headers", {}):
        if name not in response.headers:
            violated(operation, f"answer {status} lacks the header {name}")
    schema = declared.get("content", {}).get("application/json", {}).get("schema")
    if schema is None or status == NO_CONTENT:
        if content:
            violated(operation, f"answer {status} has a body where none is declared")
        return
    _check(operation, schema, content, f"answer {status}")
    for row in response.json().get("responses", []):
        _check_error_ids(operation, row.get("errors", []))


def _check_error_ids(operation: DocumentedOperation, errors: list[Schema]) -> None:
    for error in errors:
        if error["errorId"] not in operation.error_ids:
            violated(operation, f"error {error['errorId']} is not one of this API's")


def _check(operation: DocumentedOperation, schema: Schema, content: bytes, what: str) -> None:
    try:
        body = json.loads(content)
    except ValueError:
        violated(operation, f"{what} is not JSON")
    for error in operation.validator(schema).iter_errors(body):
        place = ".".join(str(part) for part in error.absolute_path) or "(body)"
        violated(operation, f"{what}, {place}: {error.message[:200]}")


def violated(operation: DocumentedOperation, why: str) -> NoReturn:
    """Raise the ContractViolation."""
    raise ContractViolation(f"{operation.operation_id}: {why}")


def _operations(document: Schema) -> Iterator[DocumentedOperation]:
    base = document["servers"][0]["variables"]["basePath"]["default"]
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                description = methods[method]
                yield DocumentedOperation(
                    description["operationId"], method.upper(), base + path, document, description
                )


def _error_ids(document: Schema) -> Iterator[int]:
    for methods in document["paths"].values():
        for method in METHODS:
            for response in methods.get(method, {}).get("responses", {}).values():
                for error_id in response.get("x-response-codes", {}).get("errors", {}):
                    yield int(error_id)
