"""Lists are read in pages; a cursor says where the next one starts."""

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from shared.errors import BadInput, FieldProblem
from shared.ids import decode_cursor, encode_cursor

Item = TypeVar("Item")

PageSize = Annotated[int, Query(ge=1, le=100, description="How many to return.")]
"""Write `limit: PageSize = 50`."""

Cursor = Annotated[
    str | None,
    Query(max_length=400, description="`next_cursor` of the page before; opaque."),
]
"""Write `cursor: Cursor = None`."""


class Page(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Ask again with it; null on the last page.")


def read_cursor(cursor: str | None, parts: int) -> list[str] | None:
    """The `parts` values a cursor was made of. Raises `BadInput` when it was not made by us."""
    if cursor is None:
        return None
    try:
        values = decode_cursor(cursor)
    except ValueError:
        raise _not_ours() from None
    if len(values) != parts:
        raise _not_ours()
    return values


def read_id_cursor(cursor: str | None) -> int | None:
    """The id that a cursor of a list ordered by id stands for. Raises `BadInput`."""
    values = read_cursor(cursor, 1)
    if values is None:
        return None
    if not (values[0].isascii() and values[0].isdigit() and len(values[0]) < 20):
        raise _not_ours()
    return int(values[0])


def id_cursor(last_id: int) -> str:
    """The cursor of the page after the row with this id."""
    return encode_cursor(last_id)


def _not_ours() -> BadInput:
    return BadInput(fields=[FieldProblem("cursor", "This is not a cursor of this list.")])
