"""The sandbox eBay as one ASGI application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.ebay.account import ACCOUNT_OPERATIONS
from sandbox.ebay.analytics import ANALYTICS_OPERATIONS
from sandbox.ebay.bulk import BULK_OPERATIONS
from sandbox.ebay.control import Control
from sandbox.ebay.errors import error, wire_errors
from sandbox.ebay.fulfillment import FULFILLMENT_OPERATIONS
from sandbox.ebay.gate import OperationEndpoint
from sandbox.ebay.groups import GROUP_OPERATIONS
from sandbox.ebay.identity import IDENTITY_OPERATIONS
from sandbox.ebay.inventory import INVENTORY_OPERATIONS
from sandbox.ebay.locations import LOCATION_OPERATIONS
from sandbox.ebay.media import MEDIA_OPERATIONS
from sandbox.ebay.metadata import METADATA_OPERATIONS
from sandbox.ebay.oauth import oauth_routes
from sandbox.ebay.offers import OFFER_OPERATIONS
from sandbox.ebay.order_control import OrderControl
from sandbox.ebay.sandbox import EbaySandbox, Options
from sandbox.ebay.stocking import StockedShopControl
from sandbox.ebay.taxonomy import TAXONOMY_OPERATIONS

OPERATIONS = (
    *BULK_OPERATIONS,
    *GROUP_OPERATIONS,
    *INVENTORY_OPERATIONS,
    *OFFER_OPERATIONS,
    *LOCATION_OPERATIONS,
    *FULFILLMENT_OPERATIONS,
    *ACCOUNT_OPERATIONS,
    *TAXONOMY_OPERATIONS,
    *METADATA_OPERATIONS,
    *MEDIA_OPERATIONS,
    *IDENTITY_OPERATIONS,
    *ANALYTICS_OPERATIONS,
)
"""Literal paths stand before those with parameters."""


def create_app(options: Options | None = None) -> Starlette:
    """A fresh sandbox, or the one remembered in `options.state_file`."""
    sandbox = EbaySandbox(options or Options())
    routes = [
        *oauth_routes(sandbox),
        *Control(sandbox).routes(),
        *OrderControl(sandbox).routes(),
        *StockedShopControl(sandbox).routes(),
        *(
            Route(path, OperationEndpoint(sandbox, operation), methods=[operation.method])
            for operation in OPERATIONS
            for path in _spellings(operation.full_path)
        ),
    ]
    handlers = {HTTPException: _unknown_address}
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=sandbox.lifespan)


def _spellings(path: str) -> set[str]:
    """eBay takes a path with and without its last slash."""
    return {path, path.rstrip("/"), path.rstrip("/") + "/"}


async def _unknown_address(request: Request, failure: Exception) -> Response:
    status = failure.status_code if isinstance(failure, HTTPException) else 500
    item = error(2002, f"No operation {request.method} {request.url.path}.", domain="ACCESS")
    return JSONResponse(wire_errors((item,), "ACCESS", "en"), status_code=status)
