"""The sandbox Vinted as one object."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.keeping import KeptSandbox
from sandbox.vinted.catalogue import Catalogue
from sandbox.vinted.state import STANDARD_PASSWORD, Account, VintedState

TEST_MEMBERS = ("camille", "jonas")
FIRST_USER = 184_000_001
LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,29}")


@dataclass(frozen=True)
class Options:
    """How a sandbox is set up."""

    state_file: Path | None = None
    latency_s: float = 0.0
    """Time each call of the API takes before its work begins."""
    members: Iterable[str] = TEST_MEMBERS
    currency: str = "EUR"
    """Of every price, as on one of Vinted's sites."""


class VintedSandbox(KeptSandbox[VintedState]):
    """All that pages and operations work on. Touched only from the server's event loop."""

    def __init__(self, options: Options) -> None:
        super().__init__(
            VintedState(currency=options.currency), options.state_file, options.latency_s
        )
        self.options = options
        self.catalogue = Catalogue()
        self._enrol_test_members()

    def reset(self) -> None:
        """Forget everything; the members it was set up with are there."""
        self.begin_anew(VintedState(currency=self.options.currency))
        self._enrol_test_members()

    def enrol(self, login: str, password: str = STANDARD_PASSWORD) -> Account:
        """A new member. Raises ValueError where the name cannot be one or is taken."""
        if not LOGIN.fullmatch(login) or self.state.account_named(login):
            raise ValueError("login is taken, or has characters a login cannot have")
        user_id = self.state.next_id("user", FIRST_USER)
        account = Account(user_id, login, password, self.clock.now())
        self.state.accounts[user_id] = account
        return account

    def member(self, login: str) -> Account:
        """The member of that name, enrolled if there is none. Raises ValueError."""
        return self.state.account_named(login) or self.enrol(login)

    def _enrol_test_members(self) -> None:
        for login in self.options.members:
            self.member(login)
