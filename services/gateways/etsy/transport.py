"""The one road to Etsy: headers, timeouts, tokens, and what each kind of failure means."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from time import perf_counter
from typing import Any

import httpx
import structlog

from services.gateways.calls import (
    Exchange,
    Observer,
    TokenSource,
    nobody_watches,
    retry_after_seconds,
)
from services.gateways.etsy.errors import EtsyRefusal, refusal
from services.gateways.etsy.quotas import EtsyCallBook
from services.gateways.etsy.reading import as_json
from shared.errors import APIConnectionError, APITimeoutError, Misconfigured, Remedy

log = structlog.get_logger(__name__)

BASE = "/v3/application"

CLOSED_FOR_SECONDS = 1.0
"""How long nobody asks after a 429 that names no time: the narrower of Etsy's two windows."""

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class EtsyAddresses:
    """Where Etsy is: its own servers, or another server that behaves as they do."""

    auth: str
    """Of the consent page."""
    api: str


@dataclass(frozen=True, slots=True)
class EtsyKeys:
    """The application at Etsy, and where consents come back to, to the letter as registered."""

    keystring: str
    shared_secret: str = field(repr=False)
    redirect_uri: str


def needed(keys: EtsyKeys | None) -> EtsyKeys:
    """The keys. Raises `Misconfigured` where this installation has none."""
    if keys is None:
        raise Misconfigured(
            "This installation has no Etsy application: set STOFLOW_ETSY_KEYSTRING and "
            "STOFLOW_ETSY_SHARED_SECRET."
        )
    return keys


@dataclass(frozen=True, slots=True)
class EtsyRequest:
    """What to ask. `operation` is Etsy's own operationId; at most one kind of body is given."""

    operation: str
    method: str
    path: str
    """Below `/v3/application`."""
    params: Pairs = ()
    form: Pairs | None = None
    """Lists are repeated names."""
    body: Mapping[str, Any] | None = None
    """Goes out as JSON; amounts are `Decimal`."""
    image: bytes | None = None
    """Sent as the multipart field `image`, beside `form`."""

    @property
    def changes_nothing(self) -> bool:
        """Whether a lost answer leaves no doubt."""
        return self.method == "GET"


class EtsyTransport:
    """Sends requests under one token. Never repeats a request that Etsy may have carried out.

    Every request is paid for in the `book` first: what our own count forbids is not sent.

    Raises `EtsyRefusal` when Etsy says no, `APIConnectionError` when the request changed nothing
    for certain, and `APITimeoutError` when it was sent and its answer was lost.
    """

    def __init__(
        self,
        http: httpx.Client,
        addresses: EtsyAddresses,
        keys: EtsyKeys | None,
        tokens: TokenSource,
        book: EtsyCallBook,
        observe: Observer = nobody_watches,
    ) -> None:
        self._http = http
        self._addresses = addresses
        self._keys = keys
        self._tokens = tokens
        self._book = book
        self._observe = observe

    def send(self, request: EtsyRequest) -> Any:
        """The answer's JSON, None for none. Asks again only after a refused token: then nothing
        was done."""
        token = self._tokens.current()
        try:
            return self._once(request, token)
        except EtsyRefusal as refused:
            if not _token_refused(refused):
                raise
        return self._with_new_token(request, self._tokens.replacing(token))

    def _with_new_token(self, request: EtsyRequest, token: str) -> Any:
        try:
            return self._once(request, token)
        except EtsyRefusal as refused:
            if not _token_refused(refused):
                raise
            # Etsy itself has just given it: connecting again would mend nothing.
            raise EtsyRefusal(
                "Etsy did not accept a token that it had just given; we try again.",
                http_status=refused.http_status,
                said=refused.said,
                remedy=Remedy.WAIT,
            ) from None

    def _once(self, request: EtsyRequest, token: str) -> Any:
        outgoing = self._prepared(request, token)
        self._book.ledger.pay(self._book.quotas.all, self._tokens.account)
        sent = outgoing.read() if request.image is None else request.image
        started = perf_counter()
        try:
            response = self._http.send(outgoing)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _unreachable(request, error) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            self._observe(Exchange(request.operation, sent, None, b""))
            raise _lost(request, error) from None
        self._observe(Exchange(request.operation, sent, response.status_code, response.content))
        log.debug(
            "etsy.call",
            operation=request.operation,
            status=response.status_code,
            remaining_today=response.headers.get("x-remaining-today"),
            milliseconds=round((perf_counter() - started) * 1000),
        )
        try:
            return _understood(request, response)
        except EtsyRefusal as refused:
            if refused.http_status == httpx.codes.TOO_MANY_REQUESTS:
                refused.retry_after = refused.retry_after or CLOSED_FOR_SECONDS
                narrowest = self._book.quotas.narrowest
                self._book.ledger.close(narrowest, self._tokens.account, refused.retry_after)
            raise

    def _prepared(self, request: EtsyRequest, token: str) -> httpx.Request:
        keys = needed(self._keys)
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            "x-api-key": f"{keys.keystring}:{keys.shared_secret}",
        }
        content: bytes | None = None
        files: Any = None
        data: Any = None
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            content = as_json(request.body).encode()
        elif request.image is not None:
            files = {"image": ("photo", request.image, "application/octet-stream")}
            data = dict(request.form or ())
        elif request.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            content = str(httpx.QueryParams(list(request.form))).encode()
        return self._http.build_request(
            request.method,
            self._addresses.api.rstrip("/") + BASE + request.path,
            params=list(request.params) or None,
            headers=headers,
            content=content,
            data=data,
            files=files,
        )


def _token_refused(refused: EtsyRefusal) -> bool:
    """A 401 about the application's key is not about the seller's token."""
    return refused.http_status == httpx.codes.UNAUTHORIZED and refused.remedy is Remedy.RECONNECT


def _understood(request: EtsyRequest, response: httpx.Response) -> Any:
    body = _json_of(response)
    if not response.is_success:
        raise refusal(response.status_code, body, retry_after_seconds(response.headers))
    if body is None and response.content:
        raise _lost(request, ValueError("not JSON"))
    return body


def _json_of(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return json.loads(response.content, parse_float=Decimal)
    except ValueError:
        return None


def _unreachable(request: EtsyRequest, error: Exception) -> APIConnectionError:
    log.warning("etsy.unreachable", operation=request.operation, reason=type(error).__name__)
    return APIConnectionError("Etsy could not be reached; nothing was changed. We try again.")


def _lost(request: EtsyRequest, error: Exception) -> APIConnectionError | APITimeoutError:
    log.warning("etsy.answer_lost", operation=request.operation, reason=type(error).__name__)
    if request.changes_nothing:
        return APIConnectionError("Etsy did not answer in time; nothing was changed.")
    return APITimeoutError("Etsy did not answer in time; whether it did the work is looked up.")
