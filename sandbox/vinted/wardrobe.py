"""A member's items page by page, and the ways in which reading them misleads."""

from typing import Any

from sandbox.vinted.errors import gone
from sandbox.vinted.item_views import wardrobe_row
from sandbox.vinted.operations import JSON, Call, Operation, page_of
from sandbox.vinted.state import Item, VintedState

EMPTY_PAGE, MISSING_PAGE, FEWER_PAGES = "empty_page", "missing_page", "fewer_pages"
NO_LIST = "no_list"
ODDITIES = (EMPTY_PAGE, MISSING_PAGE, FEWER_PAGES, NO_LIST)


def _wardrobe(call: Call) -> JSON:
    user_id = call.path["user_id"]
    if user_id not in call.state.accounts:
        raise gone()
    items = call.state.wardrobe(user_id)
    if user_id != call.account.user_id:
        items = [item for item in items if not (item.is_draft or item.is_hidden)]
    rows, pagination = page_of(call, items)
    return _misled(call, rows, pagination)


def _misled(call: Call, rows: list[Item], pagination: dict[str, Any]) -> JSON:
    """The page, or what an oddity in force makes of it."""
    oddity = _drawn(call.state, pagination["current_page"])
    if oddity == MISSING_PAGE:
        raise gone()
    if oddity == NO_LIST:
        return {}
    if oddity == EMPTY_PAGE:
        rows = []
    if oddity == FEWER_PAGES:
        page = pagination["current_page"]
        entries = min(page * pagination["per_page"], pagination["total_entries"])
        pagination = {**pagination, "total_pages": page, "total_entries": entries}
    return {"items": [wardrobe_row(call, item) for item in rows], "pagination": pagination}


def _drawn(state: VintedState, page: int) -> str | None:
    for oddity in state.oddities:
        if oddity.page == page and oddity.times != 0:
            if oddity.times is not None:
                oddity.times -= 1
            return oddity.kind
    return None


WARDROBE_OPERATIONS = (Operation("getWardrobe", "GET", "/wardrobe/{user_id:int}/items", _wardrobe),)
