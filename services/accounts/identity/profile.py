"""What an account sees of itself."""

from dataclasses import dataclass

from models.accounts.identity import User
from models.accounts.tenants import Tenant
from repositories.accounts.identity import UserRepository
from repositories.accounts.tenants import TenantRepository
from shared.database import PlatformSession
from shared.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Profile:
    """An account and its shop, if it has one."""

    user: User
    tenant: Tenant | None


def profile_of(session: PlatformSession, user_id: int) -> Profile:
    """Look the account up. Raises `Unauthenticated` when it is gone."""
    user = UserRepository(session).get(user_id)
    if user is None:
        raise Unauthenticated("This account no longer exists.")
    return Profile(user, TenantRepository(session).get(user_id))
