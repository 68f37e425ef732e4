"""Listings that differ from our record, and deciding about them."""

from typing import Annotated

from fastapi import Query

from api.dependencies.actors import CurrentAccount
from api.dependencies.services_drift import Mending, Reading
from api.dependencies.sessions import Tenant
from api.pages import Cursor, Page, PageSize, id_cursor, read_id_cursor
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.drift.schemas import DecisionOut, DriftedOut, MendedOut, MendIn
from models.selling.publishing import Channel
from services.selling.drift.mending import NoSuchListing
from shared.errors import BadInput, MalformedRequest, PreconditionRequired

router = guarded_router("/listings/drift", policy=Policy.SIGNED_IN, tag="publishing")

ROUTERS = (router,)


@router.get("")
def list_drift(
    session: Tenant,
    reading: Reading,
    cursor: Cursor = None,
    limit: PageSize = 50,
    channel: Channel | None = None,
) -> Page[DriftedOut]:
    """Live listings that differed from our record when they were last compared, newest first,
    beside the products as they are now.
    """
    found, more = reading.page(session, channel, read_id_cursor(cursor), limit)
    return Page(
        items=[DriftedOut.of(each) for each in found if each.items],
        next_cursor=id_cursor(found[-1].listing.id) if more else None,
    )


@router.post(
    "/mend",
    status_code=202,
    responses=problems(NoSuchListing, BadInput, MalformedRequest, PreconditionRequired),
)
def mend_drift(body: MendIn, actor: CurrentAccount, session: Tenant, mending: Mending) -> MendedOut:
    """Put ours back, or take theirs.

    `ours` queues a job that sends our whole record: differences that are to stay have to be taken
    first. `theirs` changes the product at once. Each listing gets an answer of its own, and each
    decision is written down.
    """
    wishes = body.wishes()
    if wishes is None:
        return MendedOut.of(mending.mend_all(session, body.keep, body.channel, actor.user_id))
    return MendedOut.of(mending.mend(session, body.keep, wishes, actor.user_id))


@router.get("/decisions")
def list_decisions(
    session: Tenant,
    reading: Reading,
    cursor: Cursor = None,
    limit: PageSize = 50,
    product_id: Annotated[int | None, Query(gt=0, lt=2**63)] = None,
) -> Page[DecisionOut]:
    """What was decided about differences, newest first."""
    found, more = reading.decisions(session, product_id, read_id_cursor(cursor), limit)
    return Page(
        items=[DecisionOut.of(each) for each in found],
        next_cursor=id_cursor(found[-1].id) if more else None,
    )
