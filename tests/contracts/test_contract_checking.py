"""The checker that all eBay traffic is held to must itself notice what is wrong."""

from typing import Any

import httpx
import pytest

from tests.contracts.ebay_shop import INVENTORY, item
from tests.contracts.openapi_documents import (
    ContractViolation,
    EbayDocuments,
    check_request,
    check_response,
)
from tests.contracts.recording import ContractCheckingTransport

HEADERS = {"Content-Language": "en-US"}
URL = f"https://api.ebay.com{INVENTORY}"


def put_item(body: Any, headers: dict[str, str] | None = None) -> httpx.Request:
    """A PUT of an inventory item."""
    return httpx.Request("PUT", f"{URL}/inventory_item/S", json=body, headers=headers or HEADERS)


def changed_item(**product: Any) -> dict[str, Any]:
    """A good item with a changed product."""
    body = item()
    body["product"] |= product
    return body


def test_a_good_request_passes(documents: EbayDocuments) -> None:
    """ST26: aspects as an object are accepted although the document says text."""
    check_request(documents.operation("createOrReplaceInventoryItem"), put_item(item()))


@pytest.mark.parametrize(
    "request_",
    [
        put_item(changed_item(titel="Misspelt")),
        put_item(changed_item(aspects={"Brand": "Acme"})),
        put_item({**item(), "condition": "MINT"}),
        put_item(item(), {"Accept-Language": "en-US"}),
        httpx.Request("PUT", f"{URL}/inventory_item/S", headers=HEADERS),
        httpx.Request("PUT", f"{URL}/inventory_item/S?dry=1", json=item(), headers=HEADERS),
    ],
    ids=["unknown field", "type", "enum", "header", "no body", "unknown query"],
)
def test_a_wrong_request_is_noticed(documents: EbayDocuments, request_: httpx.Request) -> None:
    """ST26: whatever the document does not allow is a violation."""
    with pytest.raises(ContractViolation):
        check_request(documents.operation("createOrReplaceInventoryItem"), request_)


def test_a_body_where_none_belongs_is_noticed(documents: EbayDocuments) -> None:
    """ST26: publishing takes no body."""
    request = httpx.Request("POST", f"{URL}/offer/1/publish", json={})
    with pytest.raises(ContractViolation):
        check_request(documents.operation("publishOffer"), request)


def test_page_numbers_must_be_numbers(documents: EbayDocuments) -> None:
    """ST26: the documents type them as text; they are cast before they are checked."""
    operation = documents.operation("getInventoryItems")
    check_request(operation, httpx.Request("GET", f"{URL}/inventory_item?limit=5"))
    with pytest.raises(ContractViolation):
        check_request(operation, httpx.Request("GET", f"{URL}/inventory_item?limit=five"))


@pytest.mark.parametrize(
    ("operation_id", "response"),
    [
        ("publishOffer", httpx.Response(200, json={"listing": "1"})),
        ("publishOffer", httpx.Response(200, json={"listingId": 1})),
        ("publishOffer", httpx.Response(202, json={"listingId": "1"})),
        ("publishOffer", httpx.Response(400, json={"errorId": 25002})),
        ("publishOffer", httpx.Response(418, json={"errors": []})),
        ("publishOffer", httpx.Response(200, text="<html>")),
        ("deleteOffer", httpx.Response(204, json={})),
        ("createImageFromUrl", httpx.Response(201, json={})),
    ],
)
def test_a_wrong_answer_is_noticed(
    documents: EbayDocuments, operation_id: str, response: httpx.Response
) -> None:
    """ST26: shape, status, header, body where none belongs."""
    with pytest.raises(ContractViolation):
        check_response(documents.operation(operation_id), put_item({}), response)


def test_an_error_id_the_api_does_not_have_is_noticed(documents: EbayDocuments) -> None:
    """ST59: a made-up id would teach clients to branch on nothing."""
    error = {"errorId": 31337, "domain": "X", "category": "REQUEST", "message": "no"}
    answer = httpx.Response(400, json={"errors": [error]})
    with pytest.raises(ContractViolation):
        check_response(documents.operation("publishOffer"), put_item({}), answer)


def test_the_transport_keeps_what_a_client_swallows(documents: EbayDocuments) -> None:
    """ST26: a violation is raised, and is still there for a client that catches everything."""
    inner = httpx.MockTransport(lambda request: httpx.Response(200, json={"listing": "1"}))
    transport = ContractCheckingTransport(inner, documents)
    with httpx.Client(transport=transport, base_url=URL) as http:
        with pytest.raises(ContractViolation):
            http.post("/offer/1/publish")
        assert http.post("/elsewhere").status_code == 200
    assert transport.operations == {"publishOffer": 1}
    assert sum(transport.unchecked.values()) == 1
    with pytest.raises(AssertionError):
        transport.assert_clean()


def test_a_transport_that_saw_nothing_is_not_clean(documents: EbayDocuments) -> None:
    """ST26: a test that recorded no traffic proves nothing."""
    inner = httpx.MockTransport(lambda request: httpx.Response(200))
    with pytest.raises(AssertionError):
        ContractCheckingTransport(inner, documents).assert_clean()
