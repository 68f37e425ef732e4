"""One request, one transaction: committed before the reply goes out, rolled back on any error.

A session connects at its first statement. Where somebody is signed in, the begin of the
transaction also asks whether that sign-in was ended; a route that needs no statement is asked at
its end, so that no answer leaves for a sign-in that is over.

These depend on the request alone: each further dependency would cost every request its share.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from typing import Annotated, TypeAlias

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError

from api.dependencies.actors import actor_if_any, actor_of
from api.dependencies.container import container_of
from shared.database import PlatformSession, SignIn, TenantSchema, TenantSession

CLAIMED_SESSION = "claimed_session"
"""Where in a request's scope the session is whose transaction has taken an `Idempotency-Key`."""


async def tenant_session(request: Request) -> AsyncIterator[TenantSession]:
    """The transaction of a route that works in the account's own shop."""
    session = request.scope.get(CLAIMED_SESSION)
    if session is None:
        actor = actor_of(request)
        session = container_of(request).database.tenant_session(actor.shop, actor.sign_in)
    async with _one_transaction(session):
        yield session


async def platform_session(request: Request) -> AsyncIterator[PlatformSession]:
    """The transaction of a route that works in the shared schemas."""
    session = container_of(request).database.platform_session(_sign_in_of(request))
    async with _one_transaction(session):
        yield session


async def tenant_transactions(
    request: Request,
) -> Callable[[], AbstractContextManager[TenantSession]]:
    """Opens short transactions in the account's own shop, each committed at its end."""
    actor = actor_of(request)
    return partial(container_of(request).database.tenant, actor.shop, actor.sign_in)


async def platform_transactions(
    request: Request,
) -> Callable[[], AbstractContextManager[PlatformSession]]:
    """Opens short transactions in the shared schemas, each committed at its end."""
    return partial(container_of(request).database.platform, _sign_in_of(request))


Tenant = Annotated[TenantSession, Depends(tenant_session, scope="function")]
Platform = Annotated[PlatformSession, Depends(platform_session, scope="function")]

TenantTransactions: TypeAlias = Annotated[
    Callable[[], AbstractContextManager[TenantSession]], Depends(tenant_transactions)
]
"""For routes that speak to the outside, or hash a password, between two transactions."""

PlatformTransactions: TypeAlias = Annotated[
    Callable[[], AbstractContextManager[PlatformSession]], Depends(platform_transactions)
]


def _own_shop(request: Request, transactions: TenantTransactions) -> TenantSchema:
    with transactions() as session:
        session.connection()
    return actor_of(request).shop


OwnShop = Annotated[TenantSchema, Depends(_own_shop)]
"""The shop, after asking whether the sign-in still holds: for routes whose services open
transactions of their own, and only after work that a signed-out client must not cause."""


def _sign_in_of(request: Request) -> SignIn | None:
    actor = actor_if_any(request)
    return None if actor is None else actor.sign_in


@asynccontextmanager
async def _one_transaction(session: PlatformSession) -> AsyncIterator[None]:
    try:
        yield
    except RequestValidationError:
        await run_in_threadpool(_refuse_if_signed_out, session)
        raise
    except BaseException:
        await run_in_threadpool(session.close)
        raise
    else:
        await run_in_threadpool(_commit, session)


def _commit(session: PlatformSession) -> None:
    with session:
        _begin_for_the_check(session)
        session.commit()


def _refuse_if_signed_out(session: PlatformSession) -> None:
    with session:
        _begin_for_the_check(session)


def _begin_for_the_check(session: PlatformSession) -> None:
    if session.sign_in is not None and not session.in_transaction():
        session.connection()
