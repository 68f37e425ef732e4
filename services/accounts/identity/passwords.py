"""Passwords: argon2id, its parameters raised over time, the same work for unknown accounts."""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import BadInput, FieldProblem
from shared.ids import new_secret

MIN_LENGTH = 10
MAX_LENGTH = 256
"""Bounds the work of hashing."""


class Passwords:
    """Makes and checks password hashes. `hasher` decides what one costs."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobodys = self._hasher.hash(new_secret())

    def hash(self, password: str) -> str:
        """An argon2id hash with a salt of its own."""
        return self._hasher.hash(_as_typed_anywhere(password))

    def matches(self, password: str, stored: str | None) -> bool:
        """Whether the password is right. Without a stored hash: the same work, and no."""
        if len(password) > MAX_LENGTH:
            stored = None
            password = password[:MAX_LENGTH]
        try:
            right = self._hasher.verify(stored or self._nobodys, _as_typed_anywhere(password))
        except (VerificationError, InvalidHashError):
            return False
        return right and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


def refuse_weak_password(password: str, email: str) -> None:
    """Raise `BadInput` unless the password is long enough and is not the e-mail address."""
    if problem := _problem_with(password, email):
        raise BadInput(fields=[FieldProblem("password", problem)])


def _problem_with(password: str, email: str) -> str | None:
    if len(password) < MIN_LENGTH:
        return f"Use at least {MIN_LENGTH} characters."
    if len(password) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters."
    if password.casefold() == email.casefold():
        return "The e-mail address cannot be the password."
    if len(set(password)) == 1:
        return "One character repeated is not a password."
    return None


def _as_typed_anywhere(password: str) -> bytes:
    """Keyboards disagree on how an accent is coded: NFKC, as NIST SP 800-63B §3.1.1.2 asks."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
