"""What the sellers of tests sign in with."""

from argon2 import PasswordHasher

from services.accounts.identity.passwords import Passwords

PASSWORD = "correct horse battery"

CHEAP_PASSWORDS = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Real argon2id with the least work it allows."""
