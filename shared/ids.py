"""Identifiers that are made here rather than by the database."""

import base64
import secrets
import uuid


def new_uuid() -> uuid.UUID:
    """A random identifier (version 4)."""
    return uuid.uuid4()


def new_channel_key() -> str:
    """The name a variant keeps on every channel for ever: `SF` and 20 capitals and digits.

    Letters and digits only and well under 50 characters, because eBay's SKU allows no more
    (error 25707). It never depends on what a seller can edit.
    """
    return "SF" + secrets.token_hex(10).upper()


def new_secret(bytes_of_entropy: int = 32) -> str:
    """An unguessable token that is safe in a URL."""
    return secrets.token_urlsafe(bytes_of_entropy)


def encode_cursor(*parts: object) -> str:
    """Make a page cursor that clients treat as opaque."""
    raw = "\x1f".join(str(part) for part in parts)
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> list[str]:
    """Undo `encode_cursor`. Raises ValueError when it was not ours."""
    padded = cursor + "=" * (-len(cursor) % 4)
    raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    return raw.decode().split("\x1f")
