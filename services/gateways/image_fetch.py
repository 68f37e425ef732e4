"""Fetches photos from addresses that strangers wrote into a file, without being led astray.

Only http and https; every address that the name resolves to must be public; the connection goes
to exactly the address that was checked, so a name that changes its mind in between gains nothing;
each redirect is checked like the first address. Never call it inside a transaction.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Protocol

import httpx

from shared.errors import APIError
from shared.http_client import trusted_authorities

MAX_BYTES = 20_000_000
"""Of one photo; a longer answer is broken off."""

MAX_REDIRECTS = 5

_SCHEMES = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Resolve = Callable[[str, int], Sequence[str]]
"""Addresses of a host name. Raises OSError."""


class ImageUnavailable(APIError):
    """The photo could not be had. `host_is_down` says that others from there will fail too."""

    code, title = "image-unavailable", "The photo could not be fetched"

    def __init__(self, detail: str, *, host_is_down: bool = False) -> None:
        super().__init__(detail)
        self.host_is_down = host_is_down


class ImageFetcher(Protocol):
    """Gets the bytes behind a URL."""

    def fetch(self, url: str) -> bytes:
        """The bytes, whatever they are. Raises `ImageUnavailable` with a sentence why."""
        ...


def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to connect, and what to ask there."""

    url: httpx.URL
    addresses: Sequence[str]

    def request(self, client: httpx.Client, address: str) -> httpx.Request:
        """A request to one of the checked addresses, under the name it was asked for."""
        return client.build_request(
            "GET",
            self.url.copy_with(host=address),
            headers={"Host": self.url.netloc.decode("ascii")},
            extensions={"sni_hostname": self.url.raw_host.decode("ascii")},
        )


class HttpImageFetcher:
    """Fetches over HTTP. Safe to use from several threads; close it when done."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        timeout: timedelta = timedelta(seconds=10),
        max_bytes: int = MAX_BYTES,
        resolve: Resolve = resolve_by_system,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allow_private = allow_private
        self._timeout = timeout.total_seconds()
        self._max_bytes = max_bytes
        self._resolve = resolve
        self._monotonic = monotonic
        self._client = httpx.Client(
            timeout=self._timeout,
            trust_env=False,
            verify=trusted_authorities(trust_env=False),
            follow_redirects=False,
            headers={"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "StoFlow"},
        )

    def __enter__(self) -> "HttpImageFetcher":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def fetch(self, url: str) -> bytes:
        """The bytes behind `url`, within the time for all redirects together."""
        deadline = self._monotonic() + self._timeout
        following = self._target(url)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._ask(following, deadline)
            if isinstance(answer, bytes):
                return answer
            following = self._target(str(following.url.join(answer)))
        raise ImageUnavailable(f"It redirects more than {MAX_REDIRECTS} times.")

    def _ask(self, target: _Target, deadline: float) -> bytes | str:
        """The body, or where it has moved."""
        try:
            answer = self._connect(target)
            try:
                if answer.status_code in _REDIRECTS and "location" in answer.headers:
                    return answer.headers["location"]
                return self._read(answer, deadline)
            finally:
                answer.close()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise ImageUnavailable("The address cannot be reached.", host_is_down=True) from None
        except httpx.TimeoutException:
            raise ImageUnavailable("No answer in time.") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise ImageUnavailable("The connection broke off.") from None

    def _connect(self, target: _Target) -> httpx.Response:
        *others, last = target.addresses
        for address in others:
            try:
                return self._client.send(target.request(self._client, address), stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return self._client.send(target.request(self._client, last), stream=True)

    def _read(self, answer: httpx.Response, deadline: float) -> bytes:
        if answer.status_code != httpx.codes.OK:
            raise ImageUnavailable(f"The address answered with status {answer.status_code}.")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise ImageUnavailable("The answer is compressed, which was not asked for.")
        parts, received = [], 0
        for part in answer.iter_raw():
            parts.append(part)
            received += len(part)
            if received > self._max_bytes:
                limit = self._max_bytes // 1_000_000
                raise ImageUnavailable(f"It is larger than {limit} MB.")
            if self._monotonic() > deadline:
                raise ImageUnavailable("It took too long.")
        return b"".join(parts)

    def _target(self, text: str) -> _Target:
        try:
            url = httpx.URL(text)
            host = url.raw_host.decode("ascii")
        except (httpx.InvalidURL, UnicodeError):
            raise ImageUnavailable("This is not an address of the web.") from None
        if url.scheme not in _SCHEMES or not host:
            raise ImageUnavailable("Only http and https addresses are fetched.")
        if url.userinfo:
            raise ImageUnavailable("Addresses with a user name or password are not fetched.")
        return _Target(url, self._checked_addresses(host, url.port or _SCHEMES[url.scheme]))

    def _checked_addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = self._resolve(host.strip("[]"), port)
        except (OSError, UnicodeError, OverflowError):
            addresses = []
        if not addresses:
            raise ImageUnavailable("There is no such host.", host_is_down=True)
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise ImageUnavailable("This address is not on the public internet.")
        return addresses


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also when wrapped in IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or _behind_nat64(ip)
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None:
            return False
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _behind_nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
