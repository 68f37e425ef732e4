"""Back from a marketplace's consent page: a browser is asked first, a program completes at once."""

from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import structlog
from fastapi import Form, Query, Request, Response

from api.problems import report
from api.selling.channel_accounts.pages import (
    confirmation_page,
    connected_page,
    refused_page,
    sent_by_browser,
    wants_page,
)
from models.selling.channel_accounts import ChannelAccount
from services.selling.channel_accounts.connecting import ChannelConnecting
from services.selling.channel_accounts.desk import AccountDesk, AccountView
from services.selling.publishing.connections import SPELLED
from shared.errors import APIError, MarketplaceError, StoflowError

log = structlog.get_logger(__name__)

State = Annotated[str, Query(max_length=512)]
Code = Annotated[str | None, Query(max_length=2048)]
Declined = Annotated[str | None, Query(max_length=200)]
ConfirmedCode = Annotated[str, Form(min_length=1, max_length=2048)]

AccountT = TypeVar("AccountT", bound=ChannelAccount)
Came: TypeAlias = Response | AccountView[AccountT]
"""A page for a browser, the account for a program."""


class ComingBack(Generic[AccountT]):
    """Completes a consent, with a page for browsers and the account for programs."""

    def __init__(
        self, connecting: ChannelConnecting[Any, AccountT, Any], desk: AccountDesk[Any, AccountT]
    ) -> None:
        self._name = SPELLED[connecting.channel]
        self._connecting = connecting
        self._desk = desk

    def come_back(
        self, request: Request, state: str, code: str | None, error: str | None
    ) -> Came[AccountT]:
        """The redirect itself: a browser gets a page that changes nothing, and confirms."""
        browser = sent_by_browser(request.headers)
        try:
            if browser and code and not error:
                return confirmation_page(self._name, self._connecting.asked_by(state), state, code)
            return self._complete(state, code, error, page=browser)
        except StoflowError as refused:
            return _refused(refused, page=browser)

    def confirm(self, request: Request, state: str, code: str) -> Came[AccountT]:
        """The button of that page."""
        page = wants_page(request.headers.get("accept", ""))
        try:
            return self._complete(state, code, None, page=page)
        except StoflowError as refused:
            return _refused(refused, page=page)

    def _complete(
        self, state: str, code: str | None, error: str | None, *, page: bool
    ) -> Came[AccountT]:
        shop = self._connecting.finish(state, code, error)
        try:
            view = self._desk.check(shop)
        except (APIError, MarketplaceError) as unreadable:
            # Connected all the same; the readiness says that it has to be checked again.
            channel, reason = self._connecting.channel, unreadable.code
            log.warning(f"{channel}.not_checked", tenant=shop.name, reason=reason)
            view = self._desk.view(shop)
        if not page:
            return view
        account = view.account.name_there if view.account else ""
        return connected_page(self._name, account, view.gaps)


def _refused(error: StoflowError, *, page: bool) -> Response:
    if not page:
        raise error
    report(error)
    return refused_page(error)
