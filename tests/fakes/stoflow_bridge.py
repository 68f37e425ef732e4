"""The server's side of the bridge to the extension, with no shop behind it.

It holds every message, of either side, to docs/extension-protocol.yaml.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

import jwt
import socketio
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jsonschema import Draft202012Validator, FormatChecker
from socketio.exceptions import ConnectionRefusedError as Refused
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.paths import CHECKOUT

PATIENCE_S = 15
SHOP = 7
KEY_ID = "fake"


@cache
def protocol() -> dict[str, Any]:
    """The whole document."""
    document: dict[str, Any] = yaml.safe_load(
        (CHECKOUT / "docs/extension-protocol.yaml").read_text(encoding="utf-8")
    )
    return document


def complaints(schema: str, message: Any) -> list[str]:
    """What is wrong with a message, as the document has it."""
    rule = {"$ref": f"#/components/schemas/{schema}", "components": protocol()["components"]}
    validator = Draft202012Validator(rule, format_checker=FormatChecker())
    return [f"{schema}: {error.message}" for error in validator.iter_errors(message)]


@cache
def signing_key() -> RSAPrivateKey:
    """Of all fakes in this process: making one takes a while."""
    return generate_private_key(65537, 2048)


class FakeStoflow:
    """One shop, any number of browsers. `app` is what to serve; the rest is for the test."""

    def __init__(self) -> None:
        self._key = signing_key()
        # Whoever names an origin is a page of somebody else's.
        origins = ["https://stoflow.example"]
        self._server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=origins)
        for event, handler in {
            "connect": self._connect,
            "disconnect": self._disconnect,
            "authenticate": self._authenticate,
            "vinted_session_update": self._session,
            "datadome_detected": self._challenge,
            "job_result": self._result,
        }.items():
            self._server.on(event, handler)
        self.violations: list[str] = []
        """Messages that are not as the document has them."""
        self.codes: set[str] = set()
        self.lives_s = 600
        """Of access tokens made from now on."""
        self.connects: list[dict[str, Any]] = []
        self.tokens_brought = 0
        self.sessions: list[dict[str, Any]] = []
        self.challenges: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []
        """Every one that came, repeats too."""
        self.acks_to_lose = 0
        """So many results are stored, and the line ends before the browser hears of it."""
        self.problems: dict[str, list[str]] = {"vinted_session_update": [], "job_result": []}
        """Codes with which what comes next is refused."""
        self._refresh_tokens: set[str] = set()
        self._stored: set[str] = set()
        self._first_report: dict[str, Any] | None = None
        self._sid: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = threading.Condition()
        routes = [
            Route("/api/v1/vinted/pairings/claim", self._claim, methods=["POST"]),
            Route("/api/v1/auth/refresh", self._refresh, methods=["POST"]),
            Route("/.well-known/jwks.json", self._keys, methods=["GET"]),
        ]
        self.app: ASGIApp = socketio.ASGIApp(self._server, Starlette(routes=routes))

    # For the test.

    def offer_code(self) -> str:
        """A code that pairs one browser."""
        code = uuid4().hex[:8].upper()
        self.codes.add(code)
        return code

    def command(self, site: str, method: str, path: str, **more: Any) -> dict[str, Any]:
        """A command with a good lease; `request` and `lease` change parts of those."""
        command_id = more.pop("command_id", str(uuid4()))
        request = {"site": site, "method": method, "path": path, **more.pop("request", {})}
        now = datetime.now(UTC)
        claims = {
            "iss": "fake",
            "tid": SHOP,
            "lane": "bulk",
            "command": command_id,
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + 60,
            **{name: request[name] for name in ("method", "path", "site")},
            **more.pop("lease", {}),
        }
        assert complaints("Lease", claims) == []
        return {
            "command_id": command_id,
            "job_id": 1,
            "action": "publish",
            "step": "a step",
            "lease": self.signed(claims),
            "deadline": (now + timedelta(seconds=60)).isoformat(),
            "request": request,
            **more,
        }

    def send(self, command: dict[str, Any]) -> Any:
        """Send it to the browser that came last; returns the acknowledgement."""
        self._hold("Command", command)
        ack = self._ask(self._server.call("execute_job", command, to=self._sid, timeout=PATIENCE_S))
        self._hold("CommandAck", ack)
        return ack

    def signed(self, claims: Mapping[str, Any]) -> str:
        """A token of this server."""
        return jwt.encode(dict(claims), self._key, algorithm="RS256", headers={"kid": KEY_ID})

    def tell(self, event: str, message: dict[str, Any]) -> None:
        """Send an event that nobody acknowledges."""
        self._ask(self._server.emit(event, message, to=self._sid))

    def hang_up(self) -> None:
        """End the line."""
        self._ask(self._server.disconnect(self._sid))

    def until(self, enough: Callable[[], bool]) -> None:
        """Wait for something to come in. Raises AssertionError after `PATIENCE_S`."""
        with self._news:
            assert self._news.wait_for(enough, PATIENCE_S)

    def until_back(self, connects: int) -> dict[str, Any]:
        """Wait for that many connects; returns what the browser said first after the last."""
        self.until(lambda: len(self.connects) >= connects and self._first_report is not None)
        assert self._first_report is not None
        return self._first_report

    def result_of(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Wait for what came of a command."""
        wanted = command["command_id"]
        self.until(lambda: wanted in [each["command_id"] for each in self.results])
        return next(each for each in self.results if each["command_id"] == wanted)

    def _ask(self, coroutine: Any) -> Any:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)

    # What browsers ask.

    async def _claim(self, request: Request) -> Response:
        body = await request.json()
        if set(body) != {"code", "device"} or body["code"] not in self.codes:
            return JSONResponse({"code": "pairing-refused"}, 409)
        self.codes.remove(body["code"])
        return self._tokens()

    async def _refresh(self, request: Request) -> Response:
        token = (await request.json())["refresh_token"]
        if token not in self._refresh_tokens:
            return JSONResponse({"code": "refresh-refused"}, 401)
        self._refresh_tokens.remove(token)
        return self._tokens()

    async def _keys(self, _request: Request) -> Response:
        row = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return JSONResponse({"keys": [{**row, "kid": KEY_ID, "alg": "RS256", "use": "sig"}]})

    def _tokens(self) -> Response:
        refresh_token = uuid4().hex
        self._refresh_tokens.add(refresh_token)
        ends_at = datetime.now(UTC) + timedelta(seconds=self.lives_s)
        access_token = self.signed({"tid": SHOP, "exp": ends_at, "jti": uuid4().hex})
        tokens = {"access_token": access_token, "refresh_token": refresh_token}
        return JSONResponse({**tokens, "expires_in": self.lives_s})

    async def _connect(self, sid: str, _environ: Any, auth: Any = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._hold("Connect", auth)
        expires_at = self._ends_at(auth["token"])
        if expires_at is None:
            problem = {"code": "unauthenticated", "title": "No", "detail": "No such token."}
            raise Refused("No", problem)
        self._sid, self._first_report = sid, None
        self._hear(self.connects, auth)
        ready = {"sequence": 0, "after": 0, "expires_at": expires_at}
        self._hold("Ready", ready)
        await self._server.emit("ready", ready, to=sid)

    async def _disconnect(self, sid: str, *_reason: Any) -> None:
        if self._sid == sid:
            self._sid = None

    async def _authenticate(self, _sid: str, data: Any = None) -> dict[str, Any]:
        self._hold("Authenticate", data)
        with self._news:
            self.tokens_brought += 1
            self._news.notify_all()
        expires_at = self._ends_at(data["token"])
        if expires_at is None:
            return {"problem": {"code": "unauthenticated", "title": "No", "detail": "No."}}
        return {"expires_at": expires_at}

    async def _session(self, _sid: str, data: Any = None) -> dict[str, Any]:
        self._hold("SessionUpdate", data)
        self._first_report = self._first_report or data
        self._hear(self.sessions, data)
        return self._problem("vinted_session_update") or self._status(data["state"])

    async def _challenge(self, _sid: str, data: Any = None) -> dict[str, Any]:
        self._hold("Challenge", data)
        self._hear(self.challenges, data)
        return self._status("challenged")

    async def _result(self, sid: str, data: Any = None) -> dict[str, Any]:
        self._hold("Result", data)
        if problem := self._problem("job_result"):
            self._hear(self.results, data)
            return problem
        repeated = data["command_id"] in self._stored
        self._stored.add(data["command_id"])
        if self.acks_to_lose:
            self.acks_to_lose -= 1
            await self._server.disconnect(sid)
        self._hear(self.results, data)
        return {"stored": True, "repeated": repeated}

    def _status(self, state: str) -> dict[str, Any]:
        standing = "connected" if state == "signed_in" else state
        status = {"state": standing, "executor": True, "waiting": 0}
        self._hold("ConnectionStatus", status)
        return status

    def _problem(self, event: str) -> dict[str, Any] | None:
        if not self.problems[event]:
            return None
        code = self.problems[event].pop(0)
        refusal = {"problem": {"code": code, "title": "No", "detail": "No."}}
        self._hold("Refusal", refusal)
        return refusal

    def _ends_at(self, token: str) -> str | None:
        try:
            claims = jwt.decode(token, self._key.public_key(), algorithms=["RS256"])
        except jwt.PyJWTError:
            return None
        return datetime.fromtimestamp(claims["exp"], UTC).isoformat()

    def _hold(self, schema: str, message: Any) -> None:
        self.violations += complaints(schema, message)

    def _hear(self, heard: list[dict[str, Any]], message: dict[str, Any]) -> None:
        with self._news:
            heard.append(message)
            self._news.notify_all()
