"""A StoFlow that only speaks the bridge's protocol, holding each message to its document."""

import asyncio
import hashlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import socketio
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jsonschema import Draft202012Validator
from jwt.algorithms import RSAAlgorithm
from socketio.exceptions import ConnectionRefusedError as Refused
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.stoflow_bridge import signing_key
from tests.paths import CHECKOUT

PROTOCOL = yaml.safe_load((CHECKOUT / "docs" / "extension-protocol.yaml").read_text())
SHOP = 7
PATIENCE_S = 30.0


def violations(schema: str, message: Any) -> list[str]:
    """What the protocol's document says against a message."""
    validator = Draft202012Validator({**PROTOCOL, "$ref": f"#/components/schemas/{schema}"})
    return [f"{schema}: {each.message}" for each in validator.iter_errors(message)]


@dataclass
class BridgeServer:
    """One shop, one pairing code, and everything that was said."""

    code: str = "ABCD2345"
    key: RSAPrivateKey = field(default_factory=signing_key)
    wrong: list[str] = field(default_factory=list)
    """What was said against the protocol, by either side."""
    heard: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    results: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    photos: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, Any] = field(
        default_factory=lambda: {"state": "connected", "executor": True, "waiting": 0}
    )
    keep_results: bool = True
    """Whether results are stored and acknowledged."""
    connects: int = 0
    url: str = ""
    """Where it is served."""

    def __post_init__(self) -> None:
        self._refresh = 0
        self._sid: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = threading.Condition()
        self._server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        self._server.on("job_result", self._result)
        self._server.on("authenticate", self._authenticate)
        self._server.on("vinted_session_update", self._hears("SessionUpdate"))
        self._server.on("datadome_detected", self._hears("Challenge"))
        rest = Starlette(
            routes=[
                Route("/api/v1/vinted/pairings/claim", self._claim, methods=["POST"]),
                Route("/api/v1/auth/refresh", self._refreshed, methods=["POST"]),
                Route("/api/v1/auth/logout", self._signed_out, methods=["POST"]),
                Route("/api/v1/vinted/status", self._standing),
                Route("/.well-known/jwks.json", self._jwks),
                Route("/photos/{name}", self._photo),
            ]
        )
        self.app = socketio.ASGIApp(self._server, rest)

    def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something that is said here makes it true."""
        with self._told:
            assert self._told.wait_for(holds, PATIENCE_S), "it never came true"

    def states(self) -> list[str]:
        """What the browser has said of its session at Vinted, in order."""
        return [each["state"] for each in self.heard["vinted_session_update"]]

    def command(self, site: str, method: str, path: str, **more: Any) -> dict[str, Any]:
        """A command with its lease; `more` are further parts of the request."""
        asked = {
            "command_id": str(uuid4()),
            "job_id": 1,
            "action": "publish",
            "step": more.pop("step", path.rpartition("/")[2]),
            "deadline": (datetime.now(UTC) + timedelta(seconds=60)).isoformat(),
            "request": {"site": site, "method": method, "path": path, **more},
        }
        claims = {"command": asked["command_id"], "method": method, "path": path, "site": site}
        return {**asked, "lease": self._token(**claims)}

    def send(self, command: dict[str, Any]) -> dict[str, Any]:
        """Give a command to the browser; its acknowledgement."""
        self.wrong += violations("Command", command)
        answer: dict[str, Any] = self._run(
            self._server.call("execute_job", command, to=self._sid, timeout=PATIENCE_S)
        )
        self.wrong += violations("CommandAck", answer)
        return answer

    def run(self, command: dict[str, Any]) -> dict[str, Any]:
        """Have a command executed; what came of it."""
        assert self.send(command) == {"taken": True}
        results = self.results[command["command_id"]]
        self.until(lambda: results)
        return results[0]

    def photo(self, base: str, content: bytes) -> dict[str, Any]:
        """A photo of the object store, as a command names it."""
        digest = hashlib.sha256(content).hexdigest()
        self.photos[digest] = content
        return {
            "url": f"{base}/photos/{digest}?signature=x",
            "sha256": digest,
            "content_type": "image/jpeg",
        }

    def cut_off(self) -> None:
        """Break the line without a word, and wait until the browser is back."""
        connects = self.connects
        self._run(self._cut_off())
        self.until(lambda: self.connects > connects and self._sid)

    async def _cut_off(self) -> None:
        eio_sid = self._server.manager.eio_sid_from_sid(self._sid, "/")
        await self._server.eio.disconnect(eio_sid)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S + 5)

    def _token(self, **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": "stoflow", "tid": SHOP, "lane": "bulk", "iat": now, "exp": now + 120}
        said |= claims
        return jwt.encode(said, self.key, algorithm="RS256", headers={"kid": "k1"})

    def _tokens(self) -> JSONResponse:
        self._refresh += 1
        return JSONResponse(
            {
                "access_token": self._token(sub="device"),
                "refresh_token": f"refresh{self._refresh}",
                "expires_in": 900,
            }
        )

    async def _claim(self, request: Request) -> Response:
        self._loop = asyncio.get_running_loop()
        asked = json.loads(await request.body())
        if asked["code"] != self.code:
            problem = {"code": "pairing-refused", "detail": "This code is not known, or was used."}
            return JSONResponse(problem, 404)
        self.code = ""
        return self._tokens()

    async def _refreshed(self, request: Request) -> Response:
        return self._tokens()

    async def _signed_out(self, request: Request) -> Response:
        return Response(status_code=204)

    async def _standing(self, request: Request) -> Response:
        return JSONResponse(self.status)

    async def _jwks(self, request: Request) -> Response:
        jwk = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return JSONResponse({"keys": [{**jwk, "kid": "k1"}]})

    async def _photo(self, request: Request) -> Response:
        content = self.photos[request.path_params["name"]]
        return Response(content, media_type="image/jpeg")

    async def _connect(self, sid: str, _environ: Any, auth: Any = None) -> None:
        self._loop = asyncio.get_running_loop()
        self.wrong += violations("Connect", auth)
        try:
            jwt.decode(auth["token"], self.key.public_key(), algorithms=["RS256"])
        except jwt.InvalidTokenError:
            raise Refused("Please sign in", {"code": "unauthenticated"}) from None
        expires_at = (datetime.now(UTC) + timedelta(minutes=15)).isoformat()
        ready = {"sequence": 1, "after": 1, "expires_at": expires_at}
        self._said(lambda: self._arrived(sid))
        await self._server.emit("ready", ready, to=sid)

    def _arrived(self, sid: str) -> None:
        self._sid = sid
        self.connects += 1

    async def _disconnect(self, sid: str, *_reason: Any) -> None:
        if self._sid == sid:
            self._said(lambda: setattr(self, "_sid", None))

    async def _authenticate(self, _sid: str, data: Any) -> dict[str, Any]:
        self.wrong += violations("Authenticate", data)
        return {"expires_at": (datetime.now(UTC) + timedelta(minutes=15)).isoformat()}

    async def _result(self, _sid: str, data: Any) -> dict[str, Any]:
        self.wrong += violations("Result", data)
        known = self.results[data["command_id"]]
        self._said(lambda: known.append(data))
        if not self.keep_results:
            return {"problem": {"code": "unavailable", "title": "Busy", "detail": "Busy."}}
        return {"stored": True, "repeated": len(known) > 1}

    def _hears(self, schema: str) -> Callable[[str, Any], Any]:
        name = {"SessionUpdate": "vinted_session_update", "Challenge": "datadome_detected"}[schema]

        async def hear(_sid: str, data: Any) -> dict[str, Any]:
            self.wrong += violations(schema, data)
            self._said(lambda: self.heard[name].append(data))
            self.wrong += violations("ConnectionStatus", self.status)
            return self.status

        return hear

    def _said(self, act: Callable[[], Any]) -> None:
        with self._told:
            act()
            self._told.notify_all()
