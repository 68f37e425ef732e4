"""What eBay's refusals mean. The remedy of each error id is data: see `error_table.csv`."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from shared.errors import EbayError, FieldProblem, Remedy

_WORST_FIRST = (Remedy.RECONNECT, Remedy.ASK_MARKETPLACE, Remedy.FIX_DATA, Remedy.WAIT)
"""Of several errors in one answer the first of these decides: waiting mends nothing else."""

_CATCH_ALL = "eBay refused and gave no reason that we know."
_LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True)
class ErrorItem:
    """One error as eBay sent it. `message` is in the language we asked for: never branch on it."""

    error_id: int
    domain: str
    category: str
    message: str
    parameters: tuple[tuple[str, str], ...]

    def parameter(self, name: str) -> str | None:
        """The value of a named parameter."""
        return dict(self.parameters).get(name)


class EbayRefusal(EbayError):
    """eBay answered, and said no. `items` is what it said, `http_status` how."""

    code, title = "ebay-refused", "eBay refused"

    def __init__(
        self,
        detail: str | None = None,
        *,
        http_status: int = 400,
        items: Sequence[ErrorItem] = (),
        remedy: Remedy = Remedy.FIX_DATA,
        retry_after: float | None = None,
        fields: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(
            detail,
            remedy=remedy,
            retry_after=retry_after,
            fields=fields,
            ebay_errors=[item.error_id for item in items],
        )
        self.http_status = http_status
        self.items = tuple(items)

    def mentions(self, *error_ids: int) -> bool:
        """Whether one of these ids is among the errors."""
        return any(item.error_id in error_ids for item in self.items)

    def parameter(self, name: str) -> str | None:
        """The first value given for a named parameter in any of the errors."""
        values = (item.parameter(name) for item in self.items)
        return next((value for value in values if value), None)


class EbayGrantRefused(EbayError):
    """The token endpoint refused; `reason` is OAuth's own word, such as `invalid_grant`."""

    code, title = "ebay-grant-refused", "eBay did not give a token"

    def __init__(self, reason: str = "invalid_grant", *, remedy: Remedy = Remedy.RECONNECT) -> None:
        super().__init__(
            "eBay no longer accepts the connection. Connect the eBay account again."
            if remedy is Remedy.RECONNECT
            else "eBay gave no token; we try again.",
            remedy=remedy,
            oauth_error=reason,
        )
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Entry:
    remedy: Remedy
    field: str
    sentence: str


@cache
def _table() -> Mapping[tuple[int, str], _Entry]:
    text = files(__package__).joinpath("error_table.csv").read_text(encoding="utf-8")
    return {
        (int(row["error_id"]), row["domain"]): _Entry(
            Remedy(row["remedy"]), row["field"], row["sentence"]
        )
        for row in csv.DictReader(text.splitlines())
    }


def refusal(http_status: int, body: Any, retry_after: float | None = None) -> EbayRefusal:
    """The error that an answer other than 2xx stands for; `body` is its JSON, if it had any."""
    items = _items_of(body)
    entries = [_entry_for(item, http_status) for item in items]
    if not entries:
        entries = [_entry_by_status(http_status, _CATCH_ALL)]
    worst = min(entries, key=lambda entry: _WORST_FIRST.index(entry.remedy))
    pairs = zip(entries, items, strict=False)
    fields = [
        FieldProblem(entry.field, _quoted(entry, item), f"ebay-{item.error_id}")
        for entry, item in pairs
        if entry.field
    ]
    return EbayRefusal(
        _detail(worst, fields),
        http_status=http_status,
        items=items,
        remedy=worst.remedy,
        retry_after=retry_after,
        fields=fields,
    )


def _detail(worst: _Entry, fields: Sequence[FieldProblem]) -> str:
    mendable = worst.remedy in (Remedy.FIX_DATA, Remedy.ASK_MARKETPLACE)
    return fields[0].message if mendable and len(fields) == 1 else worst.sentence


def _quoted(entry: _Entry, item: ErrorItem) -> str:
    said = item.message.strip()[:_LONGEST_QUOTE]
    return f"{entry.sentence} eBay says: {said}" if said else entry.sentence


def _entry_for(item: ErrorItem, http_status: int) -> _Entry:
    table = _table()
    known = table.get((item.error_id, item.domain)) or table.get((item.error_id, ""))
    transient = http_status >= 500 or http_status == 429
    if known and not (transient and known.remedy is Remedy.FIX_DATA):
        return known
    if transient or item.category.upper() == "APPLICATION":
        return _Entry(Remedy.WAIT, "", "eBay has a problem of its own; we try again.")
    return _entry_by_status(http_status, "eBay does not accept a value.")


def _entry_by_status(http_status: int, sentence: str) -> _Entry:
    if http_status in (401, 403):
        return _Entry(Remedy.RECONNECT, "", "eBay no longer accepts the connection.")
    if http_status == 429:
        return _Entry(Remedy.WAIT, "", "eBay takes no more calls for now; we try again later.")
    if http_status >= 500 or http_status < 400 or http_status == 408:
        return _Entry(Remedy.WAIT, "", "eBay has a problem of its own; we try again.")
    return _Entry(Remedy.FIX_DATA, "product", sentence)


def _items_of(body: Any) -> list[ErrorItem]:
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list):
        return []
    return [_item_of(error) for error in errors if isinstance(error, dict)]


def _item_of(error: Mapping[str, Any]) -> ErrorItem:
    number = error.get("errorId")
    parameters = error.get("parameters")
    return ErrorItem(
        error_id=number if isinstance(number, int) else 0,
        domain=str(error.get("domain") or ""),
        category=str(error.get("category") or ""),
        message=str(error.get("longMessage") or error.get("message") or ""),
        parameters=tuple(
            (str(parameter.get("name", "")), str(parameter.get("value", "")))
            for parameter in (parameters if isinstance(parameters, list) else [])
            if isinstance(parameter, dict)
        ),
    )
