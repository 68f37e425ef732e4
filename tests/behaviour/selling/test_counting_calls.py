"""Calls to marketplaces are counted by all processes together and never exceed what is allowed."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateways.ebay.quotas import UPLOADS, EbayQuotas
from services.gateways.quotas import DAY, Quota
from services.selling.quotas.ledger import DatabaseLedger, QuotaSpent
from services.selling.quotas.window import SLICES, CallWindow
from shared.clock import MovableClock
from shared.database import Database

START = datetime(2026, 6, 1, 12, tzinfo=UTC)

TEN_A_DAY = Quota("test.calls", 10, DAY)
THREE_A_MINUTE = Quota("test.uploads", 3, timedelta(minutes=1), per_shop=True)


@pytest.fixture
def ledger(database: Database, clock: MovableClock) -> DatabaseLedger:
    return DatabaseLedger(database, clock)


@given(
    made=st.lists(st.floats(0, 30, allow_nan=False), max_size=10),
    calls=st.integers(0, 40),
    ago=st.floats(-50, 200, allow_nan=False),
)
def test_what_the_marketplace_counted_counts_until_it_counts_anew(
    made: list[float], calls: int, ago: float
) -> None:
    """E8: never fewer than we made, never fewer than it says, and gone with its own window."""
    window = CallWindow(10, timedelta(seconds=100))
    spent: list[list[int]] = []
    now = START
    for pause in made:
        now += timedelta(seconds=pause)
        spent = window.with_more(spent, now)
    ours = window.used(spent, now)
    told = window.with_at_least(spent, now, calls, now - timedelta(seconds=ago))
    assert window.used(told, now) == max(ours, calls)
    assert told == sorted(told)
    assert window.used(told, now + timedelta(seconds=100 + 100 / SLICES)) == 0


def paid(ledger: DatabaseLedger, quotas: Sequence[Quota], account: str = "user_1") -> bool:
    try:
        ledger.pay(quotas, account)
    except QuotaSpent:
        return False
    return True


@given(
    limit=st.integers(1, 6),
    seconds=st.integers(1, 200),
    pauses=st.lists(st.floats(0, 90, allow_nan=False), max_size=30),
    calls=st.integers(1, 40),
)
def test_the_last_of_many_calls_is_foretold_to_the_moment(
    limit: int, seconds: int, pauses: list[float], calls: int
) -> None:
    """E8, G13: as if they were made one after the other, each as soon as it is let through."""
    window = CallWindow(limit, timedelta(seconds=seconds))
    spent: list[list[int]] = []
    now = START
    for pause in pauses:
        now += timedelta(seconds=pause)
        if not window.wait(spent, now):
            spent = window.with_more(spent, now)
    foretold = now + timedelta(seconds=window.delay(calls, spent, now))
    for _ in range(calls):
        now += timedelta(seconds=window.wait(spent, now))
        spent = window.with_more(spent, now)
    assert now == foretold


@given(
    limit=st.integers(1, 6),
    seconds=st.integers(1, 200),
    pauses=st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=60),
)
def test_no_stretch_of_the_window_holds_more_than_the_limit(
    limit: int, seconds: int, pauses: list[float]
) -> None:
    """E8: whatever the times; and who waited as long as told is let through."""
    window = CallWindow(limit, timedelta(seconds=seconds))
    spent: list[list[int]] = []
    made: list[datetime] = []
    now = START
    for pause in pauses:
        now += timedelta(seconds=pause)
        wait = window.wait(spent, now)
        if wait:
            now += timedelta(seconds=wait)
            assert window.wait(spent, now) == 0
        spent = window.with_more(spent, now)
        made.append(now)
        assert len(spent) <= SLICES + 1
    for moment in made:
        assert sum(moment <= other < moment + window.length for other in made) <= limit


def test_a_spent_quota_says_when_there_is_room_again(
    ledger: DatabaseLedger, clock: MovableClock
) -> None:
    """E8: and nothing is sent before."""
    assert [paid(ledger, [TEN_A_DAY]) for _ in range(12)] == [True] * 10 + [False] * 2
    with pytest.raises(QuotaSpent) as refused:
        ledger.pay([TEN_A_DAY], "user_2")
    assert refused.value.retry_after is not None
    assert DAY <= timedelta(seconds=refused.value.retry_after) <= DAY + DAY / SLICES
    clock.advance(timedelta(seconds=refused.value.retry_after))
    assert paid(ledger, [TEN_A_DAY])


def test_a_shops_quota_is_its_own(ledger: DatabaseLedger) -> None:
    """E8: one busy account does not use up another's."""
    assert [paid(ledger, [THREE_A_MINUTE], "user_1") for _ in range(4)] == [True] * 3 + [False]
    assert paid(ledger, [THREE_A_MINUTE], "user_2")


def test_a_call_counts_against_all_its_quotas_or_none(ledger: DatabaseLedger) -> None:
    """E8."""
    for _ in range(6):
        paid(ledger, [TEN_A_DAY, THREE_A_MINUTE])
    assert [state.used for state in ledger.states([TEN_A_DAY, THREE_A_MINUTE], "user_1")] == [3, 3]


def test_two_workers_never_exceed_a_quota(database: Database, clock: MovableClock) -> None:
    """E8: 16 threads, a ledger each, real commits: exactly as many as allowed."""
    answers: list[bool] = []

    def work() -> None:
        mine = DatabaseLedger(database, clock)
        answers.extend(paid(mine, [TEN_A_DAY, THREE_A_MINUTE], f"user_{n}") for n in range(1, 6))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(answers), sum(answers)) == (80, 10)


def test_what_the_marketplace_refuses_is_closed_for_every_process(
    ledger: DatabaseLedger, database: Database, clock: MovableClock
) -> None:
    """E8: Retry-After is obeyed to the second, whatever we had counted."""
    ledger.close([TEN_A_DAY], "user_1", 90)
    other = DatabaseLedger(database, clock)
    with pytest.raises(QuotaSpent) as refused:
        other.pay([TEN_A_DAY], "user_2")
    assert refused.value.retry_after == 90
    (state,) = other.states([TEN_A_DAY], "user_2")
    assert (state.left, state.open_at) == (0, clock.now() + timedelta(seconds=90))
    clock.advance(timedelta(seconds=90))
    assert paid(other, [TEN_A_DAY])


def test_a_shorter_refusal_does_not_open_what_is_closed_for_longer(
    ledger: DatabaseLedger, clock: MovableClock
) -> None:
    """E8."""
    ledger.close([TEN_A_DAY], "user_1", 90)
    ledger.close([TEN_A_DAY], "user_1", 10)
    clock.advance(timedelta(seconds=60))
    assert not paid(ledger, [TEN_A_DAY])


def test_ebays_calls_count_by_api_and_photos_by_seller_too() -> None:
    """ST41, E7."""
    quotas = EbayQuotas(daily_calls=5000)
    photo = "/commerce/media/v1_beta/image/create_image_from_file"
    assert [quota.name for quota in quotas.of("POST", photo)] == [
        "ebay.calls",
        "ebay.media",
        UPLOADS.name,
    ]
    assert [quota.name for quota in quotas.of("GET", "/sell/inventory/v1/offer")] == [
        "ebay.calls",
        "ebay.inventory",
    ]
    assert EbayQuotas().of("GET", "/sell/unheard/v1/of") == []
