"""Default deny: every route says who may call it, and means it."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.dependencies.sessions import (
    platform_session,
    platform_transactions,
    tenant_session,
    tenant_transactions,
)
from api.policies import GuardedRoute, Policy, guarded_router, mount
from api.router import ROUTERS
from backend.app import create_app
from backend.container import Container
from models.accounts.identity import Role
from shared.errors import Misconfigured
from tests.serving import Seller, Stage, client

FRAMEWORKS_OWN = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}

PUBLIC = {
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "GET /.well-known/jwks.json",
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/token",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/vinted/pairings/claim",
}
"""The whole list: whoever opens another door to everybody does it here, in sight."""

DEVICE_TOO = {"GET /api/v1/vinted/status", "POST /api/v1/auth/logout"}
"""All that a paired browser may do over REST, beside refreshing its tokens."""

CLOSED = (Policy.SIGNED_IN, Policy.DEVICE_TOO, Policy.ADMIN)

ASKS_WHETHER_SIGNED_OUT = {
    tenant_session,
    platform_session,
    tenant_transactions,
    platform_transactions,
}

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def name_of(route: APIRoute) -> str:
    return f"{min(route.methods)} {route.path}"


def policy_of(route: APIRoute) -> Policy:
    assert isinstance(route, GuardedRoute)
    return route.policy


def guarded_by(*policies: Policy) -> list[APIRoute]:
    return [route for route in ROUTES if policy_of(route) in policies]


def everything_below(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for each in dependant.dependencies:
        yield from everything_below(each)


def address_of(route: APIRoute) -> str:
    return route.path_format.format(**dict.fromkeys(route.param_convertors, "1"))


def test_the_application_serves_no_route_without_a_policy(container: Container) -> None:
    """Default deny, ST47."""
    app = create_app(container)
    unguarded = {
        getattr(route, "path", str(route))
        for route in app.router.routes
        if not isinstance(route, GuardedRoute)
    }
    assert unguarded == FRAMEWORKS_OWN


def test_every_route_is_of_a_known_policy() -> None:
    """Default deny, ST47."""
    assert [name_of(route) for route in ROUTES if policy_of(route) not in set(Policy)] == []


def test_a_router_without_a_policy_cannot_be_mounted() -> None:
    """Default deny."""
    router = APIRouter()
    router.add_api_route("/open", lambda: None)
    with pytest.raises(Misconfigured, match="no policy"):
        mount(FastAPI(), router)


def test_the_public_routes_are_these_and_no_others() -> None:
    """Default deny."""
    assert {name_of(route) for route in guarded_by(Policy.PUBLIC)} == PUBLIC


def test_paired_browsers_may_do_this_and_no_more() -> None:
    """Default deny."""
    assert {name_of(route) for route in guarded_by(Policy.DEVICE_TOO)} == DEVICE_TOO


@pytest.mark.parametrize("route", guarded_by(Policy.SIGNED_LINK), ids=name_of)
def test_a_link_that_was_not_signed_here_leads_nowhere(
    container: Container, stage: Stage, route: APIRoute
) -> None:
    """ST35."""
    stage.app = create_app(container)
    with client(stage.url) as browser:
        answer = browser.request(min(route.methods), address_of(route))
    assert (answer.status_code, answer.json()["code"]) == (403, "link-refused")


def test_no_address_is_served_twice() -> None:
    """The second would never be reached."""
    names = [(method, route.path) for route in ROUTES for method in route.methods]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("route", guarded_by(*CLOSED), ids=name_of)
def test_nobody_comes_in_without_a_token(
    container: Container, stage: Stage, route: APIRoute
) -> None:
    """K19, ST47: whatever the body, the answer is 401."""
    stage.app = create_app(container)
    with client(stage.url) as nobody:
        answer = nobody.request(min(route.methods), address_of(route))
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("route", guarded_by(Policy.SIGNED_STATE), ids=name_of)
def test_nobody_comes_back_from_a_marketplace_without_a_state(
    container: Container, stage: Stage, route: APIRoute
) -> None:
    """ST21."""
    stage.app = create_app(container)
    with client(stage.url) as browser:
        for state in ("", "?state=", "?state=short", f"?state={'x' * 600}"):
            answer = browser.request(min(route.methods), address_of(route) + state)
            assert answer.status_code == 400, answer.text
            assert answer.json()["code"] == "malformed-request"


@pytest.mark.parametrize("route", guarded_by(*CLOSED), ids=name_of)
def test_every_closed_route_asks_whether_the_sign_in_was_ended(route: APIRoute) -> None:
    """ST19: a session that begins does it; a route without any would not."""
    assert ASKS_WHETHER_SIGNED_OUT & set(everything_below(route.dependant))


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_every_route_says_what_it_does(route: APIRoute) -> None:
    """K73."""
    assert route.endpoint.__doc__
    assert route.tags


def test_an_admin_route_is_closed_to_members(
    container: Container, api: httpx.Client, seller: Seller, stage: Stage
) -> None:
    """F14: the role decides."""
    router = guarded_router("/admin-only", policy=Policy.ADMIN, tag="test")
    router.add_api_route("", lambda: {"seen": True}, methods=["GET"])
    assert isinstance(stage.app, FastAPI)
    mount(stage.app, router)
    member = container.access_tokens.read(seller.tokens["access_token"])
    admins_token = container.access_tokens.issue(
        user_id=member.user_id,
        public_id=member.public_id,
        session_id=member.session_id,
        role=Role.ADMIN,
        tenant_id=None,
    )
    assert api.get("/api/v1/admin-only").status_code == 401
    assert seller.http.get("/api/v1/admin-only").status_code == 403
    with client(stage.url, admins_token) as admin:
        assert admin.get("/api/v1/admin-only").status_code == 200
