"""Whose certificates the browser accepts."""

import ssl
from functools import cache

import httpx


@cache
def trusted_authorities() -> ssl.SSLContext:
    """Read once a process: it takes as long as a request."""
    return httpx.create_ssl_context()
