"""Which requests may be sent again under an `Idempotency-Key`, and which may not."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.idempotency import HEADER, Keeping
from api.policies import GuardedRoute, Policy
from api.router import ROUTERS
from backend.app import create_app
from backend.container import Container

POSTS = [
    route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, GuardedRoute) and "POST" in (route.methods or ())
]

WITH_THE_WORK = {
    "/api/v1/products",
    "/api/v1/publications",
    "/api/v1/listings/drift/mend",
    "/api/v1/jobs/{job_id}/cancel",
    "/api/v1/jobs/{job_id}/retry",
    "/api/v1/batches/{batch_id}/pause",
    "/api/v1/batches/{batch_id}/resume",
    "/api/v1/batches/{batch_id}/cancel",
    "/api/v1/batches/{batch_id}/retry-failed",
    "/api/v1/orders/sync",
    "/api/v1/orders/{order_id}/shipments",
    "/api/v1/orders/{order_id}/returns",
    "/api/v1/channels/{channel}/imports",
    "/api/v1/channels/{channel}/imports/{import_id}/rows/{row_id}/link",
    "/api/v1/channels/{channel}/imports/{import_id}/rows/{row_id}/create",
    "/api/v1/vinted/pause",
    "/api/v1/vinted/resume",
    "/api/v1/vinted/sync",
    "/api/v1/vinted/conversations/{conversation_id}/replies",
}
"""Work, key and answer are one transaction."""

BESIDE_THE_WORK = {
    "/api/v1/products/import": "finds its products again by handle",
    "/api/v1/products/{product_id}/images": "finds the photo again by its content",
    "/api/v1/listings/sync": "at most one job compares the same listings",
}
"""Several transactions: carried out again if we die in the middle, and why that does no harm."""

WITHOUT = {
    "/api/v1/auth/register": "an e-mail address is registered once",
    "/api/v1/auth/token": "tokens are not kept",
    "/api/v1/auth/refresh": "tokens are not kept",
    "/api/v1/auth/logout": "signing out twice is signing out",
    "/api/v1/publications/preflight": "it changes nothing",
    "/api/v1/channels/ebay/connect": "its answer is a secret that works once",
    "/api/v1/channels/ebay/check": "whoever checks again wants to know what is true now",
    "/api/v1/channels/ebay/callback": "the state works once",
    "/api/v1/channels/etsy/connect": "its answer is a secret that works once",
    "/api/v1/channels/etsy/check": "whoever checks again wants to know what is true now",
    "/api/v1/channels/etsy/callback": "the state works once",
    "/api/v1/vinted/pairings": "its answer is a secret that works once",
    "/api/v1/vinted/pairings/claim": "the code works once",
}
"""A new POST is entered here, in sight, or takes the key."""


def kept(keeping: Keeping | None) -> set[str]:
    return {route.path for route in POSTS if route.keeping is keeping}


def test_every_post_takes_the_key_or_says_why_not() -> None:
    """B3: one that creates work or things is safe to repeat."""
    assert kept(Keeping.WITH_THE_WORK) == WITH_THE_WORK
    assert kept(Keeping.BESIDE_THE_WORK) == set(BESIDE_THE_WORK)
    assert kept(None) == set(WITHOUT)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_documentation_tells_where_the_key_counts(container: Container) -> None:
    """ST51: and what it may be refused for."""
    document = create_app(container).openapi()
    for method, path, operation in operations(document):
        names = [each["name"] for each in operation.get("parameters", [])]
        takes = method == "post" and path in WITH_THE_WORK | set(BESIDE_THE_WORK)
        assert names.count(HEADER) == int(takes), (method, path)
        if takes:
            examples = [
                example
                for status in ("400", "409", "422")
                for example in operation["responses"][status]["content"][
                    "application/problem+json"
                ]["examples"]
            ]
            assert {
                "idempotency-key-invalid",
                "idempotency-key-in-use",
                "idempotency-key-reused",
            } <= set(examples)


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.path)
def test_only_routes_of_signed_in_accounts_take_the_key(route: APIRoute) -> None:
    """Keys are a shop's own: nobody else has a place for them."""
    assert isinstance(route, GuardedRoute)
    assert route.policy in {Policy.SIGNED_IN, Policy.ADMIN} or route.keeping is None
