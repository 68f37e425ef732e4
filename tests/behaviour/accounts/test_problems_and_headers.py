"""What every answer carries, and how every failure is told."""

import json
import re
from collections.abc import Iterator
from io import StringIO

import httpx
import pytest

from api.policies import Policy, guarded_router, mount
from backend.app import create_app
from backend.container import Container
from shared.errors import MarketplaceError, Remedy
from tests.serving import Stage, assert_problem, client

ORIGIN = "http://localhost:3000"


@pytest.fixture
def broken(container: Container, stage: Stage) -> Iterator[httpx.Client]:
    """The API with two more routes: a bug, and a marketplace that refuses."""
    router = guarded_router("/broken", policy=Policy.PUBLIC, tag="test")

    @router.get("/bug")
    def bug() -> None:
        raise RuntimeError("cannot log in with password=hunter2hunter2")

    @router.get("/refusal")
    def refusal() -> None:
        raise MarketplaceError("eBay is closed.", remedy=Remedy.WAIT, offer="12")

    stage.app = create_app(container)
    mount(stage.app, router)
    with client(stage.url) as nobody:
        yield nobody
    stage.app = None


def test_every_answer_carries_the_security_headers(api: httpx.Client) -> None:
    """ST47: also refusals."""
    for path in ("/health/live", "/no/such/address", "/api/v1/me"):
        headers = api.get(path).headers
        assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in headers


def test_unknown_addresses_and_verbs_are_problems(api: httpx.Client) -> None:
    """ST3."""
    assert_problem(api.get("/no/such/address"), 404, "not-found")
    answer = api.put("/api/v1/auth/token")
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"email": }', b"[" * 20_000])
def test_what_is_not_json_is_a_malformed_request(api: httpx.Client, body: bytes) -> None:
    """ST3."""
    answer = api.post(
        "/api/v1/auth/register", content=body, headers={"Content-Type": "application/json"}
    )
    assert_problem(answer, 400, "malformed-request")


def test_a_bug_says_nothing_about_its_cause(broken: httpx.Client, captured: StringIO) -> None:
    """ST3: the operator reads the cause in the log, under the request's id."""
    answer = broken.get("/api/v1/broken/bug", headers={"Origin": ORIGIN})
    problem = assert_problem(answer, 500, "internal-error")
    assert "hunter2" not in answer.text
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    (line,) = [json.loads(each) for each in captured.getvalue().splitlines() if "RuntimeE" in each]
    assert line["request_id"] == problem["instance"]
    assert line["level"] == "error"
    assert "hunter2" not in captured.getvalue()


def test_a_marketplaces_refusal_says_what_helps(broken: httpx.Client) -> None:
    """ST3."""
    problem = assert_problem(broken.get("/api/v1/broken/refusal"), 502, "marketplace-error")
    assert problem["detail"] == "eBay is closed."
    assert problem["remedy"] == "wait"
    assert problem["offer"] == "12"


@pytest.mark.parametrize(
    ("given", "kept"), [("my-request-0001", True), ("short", False), ('x" onload="1', False)]
)
def test_a_request_keeps_the_id_it_came_with_if_it_is_harmless(
    api: httpx.Client, given: str, kept: bool
) -> None:
    """One id from the dashboard to the log."""
    answer = api.get("/health/live", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (ORIGIN, True),
        ("http://localhost:30001", False),
        ("http://localhost:3000.evil.example", False),
        ("https://localhost:3000", False),
        ("null", False),
    ],
)
def test_only_the_dashboards_exact_origins_may_call_from_a_browser(
    api: httpx.Client, origin: str, allowed: bool
) -> None:
    """K11, ST35, X4, D10: exact match, never a prefix."""
    preflight = api.options(
        "/api/v1/me",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    assert (preflight.headers.get("access-control-allow-origin") == origin) is allowed
    assert "access-control-allow-credentials" not in preflight.headers
    answer = api.get("/api/v1/me", headers={"Origin": origin})
    assert (answer.headers.get("access-control-allow-origin") == origin) is allowed


def test_swagger_can_be_used_to_sign_in(api: httpx.Client) -> None:
    """K73: *Authorize* knows where to get a token, and its scripts may run."""
    page = api.get("/docs")
    assert page.status_code == 200
    assert "https://cdn.jsdelivr.net" in page.headers["content-security-policy"]
    document = api.get("/openapi.json").json()
    (scheme,) = document["components"]["securitySchemes"].values()
    assert scheme["type"] == "oauth2"
    assert scheme["flows"]["password"]["tokenUrl"] == "/api/v1/auth/token"
    assert document["paths"]["/api/v1/me"]["get"]["security"]
    assert "security" not in document["paths"]["/api/v1/auth/register"]["post"]
    refusal = document["paths"]["/api/v1/auth/register"]["post"]["responses"]["409"]
    assert "application/problem+json" in refusal["content"]
