"""Secrets at rest: Fernet with a current key, older keys for reading, and the key id in front."""

import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken

from shared.errors import Misconfigured


class SecretBox:
    """Encrypts short texts such as marketplace tokens.

    A ciphertext is `<key id>:<fernet token>`; the key id is the first 8 hex digits of the key's
    SHA-256, so one can count what still depends on an old key before removing it.
    """

    def __init__(self, current: str, previous: Sequence[str] = ()) -> None:
        self._current_id = key_id(current)
        self._keys = {key_id(key): Fernet(key.encode()) for key in (current, *previous)}

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Every key that can be used here, the current one first."""
        return tuple(self._keys)

    @property
    def current_key_id(self) -> str:
        """The id that new ciphertexts carry."""
        return self._current_id

    def seal(self, text: str) -> str:
        """Encrypt with the current key."""
        token = self._keys[self._current_id].encrypt(text.encode()).decode()
        return f"{self._current_id}:{token}"

    def open(self, sealed: str) -> str:
        """Decrypt. Raises `Misconfigured` when the key is gone or the text was altered."""
        found, _, token = sealed.partition(":")
        fernet = self._keys.get(found)
        if fernet is None:
            raise Misconfigured(
                f"A stored secret needs encryption key {found}; "
                "add that key to STOFLOW_ENCRYPTION_PREVIOUS_KEYS."
            )
        try:
            return fernet.decrypt(token.encode()).decode()
        except InvalidToken:
            raise Misconfigured(
                f"A stored secret could not be read with key {found}: it was altered."
            ) from None

    def is_current(self, sealed: str) -> bool:
        """Whether this ciphertext was made with the current key."""
        return sealed.startswith(f"{self._current_id}:")


def key_of(sealed: str) -> str:
    """The id of the key that opens a ciphertext."""
    return sealed.partition(":")[0]


def key_id(key: str) -> str:
    """The public name of a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def new_key() -> str:
    """A fresh Fernet key."""
    return Fernet.generate_key().decode()
