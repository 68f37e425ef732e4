"""The one way out over HTTP: every client to an outside system is made here."""

import ssl
from datetime import timedelta
from functools import cache

import httpx

_CONNECT_AT_MOST = 5.0
"""Seconds: a server that takes longer to accept a connection will not answer in time either."""


@cache
def trusted_authorities(*, trust_env: bool = True) -> ssl.SSLContext:
    """Whose certificates this process accepts; read once, as it takes as long as a request.

    `trust_env` honours `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    """
    return httpx.create_ssl_context(trust_env=trust_env)


def outbound_client(
    timeout: timedelta,
    *,
    max_connections: int = 20,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """A pooled client that never follows a redirect; safe to share between threads.

    `timeout` is the longest wait for an answer. A caller that needs more than `max_connections`
    at once waits for a free one, so no process can burst beyond them.
    """
    seconds = timeout.total_seconds()
    return httpx.Client(
        timeout=httpx.Timeout(seconds, connect=min(seconds, _CONNECT_AT_MOST)),
        limits=httpx.Limits(
            max_connections=max_connections, max_keepalive_connections=max_connections
        ),
        follow_redirects=False,
        headers={"User-Agent": "StoFlow"},
        transport=transport,
        verify=trusted_authorities(),
    )
