"""Key material: from the environment, or, in development, made once in the data folder."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from pydantic import SecretStr

from backend.settings import Settings
from shared.encryption import SecretBox, new_key
from shared.errors import Misconfigured

MIN_BITS = 2048
"""RFC 7518 §3.3: RS256 needs a key of 2048 bits or more."""

_END_OF_KEY = "-----END PUBLIC KEY-----"


@dataclass(frozen=True)
class Keys:
    """What signs tokens and what encrypts secrets at rest."""

    token_key: RSAPrivateKey
    previous_token_keys: tuple[RSAPublicKey, ...]
    secret_box: SecretBox


def load_keys(settings: Settings) -> Keys:
    """Read or make all keys. Raises `Misconfigured`, naming the setting, when one is unusable."""
    settings.refuse_unsafe_production()
    folder = settings.data_dir / "keys"
    token_pem = _given(settings.tokens.private_key) or _kept(folder / "token.pem", new_token_key)
    encryption = _given(settings.encryption.key) or _kept(folder / "encryption.key", new_key)
    older = _given(settings.encryption.previous_keys) or ""
    try:
        box = SecretBox(encryption, [each.strip() for each in older.split(",") if each.strip()])
    except ValueError:
        raise Misconfigured(
            "STOFLOW_ENCRYPTION_KEY and STOFLOW_ENCRYPTION_PREVIOUS_KEYS must be Fernet keys; "
            "'stoflow keys generate' makes one."
        ) from None
    previous = _public_keys(_given(settings.tokens.previous_public_keys) or "")
    return Keys(_private_key(token_pem), previous, box)


def new_token_key() -> str:
    """A fresh RSA key for signing tokens, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=MIN_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _given(secret: SecretStr | None) -> str | None:
    # Hosting dashboards often store a multi-line value with literal \n in it.
    return secret.get_secret_value().replace("\\n", "\n").strip() if secret else None


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; made first if need be. Only the owner may read it.

    Of two processes that start at once, both end up with the same key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as draft:
            draft.write(make())
            draft.flush()
            with suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text().strip()


@cache
def _private_key(pem: str) -> RSAPrivateKey:
    """Checking that it is a good one takes a while."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Misconfigured("STOFLOW_TOKEN_PRIVATE_KEY is not a private key in PEM.") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_BITS:
        raise Misconfigured(f"STOFLOW_TOKEN_PRIVATE_KEY must be RSA of {MIN_BITS} bits or more.")
    return key


def _public_keys(pems: str) -> tuple[RSAPublicKey, ...]:
    return tuple(_public_key(pem + _END_OF_KEY) for pem in _split(pems))


def _split(pems: str) -> Sequence[str]:
    return [part.strip() + "\n" for part in pems.split(_END_OF_KEY) if part.strip()]


def _public_key(pem: str) -> RSAPublicKey:
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size < MIN_BITS:
        raise Misconfigured(
            f"STOFLOW_TOKEN_PREVIOUS_PUBLIC_KEYS must be RSA public keys of {MIN_BITS} bits or "
            "more, in PEM, one after the other."
        )
    return key
