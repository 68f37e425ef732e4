"""Every operation of the sandbox eBay, once well and once refused, against eBay's documents."""

import pytest

from sandbox.ebay import values
from sandbox.ebay.app import OPERATIONS
from sandbox.ebay.operations import Operation
from tests.contracts.documented_calls import WELL_AND_REFUSED
from tests.contracts.ebay_shop import Sandbox
from tests.contracts.openapi_documents import EbayDocuments, check_request, check_response


def test_no_operation_of_the_sandbox_escapes_these_tests() -> None:
    """ST26: what the sandbox answers and what is checked here are the same list."""
    assert sorted(WELL_AND_REFUSED) == sorted(one.operation_id for one in OPERATIONS)


@pytest.mark.parametrize("operation_id", sorted(WELL_AND_REFUSED))
def test_a_good_request_and_its_answer_agree_with_the_document(
    sandbox: Sandbox, documents: EbayDocuments, operation_id: str
) -> None:
    """ST26: the call is a documented one and its answer has the documented shape."""
    operation = documents.operation(operation_id)
    response = WELL_AND_REFUSED[operation_id][0](sandbox.shop())
    assert response.status_code < 300, response.text
    assert documents.find(response.request.method, response.request.url.path) is operation
    check_request(operation, response.request)
    check_response(operation, response.request, response)


@pytest.mark.parametrize("operation_id", sorted(WELL_AND_REFUSED))
def test_a_refusal_has_the_documented_shape_and_error_ids(
    sandbox: Sandbox, documents: EbayDocuments, operation_id: str
) -> None:
    """ST59: refusals come as a list of numbered errors that the document knows."""
    operation = documents.operation(operation_id)
    response = WELL_AND_REFUSED[operation_id][1](sandbox.shop())
    assert 400 <= response.status_code < 500, response.text
    assert documents.find(response.request.method, response.request.url.path) is operation
    check_response(operation, response.request, response)


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.operation_id)
def test_address_and_scopes_are_the_documents(documents: EbayDocuments, one: Operation) -> None:
    """ST21: an operation opens with exactly the scopes that eBay's document names."""
    documented = documents.operation(one.operation_id)
    assert (one.method, one.full_path) == (documented.method, documented.path)
    assert one.scopes == documented.scopes


@pytest.mark.parametrize(
    ("operation_id", "schema", "words"),
    [
        ("createOffer", "MarketplaceEnum", values.LISTING_MARKETPLACES),
        ("createOffer", "ConditionEnum", values.CONDITION_WORDS),
        ("createOffer", "LocaleEnum", values.LOCALES),
        ("createOffer", "FormatTypeEnum", values.FORMATS),
        ("getReturnPolicies", "MarketplaceIdEnum", values.ACCOUNT_MARKETPLACES),
    ],
)
def test_words_are_the_documents(
    documents: EbayDocuments, operation_id: str, schema: str, words: frozenset[str]
) -> None:
    """C9: the sandbox takes exactly the words that eBay lists."""
    schemas = documents.operation(operation_id).document["components"]["schemas"]
    assert words == set(schemas[schema]["enum"])
