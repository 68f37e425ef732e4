"""The web application."""

from collections.abc import Callable
from functools import partial

from fastapi import FastAPI

from api import problems
from api.accounts.news.connections import Connections
from api.accounts.news.sockets import NewsSockets
from api.policies import document_sign_in, mount
from api.router import ROUTERS
from api.selling.vinted.sockets import BridgeSockets
from backend.container import Container
from backend.lifespan import lifespan
from backend.middleware import SocketDoor, surround
from services.accounts.news.watching import NewsWatch
from shared.database.wake_ups import Shops, WakeUpListener

VERSION = "0.1.0"

_DESCRIPTION = """\
One product record, sold everywhere, never sold twice.

Sign in with *Authorize*: your e-mail address is the user name. Every failure is an RFC 9457
problem with a stable `code`; quote its `instance` when you ask for help.
"""


def create_app(container: Container) -> FastAPI:
    """Hang all routes and surround them. Raises `Misconfigured` for a route without a policy."""
    app = FastAPI(
        title="StoFlow",
        version=VERSION,
        description=_DESCRIPTION,
        lifespan=lifespan,
        swagger_ui_parameters={"persistAuthorization": False},
    )
    app.state.container = container
    mount(app, *ROUTERS)
    document_sign_in(app)
    problems.install(app)
    limits = container.settings.limits
    surround(
        app,
        registry=container.metrics,
        limits=container.limits,
        trusted_proxies=limits.trusted_proxies,
        cors_origins=container.settings.cors_origins,
        body_bytes=limits.body_bytes,
        upload_bytes=limits.upload_bytes,
    )
    app.add_middleware(
        SocketDoor,
        sockets=_sockets(container).app,
        limits=container.limits,
        trusted_proxies=limits.trusted_proxies,
    )
    return app


def _sockets(container: Container) -> NewsSockets:
    settings = container.settings
    sockets = NewsSockets(
        container.access_tokens,
        NewsWatch(container.database),
        container.clock,
        Connections(settings.sockets.most, settings.sockets.most_per_account),
        container.metrics,
        settings.cors_origins,
        settings.redis_url,
    )
    BridgeSockets(
        sockets,
        container.vinted_bridge,
        partial(_listener, container),
        container.clock,
        container.metrics,
    )
    return sockets


def _listener(container: Container, heard: Callable[[Shops], None]) -> WakeUpListener | None:
    """Says when a command is left for a seller's browser."""
    if not container.settings.worker.listen:
        return None
    return WakeUpListener(container.database.engine, lambda: None, heard_of_commands=heard)
