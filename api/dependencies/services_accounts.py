"""The accounts wing's services, for its routes."""

from typing import Annotated

from fastapi import Depends, Request

from api.dependencies.container import Container, TheContainer
from api.limits import client_address
from services.accounts.identity.issuing import TokenIssuing
from services.accounts.identity.refreshing import Refreshing
from services.accounts.identity.registration import Registration
from services.accounts.identity.sign_in import SigningIn
from services.accounts.identity.sign_out import SigningOut
from services.accounts.news.reading import ShopNews
from services.accounts.notifications.reading import Notifications
from services.accounts.tenants.waking import Waking


async def _registration(container: TheContainer) -> Registration:
    return Registration(container.passwords, container.provisioning, container.clock)


async def _signing_in(container: TheContainer) -> SigningIn:
    return SigningIn(container.passwords, _issuing(container), container.clock)


async def _refreshing(container: TheContainer) -> Refreshing:
    return Refreshing(_issuing(container), container.clock)


async def _signing_out(container: TheContainer) -> SigningOut:
    return SigningOut(container.clock)


async def _waking(container: TheContainer) -> Waking:
    return container.waking


async def _news() -> ShopNews:
    return ShopNews()


async def _notifications(container: TheContainer) -> Notifications:
    return Notifications(container.clock)


def _issuing(container: Container) -> TokenIssuing:
    return TokenIssuing(container.access_tokens, container.refresh_ttl, container.clock)


def _spend_sign_in(container: TheContainer, request: Request) -> None:
    container.sign_in_limit.spend(client_address(request, container.trusted_proxies))


TheRegistration = Annotated[Registration, Depends(_registration)]
TheSigningIn = Annotated[SigningIn, Depends(_signing_in)]
TheRefreshing = Annotated[Refreshing, Depends(_refreshing)]
TheWaking = Annotated[Waking, Depends(_waking)]
News = Annotated[ShopNews, Depends(_news)]
TheNotifications = Annotated[Notifications, Depends(_notifications)]
TheSigningOut = Annotated[SigningOut, Depends(_signing_out)]

counted_as_sign_in = Depends(_spend_sign_in)
"""For routes that hash passwords or take refresh tokens: few per address and minute."""
