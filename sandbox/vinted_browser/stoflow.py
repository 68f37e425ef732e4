"""This browser's place in a shop of StoFlow: paired with a code, then tokens, then new tokens."""

import threading
import time
from typing import Any

import httpx
import jwt

from sandbox.vinted_browser.authorities import trusted_authorities

PATIENCE_S = 20.0
REFRESH_AHEAD_S = 120.0


class NotPairedError(Exception):
    """There are no tokens, or no longer: a person has to pair the browser."""


class LeaseRefusedError(Exception):
    """What is wrong with a lease; `reason` is a word of the protocol's CommandAck."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class StoflowAccount:
    """Used by several threads. `url` is StoFlow's address, such as `http://127.0.0.1:8000`."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_S, verify=trusted_authorities())
        self._lock = threading.Lock()
        self._tokens: dict[str, Any] | None = None
        self._ends_at = 0.0
        self._keys: dict[str, Any] = {}

    def pair(self, code: str, device: str) -> None:
        """Trade a pairing code for tokens. Raises httpx.HTTPStatusError where it is refused."""
        body = {"code": code.strip().upper(), "device": device}
        with self._lock:
            self._keep(self._http.post("/api/v1/vinted/pairings/claim", json=body))

    def token(self) -> str:
        """An access token that is good for a while yet. Raises NotPairedError, httpx.HTTPError."""
        with self._lock:
            if self._tokens is None:
                raise NotPairedError
            if self._ends_at - time.monotonic() <= 0:
                self._refresh(self._tokens["refresh_token"])
            return str(self._tokens["access_token"])

    def distrust(self) -> None:
        """The access token is not to be used any longer, whatever it says of itself."""
        self._ends_at = 0.0

    def forget(self) -> None:
        """The pairing has ended."""
        with self._lock:
            self._tokens = None

    def check_lease(self, command: dict[str, Any]) -> None:
        """Raises LeaseRefusedError unless the lease is StoFlow's and for exactly this command."""
        claims = self._claims(command["lease"])
        asked = {
            "command": command["command_id"],
            "method": command["request"]["method"],
            "path": command["request"]["path"],
            "site": command["request"]["site"],
            "tid": self._shop(),
        }
        for name, value in asked.items():
            if claims.get(name) != value:
                raise LeaseRefusedError("bad_lease", f"The lease is for another {name}.")

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _claims(self, lease: str) -> dict[str, Any]:
        """What a genuine lease in force says. Raises LeaseRefusedError."""
        try:
            key = self._key(str(jwt.get_unverified_header(lease).get("kid")))
            claims: dict[str, Any] = jwt.decode(
                lease,
                key,
                algorithms=["RS256"],
                options={"require": ["exp"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError as late:
            raise LeaseRefusedError("expired", "The lease has ended.") from late
        except jwt.PyJWTError as wrong:
            raise LeaseRefusedError("bad_lease", f"The lease is not good: {wrong}") from wrong
        return claims

    def _key(self, kid: str) -> Any:
        if kid not in self._keys:
            answer = self._http.get("/.well-known/jwks.json").raise_for_status().json()
            self._keys = {row["kid"]: jwt.PyJWK.from_dict(row).key for row in answer["keys"]}
        if kid not in self._keys:
            raise LeaseRefusedError("bad_lease", "StoFlow knows no such key.")
        return self._keys[kid]

    def _shop(self) -> Any:
        """The shop's number, as the access token says it."""
        return jwt.decode(self.token(), options={"verify_signature": False}).get("tid")

    def _refresh(self, refresh_token: str) -> None:
        """A refresh token is good once, so nobody else may ask meanwhile: the lock is held."""
        answer = self._http.post("/api/v1/auth/refresh", json={"refresh_token": refresh_token})
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._tokens = None
            raise NotPairedError
        self._keep(answer)

    def _keep(self, answer: httpx.Response) -> None:
        tokens: dict[str, Any] = answer.raise_for_status().json()
        lives_s = float(tokens["expires_in"])
        self._tokens = tokens
        self._ends_at = time.monotonic() + lives_s - min(REFRESH_AHEAD_S, lives_s / 2)
