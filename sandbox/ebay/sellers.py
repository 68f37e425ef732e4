"""Seller accounts: found by name, opened on first sign-in."""

import re

from sandbox.ebay.policies import POLICY_KINDS, policy_added, starter_policy
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.state import OPT_IN_DEFAULT, Seller

PREFIX = "TESTUSER_"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
FIRST_USER = 7_300_001


def full_name(name: str) -> str:
    """A sandbox user name: eBay's all begin with TESTUSER_."""
    return name if name.startswith(PREFIX) else PREFIX + name


def possible_name(name: str) -> bool:
    """Whether an account can have this name."""
    return _NAME.fullmatch(name) is not None


def seller_named(sandbox: EbaySandbox, name: str) -> Seller | None:
    """The account of that name, opened if need be; None when no account can have the name."""
    if not possible_name(name.strip()):
        return None
    return sandbox.state.sellers.get(full_name(name.strip())) or open_account(sandbox, name.strip())


def open_account(sandbox: EbaySandbox, name: str, ready: bool = True) -> Seller:
    """A new account; a `ready` one has opted in and has one policy of each kind for EBAY_US."""
    number = sandbox.state.next_number("user", FIRST_USER)
    seller = Seller(name=full_name(name), user_id=f"sbx{number}")
    sandbox.state.sellers[seller.name] = seller
    if ready:
        seller.programs.append(OPT_IN_DEFAULT)
        for kind in POLICY_KINDS:
            policy_added(sandbox.state, seller, kind, starter_policy(kind))
    sandbox.changed()
    return seller
