"""How often one may ask and how much one may send."""

import shutil
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import httpx
import pytest

from api.limits import RequestLimits
from backend.app import create_app
from backend.container import build_container
from backend.settings import Settings
from shared.clock import MovableClock
from shared.database import Database
from tests.passwords import CHEAP_PASSWORDS
from tests.serving import Seller, Stage, assert_problem, client

ORIGIN = "http://localhost:3000"


def limited(
    database: Database,
    clock: MovableClock,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    **limits: str,
) -> httpx.Client:
    """The API with other limits."""
    for name, value in limits.items():
        monkeypatch.setenv(f"STOFLOW_LIMIT_{name.upper()}", value)
    container = build_container(
        Settings(), database=database, clock=clock, passwords=CHEAP_PASSWORDS
    )
    stage.app = create_app(container)
    return client(stage.url)


def test_who_asks_too_often_is_told_when_to_come_back(
    settings: Settings,
    database: Database,
    clock: MovableClock,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ST47, ST63."""
    with limited(database, clock, stage, monkeypatch, requests="2/hour") as api:
        first = api.get("/api/v1/me")
        assert first.status_code == 401
        assert first.headers["x-ratelimit-limit"] == "2"
        assert first.headers["x-ratelimit-remaining"] == "1"
        api.get("/api/v1/me")
        refused = api.get("/api/v1/me", headers={"Origin": ORIGIN})
        problem = assert_problem(refused, 429, "too-many-requests")
        assert 0 < problem["retry_after"] <= 3600
        assert refused.headers["retry-after"] == str(problem["retry_after"])
        assert refused.headers["access-control-allow-origin"] == ORIGIN
        assert api.get("/health/live").status_code == 200


def test_signed_in_accounts_have_limits_of_their_own(
    api: httpx.Client,
    seller: Seller,
    other_seller: Seller,
    database: Database,
    clock: MovableClock,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ST63: a neighbour behind the same address, or a forged token, uses up nothing of mine."""
    with limited(database, clock, stage, monkeypatch, requests="2/hour") as again:
        for _ in range(3):
            again.get("/api/v1/me", headers={"Authorization": "Bearer forged"})
        statuses = [seller.http.get("/api/v1/me").status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert other_seller.http.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(("proxies", "second_is_refused"), [("0", True), ("1", False), ("2", True)])
def test_addresses_are_believed_only_from_our_own_proxies(
    settings: Settings,
    database: Database,
    clock: MovableClock,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    proxies: str,
    second_is_refused: bool,
) -> None:
    """ST47, ST63: what a client writes in front of the list itself counts for nothing."""
    limits = {"requests": "1/hour", "trusted_proxies": proxies}
    with limited(database, clock, stage, monkeypatch, **limits) as api:
        api.get("/api/v1/me", headers={"X-Forwarded-For": "9.9.9.9, 198.51.100.1, 203.0.113.1"})
        answer = api.get(
            "/api/v1/me", headers={"X-Forwarded-For": "8.8.8.8, 198.51.100.1, 203.0.113.2"}
        )
        assert (answer.status_code == 429) is second_is_refused


@pytest.mark.parametrize("path", ["register", "token", "refresh"])
def test_guessing_is_limited_per_address(
    settings: Settings,
    database: Database,
    clock: MovableClock,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    """ST63."""
    with limited(database, clock, stage, monkeypatch, sign_in="2/hour") as api:
        for _ in range(2):
            assert api.post(f"/api/v1/auth/{path}").status_code == 422
        assert_problem(api.post(f"/api/v1/auth/{path}"), 429, "too-many-requests")


def chunks(size: int) -> Iterator[bytes]:
    """A body that does not say how long it is."""
    yield b'{"email": "'
    for _ in range(size // 1000):
        yield b"x" * 1000
    yield b'"}'


def test_a_body_that_is_too_large_is_refused_by_what_it_says_and_by_what_it_is(
    settings: Settings,
    database: Database,
    clock: MovableClock,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ST3."""
    json_body = {"Content-Type": "application/json"}
    with limited(database, clock, stage, monkeypatch, body_bytes="5000") as api:
        for body in (b"x" * 5001, chunks(6000)):
            answer = api.post("/api/v1/auth/register", content=body, headers=json_body)
            assert_problem(answer, 413, "payload-too-large")
        for allowed in (b"x" * 5000, chunks(4000)):
            answer = api.post("/api/v1/auth/register", content=allowed, headers=json_body)
            assert answer.status_code in {400, 422}
        assert api.get("/health/live").status_code == 200


def test_only_routes_that_take_files_take_large_bodies(
    settings: Settings,
    database: Database,
    clock: MovableClock,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ST3: whatever kind of body the client says it is."""
    limits = {"body_bytes": "5000", "upload_bytes": "20000"}
    with limited(database, clock, stage, monkeypatch, **limits) as api:
        for path, size, refused in (
            ("/api/v1/products/import", 15_000, False),
            ("/api/v1/products/import", 25_000, True),
            ("/api/v1/auth/token", 15_000, True),
        ):
            answer = api.post(path, files={"file": b"x" * size})
            assert (answer.status_code == 413) is refused, (path, size, answer.text)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis of this test's own, on a Unix socket; the test is left out where there is none."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("left out: redis-server is not installed")
    address = tmp_path / "redis.sock"
    process = subprocess.Popen(
        [server, "--port", "0", "--unixsocket", str(address), "--save", "", "--daemonize", "no"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert any("ready to accept" in line.lower() for line in process.stdout)
    yield f"redis+unix://{address}"
    process.terminate()
    process.wait()


def test_processes_that_share_redis_count_together(redis_url: str) -> None:
    """ST63: several API processes, one limit."""
    first, second = (
        RequestLimits(requests="2/hour", sign_in="2/hour", redis_url=redis_url) for _ in range(2)
    )
    assert first.spend_request("account:1").remaining == 1
    assert second.spend_request("account:1").remaining == 0
    assert not first.spend_request("account:1").allowed
    assert second.spend_request("account:2").allowed


def test_without_its_redis_a_process_counts_for_itself(captured: StringIO) -> None:
    """ST63: neither down nor without limits."""
    limits = RequestLimits(requests="2/hour", sign_in="2/hour", redis_url="redis://127.0.0.1:1")
    assert [limits.spend_request("account:1").allowed for _ in range(3)] == [True, True, False]
    assert "counted per process" in captured.getvalue()
