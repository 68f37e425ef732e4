"""eBay's bulk calls: up to 25 rows, each with its own answer.

A 207 says that some rows went well and others did not; what went well stays done.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from services.gateways.ebay.errors import EbayRefusal, refusal
from services.gateways.ebay.reading import UnreadableAnswer, rows, whole
from services.gateways.ebay.transport import EbayRequest, EbayTransport

MOST_ROWS = 25

Row = TypeVar("Row")


def in_packs(of: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """As many together as one call takes."""
    for start in range(0, len(of), MOST_ROWS):
        yield of[start : start + MOST_ROWS]


def packs_of(number: int) -> int:
    """How many calls so many rows take."""
    return -(-number // MOST_ROWS)


def answers(
    transport: EbayTransport, operation: str, path: str, sent: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """Each row's own answer, in whatever order eBay gives them.

    Raises `EbayRefusal` when eBay refuses the request as a whole.
    """
    body = {"requests": [dict(row) for row in sent]}
    found = rows(transport.send(EbayRequest(operation, "POST", path, body=body)).body, "responses")
    if len(found) < len(sent):
        raise UnreadableAnswer("eBay's answer lacks some of the rows that were sent.")
    return found


def went_well(row: Mapping[str, Any]) -> bool:
    """Whether eBay did what the row asked for."""
    return 200 <= (whole(row, "statusCode") or 0) < 300


def refusal_of(refused: Sequence[Mapping[str, Any]]) -> EbayRefusal:
    """Everything that eBay said about these rows, as one refusal; the worst status decides."""
    errors = [error for row in refused for error in rows(row, "errors")]
    status = max(whole(row, "statusCode") or 500 for row in refused)
    return refusal(status, {"errors": errors})


def all_well(found: Sequence[Mapping[str, Any]]) -> None:
    """Raise `EbayRefusal` for the rows that were refused, if there are any."""
    refused = [row for row in found if not went_well(row)]
    if refused:
        raise refusal_of(refused)
