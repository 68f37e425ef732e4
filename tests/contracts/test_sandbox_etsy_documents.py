"""Every operation of the sandbox Etsy, once well and once refused, against Etsy's document."""

from typing import Any

import pytest

from sandbox.etsy.app import OPERATIONS
from sandbox.etsy.fields import Field
from sandbox.etsy.operations import Operation
from tests.contracts.etsy_calls import WELL_AND_REFUSED
from tests.contracts.etsy_documents import EtsyDocuments
from tests.contracts.etsy_shop import EtsySite

YEARLY = {"when_made"}
"""Whose words depend on the year, so that the document's list is one year's."""


def test_no_operation_of_the_sandbox_escapes_these_tests() -> None:
    """ST26: what the sandbox answers and what is checked here are the same list."""
    assert sorted(WELL_AND_REFUSED) == sorted(one.operation_id for one in OPERATIONS)


@pytest.mark.parametrize("operation_id", sorted(WELL_AND_REFUSED))
def test_a_good_request_and_its_answer_agree_with_the_document(
    etsy_sandbox: EtsySite, etsy_documents: EtsyDocuments, operation_id: str
) -> None:
    """ST26: the call is a documented one and its answer has the documented shape."""
    operation = etsy_documents.operation(operation_id)
    response = WELL_AND_REFUSED[operation_id][0](etsy_sandbox.shop())
    assert response.status_code < 300, response.text
    assert etsy_documents.find(response.request.method, response.request.url.path) is operation
    etsy_documents.check_request(operation, response.request)
    etsy_documents.check_response(operation, response.request, response)
    etsy_documents.check_nothing_left_out(operation, response)


@pytest.mark.parametrize("operation_id", sorted(WELL_AND_REFUSED))
def test_a_refusal_has_the_documented_shape(
    etsy_sandbox: EtsySite, etsy_documents: EtsyDocuments, operation_id: str
) -> None:
    """ST59: one text that says why, and for tokens a second."""
    operation = etsy_documents.operation(operation_id)
    response = WELL_AND_REFUSED[operation_id][1](etsy_sandbox.shop())
    assert 400 <= response.status_code < 500, response.text
    assert etsy_documents.find(response.request.method, response.request.url.path) is operation
    etsy_documents.check_response(operation, response.request, response)


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.operation_id)
def test_address_and_scope_are_the_documents(etsy_documents: EtsyDocuments, one: Operation) -> None:
    """ST21: an operation opens with exactly the scope that Etsy's document names."""
    documented = etsy_documents.operation(one.operation_id)
    assert (one.method, one.full_path) == (documented.method, documented.path)
    assert ({one.scope} if one.scope else set()) == documented.scopes


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.operation_id)
def test_queries_and_forms_are_the_documents(etsy_documents: EtsyDocuments, one: Operation) -> None:
    """ST26: the same names, the same ones required, the same types, words and limits."""
    documented = etsy_documents.operation(one.operation_id)
    query = {each["name"]: each for each in documented.parameters("query")}
    required = {name for name, each in query.items() if each.get("required")}
    assert_same(one.query, {name: each["schema"] for name, each in query.items()}, required)
    form = documented.description.get("requestBody", {}).get("content", {})
    schema = form.get("application/x-www-form-urlencoded", {}).get("schema", {})
    if schema:
        assert_same(one.form or (), schema["properties"], set(schema.get("required") or []))
    assert ("application/json" in form) is one.json_body
    assert bool(schema) is (one.form is not None)


def assert_same(fields: tuple[Field, ...], schemas: dict[str, Any], required: set[str]) -> None:
    """Compare our declaration with the document's."""
    assert sorted(field.name for field in fields) == sorted(schemas)
    assert {field.name for field in fields if field.required} == required
    for field in fields:
        schema = schemas[field.name]
        kind = schema["type"][0] if isinstance(schema["type"], list) else schema["type"]
        assert field.many == (kind == "array"), field.name
        inside = schema["items"] if field.many else schema
        inner = inside["type"][0] if isinstance(inside["type"], list) else inside["type"]
        assert field.kind == inner, field.name
        if field.name not in YEARLY:
            words = [word for word in inside.get("enum", ()) if word]
            assert list(field.words) == words, field.name
