"""Listings that differ from our record, and deciding about them."""

from typing import Annotated

from fastapi import Body, Query

from api.dependencies.actors import CurrentAccount
from api.dependencies.services_drift import Mending, Reading, TheComparisons
from api.dependencies.sessions import Tenant, TenantTransactions
from api.pages import Cursor, Page, PageSize, id_cursor, read_id_cursor
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.drift.schemas import (
    DecisionOut,
    DriftedOut,
    MendedOut,
    MendIn,
    SyncListingsIn,
    SyncListingsOut,
)
from models.selling.publishing import Channel
from services.selling.drift.mending import NoSuchListing
from services.selling.drift.requesting import NothingToCompare
from services.selling.publishing.planning import ChannelNotOffered
from shared.errors import BadInput, MalformedRequest, PreconditionRequired

router = guarded_router("/listings/drift", policy=Policy.SIGNED_IN, tag="publishing")

syncing = guarded_router("/listings/sync", policy=Policy.SIGNED_IN, tag="publishing")

ROUTERS = (router, syncing)


@syncing.post(
    "", status_code=202, responses=problems(BadInput, NothingToCompare, ChannelNotOffered)
)
def sync_listings(
    actor: CurrentAccount,
    transactions: TenantTransactions,
    comparisons: TheComparisons,
    body: Annotated[SyncListingsIn | None, Body()] = None,
) -> SyncListingsOut:
    """Compare live listings with their channels now: all of them, or those of some products.
    Asked again meanwhile, it is the same job.

    Differences are at `GET /listings/drift` afterwards. The estimate is a range with its reasons;
    it counts on nothing going wrong.
    """
    body = body or SyncListingsIn()
    if body.product_ids is not None:
        found = comparisons.some_of(transactions, actor.user_id, body.product_ids, body.channels)
    else:
        found = comparisons.all_of(
            transactions, actor.user_id, body.channels, confirm_ended=body.confirm_ended
        )
    return SyncListingsOut.of(found)


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
