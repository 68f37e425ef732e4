"""The checker that all Etsy traffic is held to must itself notice what is wrong."""

from typing import Any

import httpx
import pytest

from tests.contracts.etsy_documents import EtsyDocuments
from tests.contracts.openapi_documents import ContractViolation
from tests.contracts.recording import ContractCheckingTransport

URL = "https://api.etsy.com/v3/application"
HEADERS = {"x-api-key": "key:secret", "Authorization": "Bearer 1.token"}
DRAFT: dict[str, Any] = {
    "quantity": "1",
    "title": "Shirt",
    "description": "A shirt.",
    "price": "19.99",
    "who_made": "i_did",
    "when_made": "2020_2031",
    "taxonomy_id": "432",
    "tags": ["red", "blue"],
    "image_ids": "1,2",
    "return_policy_id": "",
}
OFFERING = {"price": 19.99, "quantity": 1, "is_enabled": True, "readiness_state_id": None}
INVENTORY: dict[str, Any] = {"products": [{"sku": "S", "offerings": [OFFERING]}]}


def draft(headers: dict[str, str] | None = None, **changes: Any) -> httpx.Request:
    """A request for a draft; None takes a field away."""
    form = {name: value for name, value in {**DRAFT, **changes}.items() if value is not None}
    return httpx.Request("POST", f"{URL}/shops/1/listings", data=form, headers=headers or HEADERS)


def test_a_good_form_passes_whatever_the_year(etsy_documents: EtsyDocuments) -> None:
    """ST26: numbers and arrays are read out of texts; the newest era is any year's."""
    etsy_documents.check_request(etsy_documents.operation("createDraftListing"), draft())


@pytest.mark.parametrize(
    "request_",
    [
        draft(titel="Misspelt"),
        draft(title=None),
        draft(quantity="three"),
        draft(who_made="nobody"),
        draft(when_made="yesterday"),
        draft(taxonomy_id="0"),
        draft(image_ids="1,x"),
        draft({"Authorization": "Bearer 1.token", "x-api-key": "key"}),
        draft({"x-api-key": "key:secret"}),
        httpx.Request("POST", f"{URL}/shops/1/listings", json=DRAFT, headers=HEADERS),
        httpx.Request("POST", f"{URL}/shops/1/listings?dry=1", data=DRAFT, headers=HEADERS),
    ],
    ids=[
        "unknown field", "missing field", "number", "word", "era", "minimum", "array", "key",
        "token", "json", "unknown query",
    ],
)  # fmt: skip
def test_a_wrong_form_is_noticed(etsy_documents: EtsyDocuments, request_: httpx.Request) -> None:
    """ST26: whatever the document does not allow is a violation."""
    with pytest.raises(ContractViolation):
        etsy_documents.check_request(etsy_documents.operation("createDraftListing"), request_)


def test_json_is_checked_to_its_depth(etsy_documents: EtsyDocuments) -> None:
    """ST26: an inventory as it is read is not one that can be written."""
    operation = etsy_documents.operation("updateListingInventory")

    def put(body: Any) -> httpx.Request:
        return httpx.Request("PUT", f"{URL}/listings/1/inventory", json=body, headers=HEADERS)

    etsy_documents.check_request(operation, put(INVENTORY))
    for offering in ({**OFFERING, "price": "19.99"}, {"price": 19.99}):
        body = {"products": [{"sku": "S", "offerings": [offering]}]}
        with pytest.raises(ContractViolation):
            etsy_documents.check_request(operation, put(body))
    with pytest.raises(ContractViolation):
        etsy_documents.check_request(operation, put({**INVENTORY, "product": []}))


def test_files_are_checked_by_their_fields(etsy_documents: EtsyDocuments) -> None:
    """ST26: a rank is a number also in a multipart body."""
    operation = etsy_documents.operation("uploadListingImage")
    url = f"{URL}/shops/1/listings/1/images"
    files = {"image": ("a.jpg", b"\xff\xd8", "image/jpeg")}
    for form, good in (({"rank": "1"}, True), ({"rank": "x"}, False), ({"order": "1"}, False)):
        request = httpx.Request("POST", url, files=files, data=form, headers=HEADERS)
        request.read()
        if good:
            etsy_documents.check_request(operation, request)
        else:
            with pytest.raises(ContractViolation):
                etsy_documents.check_request(operation, request)


@pytest.mark.parametrize(
    ("operation_id", "response"),
    [
        ("getMe", httpx.Response(200, json={"user_id": "1", "shop_id": 2})),
        ("getMe", httpx.Response(200, json={"user_id": 1, "shop": 2})),
        ("getMe", httpx.Response(202, json={"user_id": 1, "shop_id": 2})),
        ("getMe", httpx.Response(400, json={"errors": []})),
        ("getMe", httpx.Response(418, json={"error": "tea"})),
        ("getMe", httpx.Response(200, text="<html>")),
        ("deleteListing", httpx.Response(204, json={})),
    ],
)
def test_a_wrong_answer_is_noticed(
    etsy_documents: EtsyDocuments, operation_id: str, response: httpx.Response
) -> None:
    """ST26: shape, type, status, body where none belongs."""
    operation = etsy_documents.operation(operation_id)
    with pytest.raises(ContractViolation):
        etsy_documents.check_response(operation, draft(), response)


def test_a_field_left_out_of_an_answer_is_noticed(etsy_documents: EtsyDocuments) -> None:
    """ST26: the document requires none, Etsy sends all."""
    operation = etsy_documents.operation("getMe")
    whole = httpx.Response(200, json={"user_id": 1, "shop_id": 2})
    etsy_documents.check_nothing_left_out(operation, whole)
    with pytest.raises(ContractViolation):
        etsy_documents.check_nothing_left_out(operation, httpx.Response(200, json={"user_id": 1}))


def test_the_transport_holds_etsy_traffic_to_its_document(etsy_documents: EtsyDocuments) -> None:
    """ST26: the same transport as eBay's, with other documents."""
    inner = httpx.MockTransport(lambda request: httpx.Response(200, json={"user_id": 1}))
    transport = ContractCheckingTransport(inner, etsy_documents)
    with httpx.Client(transport=transport, base_url=URL, headers=HEADERS) as http:
        http.get("/users/me")
        http.post("/elsewhere")
        with pytest.raises(ContractViolation):
            http.get("/shops/1/listings?state=edit")
    assert transport.operations == {"getMe": 1, "getListingsByShop": 1}
    assert sum(transport.unchecked.values()) == 1
    with pytest.raises(AssertionError):
        transport.assert_clean()
