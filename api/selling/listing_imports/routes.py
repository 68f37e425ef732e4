"""Listings that are on a channel already become products."""

from typing import Annotated

from fastapi import Body, Path

from api.dependencies.actors import CurrentAccount
from api.dependencies.services_listing_imports import Decisions, Imports, Reading
from api.dependencies.sessions import Tenant
from api.pages import Cursor, Page, PageSize, id_cursor, read_id_cursor
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.listing_imports.schemas import ImportOut, ImportRowOut, LinkIn
from models.selling.listing_imports import RowOutcome
from models.selling.publishing import Channel
from services.selling.catalog.products import ProductInvalid, ProductNotFound
from services.selling.listing_imports.deciding import (
    ImportRowNotFound,
    ListingNotLinkable,
    NothingToDecide,
)
from services.selling.listing_imports.keys import SkuInUse
from services.selling.listing_imports.reading import ImportNotFound
from services.selling.listing_imports.starting import NothingToImportFrom, NotImportable
from shared.errors import BadInput

router = guarded_router("/channels/{channel}/imports", policy=Policy.SIGNED_IN, tag="imports")

ROUTERS = (router,)

ImportId = Annotated[int, Path(gt=0, lt=2**63)]
RowId = Annotated[int, Path(gt=0, lt=2**63)]


@router.post("", status_code=202, responses=problems(NotImportable, NothingToImportFrom))
def start_import(
    channel: Channel, actor: CurrentAccount, session: Tenant, imports: Imports
) -> ImportOut:
    """Have all that is for sale on the channel taken over.

    While one is under way, or was stopped, it is that one, and it goes on where it was.
    """
    return ImportOut.of(imports.start(session, channel, actor.user_id))


@router.get("", responses=problems(BadInput))
def list_imports(
    channel: Channel,
    session: Tenant,
    reading: Reading,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> Page[ImportOut]:
    """Imports of the channel, newest first."""
    found = reading.page(session, channel, read_id_cursor(cursor), limit)
    shown = found[:limit]
    more = id_cursor(shown[-1].row.id) if len(found) > limit else None
    return Page(items=[ImportOut.of(each) for each in shown], next_cursor=more)


@router.get("/{import_id}", responses=problems(ImportNotFound))
def show_import(
    channel: Channel, import_id: ImportId, session: Tenant, reading: Reading
) -> ImportOut:
    """How far an import is, and what came of it."""
    return ImportOut.of(reading.show(session, channel, import_id))


@router.get("/{import_id}/rows", responses=problems(ImportNotFound, BadInput))
def list_import_rows(
    channel: Channel,
    import_id: ImportId,
    session: Tenant,
    reading: Reading,
    outcome: RowOutcome | None = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> Page[ImportRowOut]:
    """What became of each listing, in the order they were read."""
    after = read_id_cursor(cursor)
    found = reading.rows(session, channel, import_id, outcome, after, limit)
    shown = found[:limit]
    more = id_cursor(shown[-1].id) if len(found) > limit else None
    return Page(items=[ImportRowOut.of(row) for row in shown], next_cursor=more)


@router.post(
    "/{import_id}/rows/{row_id}/link",
    responses=problems(
        ImportRowNotFound, NothingToDecide, ProductNotFound, ListingNotLinkable, SkuInUse
    ),
)
def confirm_suggestion(
    channel: Channel,
    import_id: ImportId,
    row_id: RowId,
    session: Tenant,
    decisions: Decisions,
    body: Annotated[LinkIn | None, Body()] = None,
) -> ImportRowOut:
    """The listing is of a product that is there. The product stays as it is."""
    product_id = None if body is None else body.product_id
    return ImportRowOut.of(decisions.link(session, channel, import_id, row_id, product_id))


@router.post(
    "/{import_id}/rows/{row_id}/create",
    responses=problems(ImportRowNotFound, NothingToDecide, ProductInvalid, SkuInUse),
)
def reject_suggestion(
    channel: Channel, import_id: ImportId, row_id: RowId, session: Tenant, decisions: Decisions
) -> ImportRowOut:
    """The suggestion is wrong: make a new product of the listing."""
    return ImportRowOut.of(decisions.create(session, channel, import_id, row_id))
