"""Consent, tokens for sellers, and the application's own token."""

import base64
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import structlog

from services.gateways.calls import AccessGrant
from services.gateways.ebay.errors import EbayGrantRefused
from services.gateways.ebay.reading import UnreadableAnswer, text, whole
from services.gateways.ebay.transport import EbayAddresses, Host, retry_after_seconds
from shared.clock import Clock
from shared.errors import APIConnectionError, APITimeoutError, EbayError, Misconfigured, Remedy

log = structlog.get_logger(__name__)

SCOPE = "https://api.ebay.com/oauth/api_scope"
"""Scopes keep this host on every environment."""

FULFILLMENT_SCOPE = f"{SCOPE}/sell.fulfillment"
"""Orders and parcels."""

SELLER_SCOPES = (
    SCOPE,
    f"{SCOPE}/sell.inventory",
    f"{SCOPE}/sell.account",
    FULFILLMENT_SCOPE,
    f"{SCOPE}/commerce.identity.readonly",
)
"""What a seller is asked for: listings, policies and location, orders, and who they are."""

APPLICATION_SCOPES = (SCOPE,)
"""Public data: categories, item specifics, conditions."""

_EARLY = timedelta(minutes=5)
"""A token is replaced this long before it expires."""


@dataclass(frozen=True, slots=True)
class Keyset:
    """The application at eBay. `ru_name` is a name eBay gave to our redirect, not a URL."""

    client_id: str
    client_secret: str
    ru_name: str

    def __repr__(self) -> str:
        return f"Keyset(client_id={self.client_id!r})"


@dataclass(frozen=True, slots=True, repr=False)
class SellerGrant:
    """What a consent gives: a token for now and one to get further ones with."""

    access: AccessGrant
    refresh_token: str
    refresh_expires_at: datetime


class EbayOAuth:
    """The authorization-code flow. Thread-safe.

    Raises `EbayGrantRefused` (RECONNECT) when a code or refresh token is no longer good,
    `Misconfigured` when the keyset is missing or wrong, `APIConnectionError` and
    `APITimeoutError` when no answer came: asking for a token again is always safe.
    """

    def __init__(
        self, http: httpx.Client, addresses: EbayAddresses, keyset: Keyset | None, clock: Clock
    ) -> None:
        self._http = http
        self._addresses = addresses
        self._maybe_keyset = keyset
        self._clock = clock

    @property
    def _keyset(self) -> Keyset:
        if self._maybe_keyset is None:
            raise Misconfigured(
                "This installation has no eBay keyset: set STOFLOW_EBAY_CLIENT_ID, "
                "STOFLOW_EBAY_CLIENT_SECRET and STOFLOW_EBAY_RU_NAME."
            )
        return self._maybe_keyset

    def authorize_url(self, state: str, scopes: Sequence[str] = SELLER_SCOPES) -> str:
        """Where the seller agrees."""
        query = {
            "client_id": self._keyset.client_id,
            "redirect_uri": self._keyset.ru_name,
            "response_type": "code",
            "scope": " ".join(scopes),
            "state": state,
        }
        return f"{self._addresses.auth.rstrip('/')}/oauth2/authorize?" + urlencode(
            query, quote_via=quote
        )

    def exchange(self, code: str) -> SellerGrant:
        """Turn the code of a redirect, percent-decoded once, into tokens. Works once."""
        body = self._ask(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._keyset.ru_name,
            }
        )
        return SellerGrant(
            self._access_of(body),
            text(body, "refresh_token"),
            self._in(body, "refresh_token_expires_in"),
        )

    def refresh(self, refresh_token: str, scopes: Sequence[str]) -> AccessGrant:
        """A new access token with the same scopes; the refresh token stays as it is."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._access_of(self._ask({**form, "scope": " ".join(scopes)}))

    def application(self, scopes: Sequence[str]) -> AccessGrant:
        """A token of the application itself; eBay gives 1,000 a day."""
        form = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
        return self._access_of(self._ask(form))

    def _access_of(self, body: Any) -> AccessGrant:
        return AccessGrant(text(body, "access_token"), self._in(body, "expires_in"))

    def _in(self, body: Any, name: str) -> datetime:
        seconds = whole(body, name)
        if seconds is None:
            raise UnreadableAnswer(f"eBay's answer lacks {name}.")
        return self._clock.now() + timedelta(seconds=seconds)

    def _ask(self, form: Mapping[str, str]) -> Any:
        keyset = self._keyset
        secret = base64.b64encode(f"{keyset.client_id}:{keyset.client_secret}".encode()).decode()
        url = f"{self._addresses.of(Host.API)}/identity/v1/oauth2/token"
        try:
            response = self._http.post(
                url,
                data=dict(form),
                headers={"Authorization": f"Basic {secret}", "Accept": "application/json"},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise APIConnectionError("eBay could not be reached for a token.") from None
        except (httpx.TransportError, httpx.DecodingError):
            raise APITimeoutError("eBay did not answer when asked for a token.") from None
        log.debug("ebay.token", grant=form["grant_type"], status=response.status_code)
        return _granted(response)


class ApplicationTokens:
    """The application's own token, kept until shortly before it expires. A `TokenSource`."""

    def __init__(self, oauth: EbayOAuth, clock: Clock) -> None:
        self._oauth = oauth
        self._clock = clock
        self._grant: AccessGrant | None = None
        self._lock = threading.Lock()

    @property
    def account(self) -> str:
        """The application speaks for no shop."""
        return ""

    def current(self) -> str:
        """The kept token or a new one."""
        with self._lock:
            if self._grant is None or self._grant.expires_at - _EARLY <= self._clock.now():
                self._grant = self._oauth.application(APPLICATION_SCOPES)
            return self._grant.token

    def replacing(self, rejected: str) -> str:
        """A new token, unless somebody has fetched one meanwhile."""
        with self._lock:
            if self._grant is None or self._grant.token == rejected:
                self._grant = self._oauth.application(APPLICATION_SCOPES)
            return self._grant.token


def _granted(response: httpx.Response) -> Any:
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success and isinstance(body, dict):
        return body
    reason = str(body.get("error", "")) if isinstance(body, dict) else ""
    if reason in ("invalid_client", "unauthorized_client"):
        raise Misconfigured("eBay does not accept this installation's keyset (STOFLOW_EBAY_…).")
    if response.status_code < 500 and response.status_code != httpx.codes.TOO_MANY_REQUESTS:
        raise EbayGrantRefused(reason or "refused", remedy=Remedy.RECONNECT)
    raise EbayError(
        "eBay gives no token at the moment; we try again.",
        remedy=Remedy.WAIT,
        retry_after=retry_after_seconds(response.headers),
    )
