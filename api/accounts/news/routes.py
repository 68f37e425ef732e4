"""What happened in the shop since a client last looked, for those without a socket."""

from typing import Annotated

from fastapi import Query

from api.accounts.news.schemas import EventOut, NewsOut
from api.dependencies.services_accounts import News
from api.dependencies.sessions import Tenant
from api.pages import PageSize
from api.policies import Policy, guarded_router

events = guarded_router("/events", policy=Policy.SIGNED_IN, tag="news")

ROUTERS = (events,)


@events.get("")
def list_events(
    session: Tenant,
    news: News,
    after: Annotated[int, Query(ge=0, lt=2**63, description="The last number you know.")] = 0,
    limit: PageSize = 100,
) -> NewsOut:
    """Events after a number, oldest first. They are kept for a week."""
    items, last = news.after(session, after, limit)
    return NewsOut(items=[EventOut.of(each) for each in items], last_sequence=last)
