"""Etsy's own API document, and whether requests and answers agree with it.

Known defects are mended in memory: each patch says what is wrong. What the document leaves open is
settled strictly: a field that a schema does not know is a violation.
"""

import copy
import json
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
from jsonschema import Draft202012Validator

from tests.contracts.openapi_documents import (
    ContractViolation,
    DocumentedOperation,
    Schema,
    violated,
)

DOCUMENT = "etsy_open_api_v3_oas_2026-06.json"
METHODS = ("get", "put", "post", "patch", "delete")
EVERYWHERE = {401, 403, 409, 429, 500, 503}
"""Statuses that any operation may answer with although the document does not list them."""
WHEN_MADE = {"type": "string", "pattern": r"^(made_to_order|\d{4}s|\d{4}_\d{4}|before_\d{4})$"}
"""The document lists one year's words; the newest moves on every new year."""
ON_REQUEST = {
    "shipping_profile", "user", "shop", "images", "videos", "inventory", "translations",
    "personalization", "buyer_price", "listing", "converted_price", "suggested_title",
}  # fmt: skip
"""Fields that an answer has only where the caller asked for them."""
ERRORS: Schema = {
    # The document knows `error` alone; refused tokens carry a description as well.
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}
SCOPES: Schema = {
    # An object without a single property, says the document.
    "type": "object",
    "required": ["scopes"],
    "additionalProperties": False,
    "properties": {"scopes": {"type": "array", "items": {"type": "string"}}},
}


class EtsyDocuments:
    """The document that StoFlow's Etsy clients and the sandbox are held against."""

    def __init__(self, folder: Path) -> None:
        document = mended(json.loads((folder / DOCUMENT).read_text("utf-8")))
        self.schemas: dict[str, Schema] = document["components"]["schemas"]
        self.operations = list(_operations(document))

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
        if ":" not in request.headers.get("x-api-key", ""):
            violated(operation, "header x-api-key is not keystring:shared_secret")
        needs_token = any("oauth2" in one for one in operation.description.get("security", []))
        if needs_token and not request.headers.get("authorization", "").startswith("Bearer "):
            violated(operation, "no bearer token where one is needed")
        declared = list(operation.parameters("query"))
        schema = {
            "properties": {one["name"]: one["schema"] for one in declared},
            "required": [one["name"] for one in declared if one.get("required")],
        }
        sent = parse_qs(request.url.query.decode(), keep_blank_values=True)
        _check_fields(operation, schema, sent, "query")
        _check_body(operation, request)

    def check_response(
        self, operation: DocumentedOperation, request: httpx.Request, response: httpx.Response
    ) -> None:
        """Raise ContractViolation where the document does not allow `response` to `request`."""
        status, content = response.status_code, response.read()
        declared = operation.description["responses"].get(str(status))
        if declared is None and status not in EVERYWHERE:
            violated(operation, f"status {status} is not declared")
        if status >= 400:
            _check(operation, ERRORS, _parsed(operation, content), f"answer {status}")
            return
        schema = declared.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            if content:
                violated(operation, f"answer {status} has a body where none is declared")
            return
        _check(operation, schema, _parsed(operation, content), f"answer {status}")

    def check_nothing_left_out(
        self, operation: DocumentedOperation, response: httpx.Response
    ) -> None:
        """Raise ContractViolation where a successful answer lacks a documented field.

        Etsy's document requires none, but its answers have them all. Only what a caller must ask
        for (`ON_REQUEST`) may be missing.
        """
        declared = operation.description["responses"][str(response.status_code)]
        schema = declared.get("content", {}).get("application/json", {}).get("schema")
        if schema is not None:
            self._complete(operation, schema, response.json(), "")

    def _complete(
        self, operation: DocumentedOperation, schema: Schema, value: Any, place: str
    ) -> None:
        reference = schema.get("$ref") or schema.get("oneOf", [{}])[0].get("$ref")
        if reference:
            schema = self.schemas[reference.rsplit("/", 1)[1]]
        if isinstance(value, list):
            for row in value:
                self._complete(operation, schema.get("items", {}), row, place)
        if isinstance(value, dict):
            known = schema.get("properties", {})
            missing = set(known) - set(value) - ON_REQUEST
            if missing:
                violated(operation, f"the answer lacks {place}{sorted(missing)}")
            for name, inside in value.items():
                self._complete(operation, known[name], inside, f"{place}{name}.")


