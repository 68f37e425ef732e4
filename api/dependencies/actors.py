"""Who is calling: read from the access token, once a request."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from api.dependencies.container import container_of
from models.accounts.identity import Role
from shared.database import SignIn, TenantSchema
from shared.errors import Forbidden, Unauthenticated


@dataclass(frozen=True, slots=True)
class Actor:
    """The account on whose behalf a request is made."""

    user_id: int
    public_id: UUID
    session_id: UUID
    role: Role
    tenant: TenantSchema | None
    device: bool = False
    """Whether it is a paired browser and not a person."""

    @property
    def sign_in(self) -> SignIn:
        """What database sessions of this request check at each begin."""
        return SignIn(self.user_id, self.session_id)

    @property
    def shop(self) -> TenantSchema:
        """The account's shop. Raises `Forbidden` when it has none."""
        if self.tenant is None:
            raise Forbidden("This account has no shop.")
        return self.tenant


def signed_in_actor(connection: HTTPConnection) -> Actor:
    """The actor named by the access token. Raises `Unauthenticated`.

    Whether the sign-in was ended meanwhile is for the database session to find out.
    """
    header = connection.headers.get("authorization")
    if header is None:
        raise Unauthenticated
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Send the access token as 'Authorization: Bearer …'.")
    claims = container_of(connection).access_tokens.read(token.strip())
    return Actor(
        user_id=claims.user_id,
        public_id=claims.public_id,
        session_id=claims.session_id,
        role=claims.role,
        tenant=None if claims.tenant_id is None else TenantSchema(claims.tenant_id),
        device=claims.device,
    )


def actor_if_any(request: Request) -> Actor | None:
    """The actor that the route's policy found; None on routes that are open to all."""
    actor = request.scope.get("actor")
    return actor if isinstance(actor, Actor) else None


def actor_of(request: Request) -> Actor:
    """The actor that the route's policy found. Raises `Unauthenticated`."""
    actor = actor_if_any(request)
    if actor is None:
        raise Unauthenticated
    return actor


async def _current_account(request: Request) -> Actor:
    return actor_of(request)


CurrentAccount = Annotated[Actor, Depends(_current_account)]
"""The signed-in account; only on routes whose policy is *signed_in* or *admin*."""
