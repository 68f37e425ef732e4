"""The sandbox Etsy as one ASGI application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.etsy.attributes import ATTRIBUTE_OPERATIONS
from sandbox.etsy.control import Control
from sandbox.etsy.gate import OperationEndpoint
from sandbox.etsy.images import IMAGE_OPERATIONS
from sandbox.etsy.inventory import INVENTORY_OPERATIONS
from sandbox.etsy.listings import LISTING_OPERATIONS
from sandbox.etsy.oauth import oauth_routes
from sandbox.etsy.order_control import OrderControl
from sandbox.etsy.people import PEOPLE_OPERATIONS
from sandbox.etsy.policies import POLICY_OPERATIONS
from sandbox.etsy.receipts import RECEIPT_OPERATIONS
from sandbox.etsy.sandbox import EtsySandbox, Options
from sandbox.etsy.shipping import SHIPPING_OPERATIONS
from sandbox.etsy.stocking import StockedShopControl
from sandbox.etsy.taxonomy import TAXONOMY_OPERATIONS

OPERATIONS = (
    *PEOPLE_OPERATIONS,
    *TAXONOMY_OPERATIONS,
    *SHIPPING_OPERATIONS,
    *POLICY_OPERATIONS,
    *LISTING_OPERATIONS,
    *INVENTORY_OPERATIONS,
    *IMAGE_OPERATIONS,
    *ATTRIBUTE_OPERATIONS,
    *RECEIPT_OPERATIONS,
)
"""Literal paths stand before those with parameters."""


def create_app(options: Options | None = None) -> Starlette:
    """A fresh sandbox, or the one remembered in `options.state_file`."""
    sandbox = EtsySandbox(options or Options())
    routes = [
        *oauth_routes(sandbox),
        *Control(sandbox).routes(),
        *OrderControl(sandbox).routes(),
        *StockedShopControl(sandbox).routes(),
        *(
            Route(operation.full_path, OperationEndpoint(sandbox, operation), methods=[method])
            for operation in OPERATIONS
            for method in [operation.method]
        ),
    ]
    handlers = {HTTPException: _unknown_address}
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=sandbox.lifespan)


async def _unknown_address(request: Request, failure: Exception) -> Response:
    status = failure.status_code if isinstance(failure, HTTPException) else 500
    return JSONResponse({"error": "Resource not found"}, status_code=status)