def mended(document: Schema) -> Schema:
    """A copy without the known defects, in which unknown fields are violations."""
    document = copy.deepcopy(document)
    document["components"]["schemas"]["Scopes"] = SCOPES
    _mend(document)
    for schema in document["components"]["schemas"].values():
        if schema.get("properties"):
            schema["additionalProperties"] = False
    return document


def _mend(part: Any) -> None:
    """Walk through the document and say OAS 3.0's `nullable` in JSON Schema's words."""
    if isinstance(part, list):
        for inside in part:
            _mend(inside)
    if not isinstance(part, dict):
        return
    for name, inside in part.items():
        if name == "when_made" and "enum" in inside:
            part[name] = {**WHEN_MADE, "nullable": inside.get("nullable", False)}
        _mend(part[name])
    if part.pop("nullable", False) is True:
        _allow_null(part)


def _allow_null(schema: Schema) -> None:
    if "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    if "oneOf" in schema:
        schema["oneOf"] = [*schema["oneOf"], {"type": "null"}]


def _check_body(operation: DocumentedOperation, request: httpx.Request) -> None:
    content, body = request.read(), operation.description.get("requestBody")
    if body is None:
        if content:
            violated(operation, "a body was sent where none is declared")
        return
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind not in body["content"]:
        violated(operation, f"content type {kind or '(none)'} is not declared")
    schema = body["content"][kind]["schema"]
    if kind == "application/json":
        strict = {**schema, "additionalProperties": False}
        _check(operation, strict, _parsed(operation, content), "request")
    elif kind == "multipart/form-data":
        _check_fields(operation, schema, _parts(request), "request")
    else:
        sent = parse_qs(content.decode(), keep_blank_values=True, strict_parsing=bool(content))
        _check_fields(operation, schema, sent, "request")


def _parts(request: httpx.Request) -> dict[str, list[str]]:
    """Fields of a multipart body; of a file, its name."""
    head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    found: dict[str, list[str]] = {}
    for part in BytesParser().parsebytes(head + request.content).get_payload():
        assert isinstance(part, Message)
        name = part.get_param("name", header="content-disposition")
        value = part.get_filename() or bytes(part.get_payload(decode=True) or b"").decode()
        found.setdefault(str(name), []).append(value)
    return found


def _check_fields(
    operation: DocumentedOperation, schema: Schema, sent: dict[str, list[str]], what: str
) -> None:
    """Check texts as what they stand for: numbers, truth values, arrays by repetition."""
    known = schema.get("properties", {})
    for name in schema.get("required") or []:
        if name not in sent:
            violated(operation, f"{what}: {name} is missing")
    for name, texts in sent.items():
        if name not in known:
            violated(operation, f"{what}: {name} is unknown")
        _check(operation, known[name], _value(known[name], texts), f"{what}: {name}")


def _value(schema: Schema, texts: list[str]) -> Any:
    kinds = schema.get("type", "string")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "array":
        parts = [part for text in texts for part in text.split(",")]
        return [_plain(schema["items"].get("type", "string"), part) for part in parts]
    if texts[-1] == "" and isinstance(kinds, list):
        return None
    return _plain(kind, texts[-1])


def _plain(kind: str, text: str) -> Any:
    """`text` as JSON has it, or itself when it is none of that kind."""
    try:
        return json.loads(text) if kind in ("integer", "number", "boolean") else text
    except ValueError:
        return text


def _parsed(operation: DocumentedOperation, content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        violated(operation, "the body is not JSON")


def _check(operation: DocumentedOperation, schema: Schema, value: Any, what: str) -> None:
    validator: Draft202012Validator = operation.validator(schema)
    for error in validator.iter_errors(value):
        place = ".".join(str(part) for part in error.absolute_path) or "(body)"
        violated(operation, f"{what}, {place}: {_reason(error)[:300]}")


def _reason(error: Any) -> str:
    """The innermost reason: `oneOf` itself says only that nothing fits."""
    while error.context:
        error = max(error.context, key=lambda inside: len(inside.absolute_path))
    place = ".".join(str(part) for part in error.absolute_path)
    return f"{place}: {error.message}"


def _operations(document: Schema) -> Iterator[DocumentedOperation]:
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                description = methods[method]
                yield DocumentedOperation(
                    description["operationId"], method.upper(), path, document, description
                )
