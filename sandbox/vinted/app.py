"""The sandbox Vinted as one ASGI application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.vinted.control import Control
from sandbox.vinted.conversations import CONVERSATION_OPERATIONS
from sandbox.vinted.dictionaries import DICTIONARY_OPERATIONS
from sandbox.vinted.errors import gone
from sandbox.vinted.gate import OperationEndpoint
from sandbox.vinted.guard import challenge_routes
from sandbox.vinted.items import ITEM_OPERATIONS
from sandbox.vinted.operations import BASE
from sandbox.vinted.order_control import OrderControl
from sandbox.vinted.orders import ORDER_OPERATIONS
from sandbox.vinted.photos import PHOTO_OPERATIONS
from sandbox.vinted.sandbox import Options, VintedSandbox
from sandbox.vinted.site import site_routes
from sandbox.vinted.wardrobe import WARDROBE_OPERATIONS

OPERATIONS = (
    *DICTIONARY_OPERATIONS,
    *PHOTO_OPERATIONS,
    *ITEM_OPERATIONS,
    *WARDROBE_OPERATIONS,
    *ORDER_OPERATIONS,
    *CONVERSATION_OPERATIONS,
)


def create_app(options: Options | None = None) -> Starlette:
    """A fresh sandbox, or the one remembered in `options.state_file`."""
    sandbox = VintedSandbox(options or Options())
    routes = [
        *Control(sandbox).routes(),
        *OrderControl(sandbox).routes(),
        *challenge_routes(sandbox),
        *(
            Route(BASE + one.path, OperationEndpoint(sandbox, one), methods=[one.method])
            for one in OPERATIONS
        ),
        *site_routes(sandbox),
    ]
    handlers = {HTTPException: _unknown_address}
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=sandbox.lifespan)


async def _unknown_address(request: Request, failure: Exception) -> Response:
    return gone().response()
