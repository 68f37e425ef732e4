"""Which orders `getOrders` shows: its filter, its pages, and what it refuses."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

from sandbox.ebay.apis import FULFILLMENT
from sandbox.ebay.errors import EbayError, ErrorItem, error
from sandbox.ebay.orders import LIVES_AT_MOST
from sandbox.ebay.state import Order

DEFAULT_LIMIT, MAX_LIMIT, MAX_IDS = 50, 200, 50
DEFAULT_DAYS = 90

_DATES: Mapping[str, Callable[[Order], datetime]] = {
    "creationdate": lambda order: order.created_at,
    "lastmodifieddate": lambda order: order.modified_at,
}
_STATUS = "orderfulfillmentstatus"
_COMBINATIONS = (
    frozenset({"NOT_STARTED", "IN_PROGRESS"}),
    frozenset({"FULFILLED", "IN_PROGRESS"}),
)
_TERM = re.compile(r"([^:,]+):(\[[^\]]*\]|\{[^}]*\}|[^,]*)")


@dataclass(frozen=True)
class Search:
    """What was asked for."""

    limit: int
    offset: int
    """Orders to skip, not pages."""
    dates: Mapping[str, tuple[datetime, datetime | None]] = field(default_factory=dict)
    statuses: frozenset[str] | None = None

    @classmethod
    def asked(cls, query: Mapping[str, str], now: datetime) -> "Search":
        """Read the query. Raises EbayError 400."""
        limit = _number(query.get("limit", str(DEFAULT_LIMIT)), 31100, "limit", 1, MAX_LIMIT)
        offset = _number(query.get("offset", "0"), 31000, "offset", 0, 10**9)
        dates: dict[str, tuple[datetime, datetime | None]] = {}
        statuses = None
        for name, value in _terms(query.get("filter", "")):
            if name in _DATES:
                dates[name] = _range(name, value, now)
            elif name == _STATUS:
                statuses = _combination(value)
            else:
                raise _refused(30700, f"Invalid filter name: {name}", fieldname=name)
        return cls(limit, offset, dates, statuses)

    def among(self, orders: Sequence[Order], now: datetime) -> Sequence[Order]:
        """All orders that fit, newest first."""
        found = [order for order in orders if self._fits(order, now)]
        return sorted(found, key=lambda order: (order.created_at, order.order_id), reverse=True)

    def links(self, query: Mapping[str, str], total: int) -> dict[str, str]:
        """href, and next and prev where there are such pages."""
        kept = {name: value for name, value in query.items() if name == "filter"}

        def page(offset: int) -> str:
            words = urlencode({**kept, "limit": self.limit, "offset": offset})
            return f"{FULFILLMENT.base_path}/order?{words}"

        found = {"href": page(self.offset)}
        if self.offset + self.limit < total:
            found["next"] = page(self.offset + self.limit)
        if self.offset > 0:
            found["prev"] = page(max(self.offset - self.limit, 0))
        return found

    def _fits(self, order: Order, now: datetime) -> bool:
        if self.statuses is not None and order.sent not in self.statuses:
            return False
        # Of two dates eBay looks at one.
        for name in _DATES:
            if name in self.dates:
                begin, end = self.dates[name]
                moment = _DATES[name](order)
                return begin <= moment and (end is None or moment <= end)
        return (now - order.created_at).days < DEFAULT_DAYS


def wanted_ids(query: Mapping[str, str]) -> list[str] | None:
    """The ids asked for by name; None when there are none. Raises EbayError 400 (30900)."""
    given = query.get("orderIds")
    if not given:
        return None
    ids = given.split(",")
    if len(ids) > MAX_IDS:
        raise _refused(30900, f"Exceeded maximum number of order IDs ({MAX_IDS})")
    return ids


def check_field_groups(query: Mapping[str, str]) -> None:
    """Raise EbayError 400 (32800) for a group that eBay does not have."""
    group = query.get("fieldGroups")
    if group not in (None, "TAX_BREAKDOWN"):
        raise _refused(32800, f"Invalid field group: {group}", fieldGroups=str(group))


def _terms(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        found = _TERM.match(text, position)
        if found is None:
            raise _refused(30700, f"Invalid filter name: {text[position:]}")
        yield found[1].strip(), found[2]
        position = found.end() + 1


def _range(name: str, value: str, now: datetime) -> tuple[datetime, datetime | None]:
    if not (value.startswith("[") and value.endswith("]") and ".." in value):
        raise _refused(30800, f"Invalid filter value {value} for filter {name}")
    begins, _, ends = value[1:-1].partition("..")
    if not begins:
        raise _refused(30820, "Start date is missing")
    begin = _moment(begins)
    end = _moment(ends) if ends else None
    if begin > now or (end is not None and end > now):
        raise _refused(30850, "Start and end dates can't be in the future")
    if end is not None and begin > end:
        raise _refused(30840, "Start date should be before end date")
    if now - begin > LIVES_AT_MOST:
        raise _refused(30830, "Time range between start date and end date must be within 2 years.")
    return begin, end


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _refused(30810, "Invalid date format", value=text) from None
    if moment.tzinfo is None:
        raise _refused(30810, "Invalid date format", value=text)
    return moment.astimezone(UTC)


def _combination(value: str) -> frozenset[str]:
    words = frozenset(value.strip("{}").split("|"))
    if not value.startswith("{") or words not in _COMBINATIONS:
        raise _refused(30800, f"Invalid filter value {value} for filter {_STATUS}")
    return words


def _number(text: str, error_id: int, name: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise _refused(error_id, f"Invalid {name}: {text}", **{name: text})
    return int(text)


def _refused(error_id: int, message: str, **parameters: str) -> EbayError:
    item: ErrorItem = error(error_id, message, **parameters)
    return EbayError(400, item)
