"""No account is worked on faster than its owner could: budget, quiet hours, estimate."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.selling.vinted.pacing import (
    BUDGET,
    HOUR,
    Kind,
    PaceRule,
    Pacing,
    QuietHours,
    Sent,
    hurried,
    kinds_of,
)

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
LOOK = ("GET", "/api/v2/users/current")
PHOTO = ("POST", "/api/v2/photos")
LIST = ("POST", "/api/v2/item_upload/drafts/7/completion")
END = ("POST", "/api/v2/items/7/delete")
REPLY = ("POST", "/api/v2/conversations/7/replies")
PARIS = ZoneInfo("Europe/Paris")
NIGHT = QuietHours(time(22), time(7), PARIS)
SIESTA = QuietHours(time(13), time(15), PARIS)


def sent(*seconds_ago: float, request: tuple[str, str] = LOOK) -> list[Sent]:
    return [(NOON - timedelta(seconds=each), *request) for each in sorted(seconds_ago)[::-1]]


@pytest.mark.parametrize(
    ("request_", "kinds"),
    [
        (LOOK, {Kind.REQUEST}),
        (PHOTO, {Kind.REQUEST, Kind.CHANGE}),
        (LIST, {Kind.REQUEST, Kind.CHANGE, Kind.LISTING}),
        (END, {Kind.REQUEST, Kind.CHANGE, Kind.LISTING}),
        (REPLY, {Kind.REQUEST, Kind.CHANGE, Kind.MESSAGE}),
        (("PUT", "/api/v2/item_upload/items/7"), {Kind.REQUEST, Kind.CHANGE}),
        (("POST", "/api/v2/item_upload/items"), {Kind.REQUEST, Kind.CHANGE, Kind.LISTING}),
    ],
)
def test_what_a_request_counts_as(request_: tuple[str, str], kinds: set[Kind]) -> None:
    """D1, D3."""
    assert kinds_of(*request_) == kinds


def test_an_account_that_rested_may_go_on_at_once() -> None:
    """D1."""
    assert Pacing().next_allowed([], NOON, *LIST) == NOON
    assert Pacing().next_allowed(sent(90_000, request=LIST), NOON, *LIST) == NOON


def test_each_rule_holds_to_the_second() -> None:
    """D1: as many as the limit says in a window, and not one more."""
    rule = PaceRule(Kind.REQUEST, 3, timedelta(seconds=60))
    pacing = Pacing([rule])
    assert pacing.next_allowed(sent(10, 20), NOON, *LOOK) == NOON
    assert pacing.next_allowed(sent(10, 20, 59), NOON, *LOOK) == NOON + timedelta(seconds=1)
    assert pacing.next_allowed(sent(10, 20, 60), NOON, *LOOK) == NOON


def test_a_rule_speaks_of_its_own_kind_alone() -> None:
    """D1."""
    pacing = Pacing([PaceRule(Kind.LISTING, 1, HOUR)])
    history = sent(5, request=LIST)
    assert pacing.next_allowed(history, NOON, *PHOTO) == NOON
    assert pacing.next_allowed(history, NOON, *END) == NOON + HOUR - timedelta(seconds=5)


def test_no_history_that_the_budget_allowed_is_ever_above_it() -> None:
    """D1, D3: a day of publishing, each request as soon as it may be."""
    pacing, history, now = Pacing(), list[Sent](), NOON
    for _ in range(30):
        for request in (PHOTO, PHOTO, PHOTO, LIST, LOOK):
            now = pacing.next_allowed(history, now, *request)
            history.append((now, *request))
    for rule in BUDGET:
        moments = [at for at, *request in history if rule.kind in kinds_of(*request)]
        for first, last in zip(moments, moments[rule.limit :], strict=False):
            assert last - first >= rule.window, rule
    assert now == pacing.done_at([], NOON, [PHOTO, PHOTO, PHOTO, LIST, LOOK] * 30)
    assert now - NOON > timedelta(hours=2)


def test_history_is_needed_as_far_back_as_the_widest_rule() -> None:
    """D1."""
    assert Pacing().looks_back == timedelta(days=1)
    assert Pacing([]).looks_back == timedelta(0)


@pytest.mark.parametrize(
    ("quiet", "moment", "expected"),
    [
        (NIGHT, "2026-11-30T20:59:59", "2026-11-30T20:59:59"),
        (NIGHT, "2026-11-30T21:00:00", "2026-12-01T06:00:00"),
        (NIGHT, "2026-11-30T23:30:00", "2026-12-01T06:00:00"),
        (NIGHT, "2026-11-30T05:59:59", "2026-11-30T06:00:00"),
        (NIGHT, "2026-11-30T06:00:00", "2026-11-30T06:00:00"),
        (SIESTA, "2026-11-30T11:59:00", "2026-11-30T11:59:00"),
        (SIESTA, "2026-11-30T12:30:00", "2026-11-30T14:00:00"),
        # The clock went back from three to two in the night to 25 October.
        (NIGHT, "2026-10-24T20:30:00", "2026-10-25T06:00:00"),
    ],
)
def test_quiet_hours_are_the_sellers_own(quiet: QuietHours, moment: str, expected: str) -> None:
    """D1: by their wall, summer and winter."""
    asked = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    answered = Pacing(quiet=quiet).next_allowed([], asked, *LIST)
    assert answered == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_what_was_sold_elsewhere_comes_down_at_night_too() -> None:
    """A1, A2: being woken is better than selling twice; the budget holds all the same."""
    midnight = NOON + timedelta(hours=12)
    pacing = Pacing(quiet=NIGHT)
    assert pacing.next_allowed([], midnight, *END, urgent=True) == midnight
    just_now = [(midnight, *END)]
    assert pacing.next_allowed(just_now, midnight, *END, urgent=True) == midnight + timedelta(
        seconds=5
    )


def test_a_sandbox_can_be_hurried() -> None:
    """ST25."""
    pacing = Pacing(hurried(1000))
    history = [(NOON, *LIST)]
    assert pacing.next_allowed(history, NOON, *LIST) == NOON + timedelta(milliseconds=5)
