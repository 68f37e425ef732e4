"""Who may call a route. Default deny: a route exists only on a router that states its policy.

The policy is enforced before the body is read. What it found out, the actor, is kept in the
request for `api.dependencies.actors`; whether the sign-in was revoked meanwhile is checked by the
database session at the begin of the route's own transaction (`api.dependencies.sessions`).
"""

from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, ClassVar

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute

from api.dependencies.actors import Actor, signed_in_actor
from api.dependencies.container import container_of
from api.idempotency import Keeping, documented, keeping_of, taking_keys
from models.accounts.identity import Role
from shared.errors import Forbidden, MalformedRequest, Misconfigured

API_PREFIX = "/api/v1"
TOKEN_URL = f"{API_PREFIX}/auth/token"

_STATE_LENGTHS = range(16, 513)


class NotForDevices(Forbidden):
    """A paired browser may use its socket, ask how Vinted stands, and sign out; nothing else."""

    code, title = "not-for-devices", "A paired browser may not do this"


class LinkRefused(Forbidden):
    """The link was not made here, or has expired."""

    code, title = "link-refused", "This link is no longer good"


class Policy(StrEnum):
    """Who may call."""

    PUBLIC = "public"
    """Anybody."""
    SIGNED_IN = "signed_in"
    """Whoever holds an access token of a sign-in that was not revoked, and is a person."""
    DEVICE_TOO = "device_too"
    """Likewise, and a seller's paired browser as well."""
    ADMIN = "admin"
    """Signed in with the role *admin*."""
    SIGNED_STATE = "signed_state"
    """A browser coming back from a marketplace with the `state` we gave it. The room that owns
    the route consumes the state; a request without one is refused here."""
    SIGNED_LINK = "signed_link"
    """Whoever was given the address: the last part of its path is a token that we signed."""


_CLOSED = frozenset({Policy.SIGNED_IN, Policy.DEVICE_TOO, Policy.ADMIN})
_SCHEME = "password"
_LOCK: dict[str, Any] = {"security": [{_SCHEME: []}]}


class GuardedRoute(APIRoute):
    """A route that enforces its policy before anything else of it runs."""

    policy: ClassVar[Policy]

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """What FastAPI's route takes; closed routes get their lock in OpenAPI."""
        if self.policy in _CLOSED:
            options["openapi_extra"] = _LOCK | (options.get("openapi_extra") or {})
        super().__init__(path, endpoint, **options)
        if self.keeping is not None:
            super().__init__(path, endpoint, **documented(options))

    @property
    def keeping(self) -> Keeping | None:
        """How answers are kept for requests that carry an `Idempotency-Key`; None: not at all."""
        return keeping_of(self) if self.policy in _CLOSED else None

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind the policy, and behind the request's key where one counts."""
        handle = super().get_route_handler()
        if self.keeping is not None:
            handle = taking_keys(handle, self.keeping)
        enforce = _ENFORCED[self.policy]

        async def guarded(request: Request) -> Response:
            enforce(request)
            return await handle(request)

        return guarded


def document_sign_in(app: FastAPI) -> None:
    """Let Swagger's *Authorize* know where tokens are to be had."""
    without = app.openapi

    def openapi() -> dict[str, Any]:
        document = without()
        document.setdefault("components", {})["securitySchemes"] = {
            _SCHEME: {
                "type": "oauth2",
                "flows": {"password": {"tokenUrl": TOKEN_URL, "scopes": {}}},
            }
        }
        return document

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI documents it


def _nobody_is_asked(request: Request) -> None:
    pass


def _must_be_signed_in(request: Request) -> None:
    actor = signed_in_actor(request)
    if actor.device:
        raise NotForDevices
    request.scope["actor"] = actor


def _may_be_a_device(request: Request) -> None:
    request.scope["actor"] = signed_in_actor(request)


def _must_be_admin(request: Request) -> None:
    actor: Actor = signed_in_actor(request)
    if actor.device:
        raise NotForDevices
    if actor.role is not Role.ADMIN:
        raise Forbidden("Only administrators may do this.")
    request.scope["actor"] = actor


def _must_bring_state(request: Request) -> None:
    if len(request.query_params.get("state", "")) not in _STATE_LENGTHS:
        raise MalformedRequest("The state parameter is missing or is not one of ours.")


def _must_bring_link(request: Request) -> None:
    token = request.path_params.get("token", "")
    if not container_of(request).photo_links.is_ours(token):
        raise LinkRefused


_ENFORCED: dict[Policy, Callable[[Request], None]] = {
    Policy.PUBLIC: _nobody_is_asked,
    Policy.SIGNED_IN: _must_be_signed_in,
    Policy.DEVICE_TOO: _may_be_a_device,
    Policy.ADMIN: _must_be_admin,
    Policy.SIGNED_STATE: _must_bring_state,
    Policy.SIGNED_LINK: _must_bring_link,
}


class _PublicRoute(GuardedRoute):
    policy = Policy.PUBLIC


class _SignedInRoute(GuardedRoute):
    policy = Policy.SIGNED_IN


class _DeviceTooRoute(GuardedRoute):
    policy = Policy.DEVICE_TOO


class _AdminRoute(GuardedRoute):
    policy = Policy.ADMIN


class _SignedStateRoute(GuardedRoute):
    policy = Policy.SIGNED_STATE


class _SignedLinkRoute(GuardedRoute):
    policy = Policy.SIGNED_LINK


_ROUTES: dict[Policy, type[GuardedRoute]] = {
    kind.policy: kind
    for kind in (
        _PublicRoute,
        _SignedInRoute,
        _DeviceTooRoute,
        _AdminRoute,
        _SignedStateRoute,
        _SignedLinkRoute,
    )
}


def guarded_router(path: str, *, policy: Policy, tag: str, prefix: str = API_PREFIX) -> APIRouter:
    """A room's router at `/api/v1<path>`. A room with two policies has two routers."""
    return APIRouter(prefix=prefix + path, tags=[tag], route_class=_ROUTES[policy])


def mount(app: FastAPI, *routers: APIRouter) -> None:
    """Add the routers' routes. Raises `Misconfigured` for a route without a policy.

    The routes are added flat: `include_router` keeps a tree that every request walks twice.
    """
    for router in routers:
        for route in router.routes:
            if not isinstance(route, GuardedRoute):
                raise Misconfigured(f"The route {route} declares no policy.")
            app.router.routes.append(route)
