"""Consent with PKCE, and tokens that rotate: every refresh gives a new refresh token."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import structlog

from services.gateways.calls import UnreadableAnswer, retry_after_seconds
from services.gateways.etsy.errors import EtsyGrantRefused
from services.gateways.etsy.reading import number, text
from services.gateways.etsy.transport import EtsyAddresses, EtsyKeys, needed
from shared.clock import Clock
from shared.errors import APIConnectionError, APITimeoutError, EtsyError, Misconfigured, Remedy
from shared.ids import new_secret

log = structlog.get_logger(__name__)

SELLER_SCOPES = (
    "listings_r",
    "listings_w",
    "listings_d",
    "shops_r",
    "transactions_r",
    "transactions_w",
)
"""What a seller is asked for: listings, the shop's profiles, orders. A refresh cannot widen it."""

REFRESH_LIFE = timedelta(days=90)
"""How long a refresh token is good; Etsy documents it and does not say it in the answer."""


_REFUSALS = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True)
class EtsyGrant:
    """A pair of tokens. The refresh token replaces the one that it was got with."""

    token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime

    @property
    def user_id(self) -> str:
        """Whose it is: Etsy puts the user's number in front of its tokens."""
        return self.token.partition(".")[0]


def new_verifier() -> str:
    """A secret for one consent: 43 characters of those that PKCE allows."""
    return new_secret()


def challenge_of(verifier: str) -> str:
    """What the consent page is told of a verifier (S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class EtsyOAuth:
    """The authorization-code flow. Thread-safe.

    Raises `EtsyGrantRefused` (RECONNECT) when a code or refresh token is no longer good and
    `Misconfigured` when the application's keys are missing or wrong. After `APIConnectionError`
    Etsy has seen nothing. After `APITimeoutError` it may have: asking once more with the same
    refresh token then either gives tokens or ends in `EtsyGrantRefused`.
    """

    def __init__(
        self, http: httpx.Client, addresses: EtsyAddresses, keys: EtsyKeys | None, clock: Clock
    ) -> None:
        self._http = http
        self._addresses = addresses
        self._keys = keys
        self._clock = clock

    def authorize_url(
        self, state: str, verifier: str, scopes: Sequence[str] = SELLER_SCOPES
    ) -> str:
        """Where the seller agrees."""
        keys = needed(self._keys)
        query = {
            "response_type": "code",
            "client_id": keys.keystring,
            "redirect_uri": keys.redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return f"{self._addresses.auth.rstrip('/')}/oauth/connect?" + urlencode(
            query, quote_via=quote
        )

    def exchange(self, code: str, verifier: str) -> EtsyGrant:
        """Turn the code of a redirect into tokens. Works once."""
        return self._ask(
            {
                "grant_type": "authorization_code",
                "redirect_uri": needed(self._keys).redirect_uri,
                "code": code,
                "code_verifier": verifier,
            }
        )

    def refresh(self, refresh_token: str) -> EtsyGrant:
        """A new pair; the old refresh token is void from then on."""
        return self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def _ask(self, form: Mapping[str, str]) -> EtsyGrant:
        keys = needed(self._keys)
        try:
            response = self._http.post(
                f"{self._addresses.api.rstrip('/')}/v3/public/oauth/token",
                data={**form, "client_id": keys.keystring},
                headers={"Accept": "application/json"},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise APIConnectionError("Etsy could not be reached for a token.") from None
        except (httpx.TransportError, httpx.DecodingError):
            raise APITimeoutError("Etsy did not answer when asked for a token.") from None
        log.debug("etsy.token", grant=form["grant_type"], status=response.status_code)
        return self._grant_in(_granted(response))

    def _grant_in(self, body: Any) -> EtsyGrant:
        now = self._clock.now()
        grant = EtsyGrant(
            text(body, "access_token"),
            now + timedelta(seconds=number(body, "expires_in")),
            text(body, "refresh_token"),
            now + REFRESH_LIFE,
        )
        if not grant.user_id.isdigit():
            raise UnreadableAnswer("Etsy's token does not say whose it is.")
        return grant


def _granted(response: httpx.Response) -> Any:
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success:
        if isinstance(body, dict):
            return body
        raise APITimeoutError("Etsy's answer with a token could not be read.")
    reason = str(body.get("error", "")) if isinstance(body, dict) else ""
    if reason in ("invalid_client", "unauthorized_client"):
        raise Misconfigured("Etsy does not accept this installation's STOFLOW_ETSY_KEYSTRING.")
    if response.status_code in _REFUSALS:
        raise EtsyGrantRefused(reason or "refused")
    raise EtsyError(
        "Etsy gives no token at the moment; we try again.",
        remedy=Remedy.WAIT,
        retry_after=retry_after_seconds(response.headers),
    )
