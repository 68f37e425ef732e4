"""The one road to eBay: headers, timeouts, tokens, and what each kind of failure means."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Any

import httpx
import structlog

from services.gateways.calls import Exchange as Exchange
from services.gateways.calls import Observer as Observer
from services.gateways.calls import TokenSource as TokenSource
from services.gateways.calls import nobody_watches as nobody_watches
from services.gateways.calls import retry_after_seconds as retry_after_seconds
from services.gateways.ebay.errors import EbayRefusal, refusal
from services.gateways.ebay.marketplaces import Marketplace
from services.gateways.ebay.quotas import EbayQuotas
from services.gateways.quotas import CallLedger, Quota
from shared.errors import APIConnectionError, APITimeoutError, Remedy
from shared.ids import new_uuid

log = structlog.get_logger(__name__)


class Host(StrEnum):
    """Which of eBay's servers answers."""

    API = "api"
    IDENTITY = "identity"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class EbayAddresses:
    """Where eBay is: its own servers, its sandbox, or another server that behaves as they do."""

    auth: str
    api: str
    identity: str
    media: str

    def of(self, host: Host) -> str:
        """Base address without a slash at the end."""
        return str(getattr(self, host.value)).rstrip("/")


@dataclass(frozen=True, slots=True)
class EbayRequest:
    """What to ask. `operation` is eBay's own operationId; `body` goes out as JSON."""

    operation: str
    method: str
    path: str
    host: Host = Host.API
    params: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    image: bytes | None = None
    """Sent as the multipart field `image`."""

    @property
    def changes_nothing(self) -> bool:
        """Whether a lost answer leaves no doubt."""
        return self.method == "GET"


@dataclass(frozen=True, slots=True)
class EbayAnswer:
    """A successful answer; `body` is None when there was none, as with a 204."""

    status: int
    body: Any
    headers: Mapping[str, str]


CLOSED_FOR_SECONDS = 60.0
"""How long nobody asks after a 429 that names no time; eBay documents no Retry-After."""


@dataclass(frozen=True, slots=True)
class CallBook:
    """Where each call is paid for, and against which quotas."""

    ledger: CallLedger
    quotas: EbayQuotas


class EbayTransport:
    """Sends requests under one token. Never repeats a request that eBay may have carried out.

    Every request is paid for in the `book` first: what our own count forbids is not sent.

    Raises `EbayRefusal` when eBay says no, `APIConnectionError` when the request changed nothing
    for certain, and `APITimeoutError` when it was sent and its answer was lost.
    """

    def __init__(
        self,
        http: httpx.Client,
        addresses: EbayAddresses,
        marketplace: Marketplace,
        tokens: TokenSource,
        book: CallBook,
        observe: Observer = nobody_watches,
    ) -> None:
        self._book = book
        self._http = http
        self._addresses = addresses
        self._tokens = tokens
        self._observe = observe
        self.marketplace = marketplace

    def send(self, request: EbayRequest) -> EbayAnswer:
        """Ask once; a second time only after a refused token, for then nothing was done."""
        token = self._tokens.current()
        try:
            return self._once(request, token)
        except EbayRefusal as refused:
            if refused.http_status != httpx.codes.UNAUTHORIZED:
                raise
        return self._with_new_token(request, self._tokens.replacing(token))

    def _with_new_token(self, request: EbayRequest, token: str) -> EbayAnswer:
        try:
            return self._once(request, token)
        except EbayRefusal as refused:
            if refused.http_status != httpx.codes.UNAUTHORIZED:
                raise
            # eBay itself has just given it: connecting again would mend nothing.
            raise EbayRefusal(
                "eBay did not accept a token that it had just given; we try again.",
                http_status=refused.http_status,
                items=refused.items,
                remedy=Remedy.WAIT,
            ) from None

    def _once(self, request: EbayRequest, token: str) -> EbayAnswer:
        quotas = self._book.quotas.of(request.method, request.path)
        self._book.ledger.pay(quotas, self._tokens.account)
        outgoing = self._prepared(request, token)
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
            "ebay.call",
            operation=request.operation,
            status=response.status_code,
            request_id=outgoing.headers["X-Request-ID"],
            milliseconds=round((perf_counter() - started) * 1000),
        )
        try:
            return _understood(request, response)
        except EbayRefusal as refused:
            if refused.http_status == httpx.codes.TOO_MANY_REQUESTS:
                refused.retry_after = self._close(quotas, refused.retry_after)
            raise

    def _close(self, quotas: Sequence[Quota], seconds: float | None) -> float:
        """Keep every process from asking until eBay takes calls again; the narrowest quota only."""
        narrowest = sorted(quotas, key=lambda quota: quota.window)[:1]
        longest = [quota.window.total_seconds() for quota in narrowest]
        wait = seconds or min([CLOSED_FOR_SECONDS, *longest])
        self._book.ledger.close(narrowest, self._tokens.account, wait)
        return wait

    def _prepared(self, request: EbayRequest, token: str) -> httpx.Request:
        headers = {
            "Accept": "application/json",
            # eBay answers 25709 to a wildcard or a missing language.
            "Accept-Language": self.marketplace.language,
            "X-EBAY-C-MARKETPLACE-ID": self.marketplace.id,
            "Authorization": f"Bearer {token}",
            "X-Request-ID": str(new_uuid()),
        }
        content: bytes | None = None
        files: Any = None
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            headers["Content-Language"] = self.marketplace.language
            content = json.dumps(request.body, ensure_ascii=False, sort_keys=True).encode()
        elif request.image is not None:
            files = {"image": ("photo", request.image, "application/octet-stream")}
        return self._http.build_request(
            request.method,
            self._addresses.of(request.host) + request.path,
            params=request.params,
            headers=headers,
            content=content,
            files=files,
        )


def _understood(request: EbayRequest, response: httpx.Response) -> EbayAnswer:
    body = _json_of(response)
    if not response.is_success:
        raise refusal(response.status_code, body, retry_after_seconds(response.headers))
    if body is None and response.content:
        raise _lost(request, ValueError("not JSON"))
    return EbayAnswer(response.status_code, body, response.headers)


def _json_of(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        return None


def _unreachable(request: EbayRequest, error: Exception) -> APIConnectionError:
    log.warning("ebay.unreachable", operation=request.operation, reason=type(error).__name__)
    return APIConnectionError("eBay could not be reached; nothing was changed. We try again.")


def _lost(request: EbayRequest, error: Exception) -> APIConnectionError | APITimeoutError:
    log.warning("ebay.answer_lost", operation=request.operation, reason=type(error).__name__)
    if request.changes_nothing:
        return APIConnectionError("eBay did not answer in time; nothing was changed.")
    return APITimeoutError("eBay did not answer in time; whether it did the work is looked up.")
