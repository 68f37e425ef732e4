"""An account and its shop come into being together, or not at all."""

from dataclasses import dataclass

from models.accounts.identity import Role, User
from repositories.accounts.identity import UserRepository
from services.accounts.identity.passwords import Passwords, refuse_weak_password
from services.accounts.outbox.recording import OutboxRecorder
from services.accounts.tenants.events import ShopOpened
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import Clock
from shared.database import PlatformSession, TenantSchema
from shared.errors import Conflict
from shared.ids import new_uuid
from shared.text import one_line


class EmailTaken(Conflict):
    """The address already has an account."""

    code, title = "email-taken", "There is already an account with this e-mail address"


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account before it is stored."""

    email: str
    password_hash: str
    full_name: str


class Registration:
    """Creates accounts inside the caller's transaction."""

    def __init__(
        self, passwords: Passwords, provisioning: TenantProvisioning, clock: Clock
    ) -> None:
        self._passwords = passwords
        self._provisioning = provisioning
        self._clock = clock
        self._outbox = OutboxRecorder(clock)

    def register(self, session: PlatformSession, email: str, password: str, full_name: str) -> User:
        """Create the account and its shop.

        Raises `EmailTaken`, `BadInput` for a weak password, `SchemaCreationError`; after any of
        them the transaction has to be rolled back, and then nothing is left.
        """
        # Hashed before the first statement, so that no connection waits for it.
        user = self.open_account(session, self.prepare(email, password, full_name))
        shop = self._provisioning.provision(session, user.id)
        self._outbox.record_about(session, shop, ShopOpened())
        return user

    def prepare(self, email: str, password: str, full_name: str) -> NewAccount:
        """What a new account will be. Raises `BadInput` for a weak password."""
        email = one_line(email).lower()
        refuse_weak_password(password, email)
        return NewAccount(email, self._passwords.hash(password), one_line(full_name))

    def open_account(
        self, session: PlatformSession, account: NewAccount, number: int | None = None
    ) -> User:
        """Create an account that has no shop yet, under a number that was reserved for it.

        Raises `EmailTaken`.
        """
        user = UserRepository(session).add_unless_taken(
            User(
                id=number,
                public_id=new_uuid(),
                email=account.email,
                password_hash=account.password_hash,
                full_name=account.full_name,
                role=Role.MEMBER,
                created_at=self._clock.now(),
            )
        )
        if user is None:
            raise EmailTaken
        return user

    def open_shop(self, session: PlatformSession, email: str) -> TenantSchema | None:
        """The shop of an existing account, made if need be; None when there is no account."""
        user = UserRepository(session).by_email(one_line(email).lower())
        return None if user is None else self._provisioning.provision(session, user.id)
