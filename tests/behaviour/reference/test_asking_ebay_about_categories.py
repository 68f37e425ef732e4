"""eBay's own answers are kept for a week."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.reference.marketplace_mappings import EbayCategoryAspect, EbayCategoryRefresh
from repositories.reference.marketplace_mappings import EbayMappingRepository
from services.reference.marketplace_mappings.ebay_refresh import FRESH_FOR, EbayRefresh
from shared.clock import MovableClock, SystemClock
from shared.database import Database, PlatformSession
from shared.errors import EbayError, Remedy
from tests.factories.reference import load_catalogues, mapped_ids
from tests.fakes.ebay_categories import Answer, FakeEbayCategories

T_SHIRTS, DRESSES = "15687", "63861"


def test_every_mapped_category_is_asked_about_once(
    session: PlatformSession, refresh: EbayRefresh, ebay_says: FakeEbayCategories
) -> None:
    """C6, C9."""
    seen: list[tuple[int, int]] = []
    report = refresh.run(progress=lambda done, total: seen.append((done, total)))
    mapped = mapped_ids(session)
    assert sorted(ebay_says.asked) == sorted(mapped)
    assert (report.refreshed, report.fresh, report.refused) == (len(mapped), 0, {})
    assert seen[0] == (0, len(mapped))
    assert seen[-1] == (len(mapped), len(mapped))
    assert sum(len(call) for call in ebay_says.condition_calls) == len(mapped)


def test_the_answers_are_kept_as_they_were_given(
    session: PlatformSession, refresh: EbayRefresh, ebay_says: FakeEbayCategories
) -> None:
    """C6."""
    refresh.run([T_SHIRTS])
    aspects = {a.name: a for a in EbayMappingRepository(session).category_aspects(T_SHIRTS)}
    size_type, size = aspects["Size Type"], aspects["Size"]
    assert (size_type.required, size_type.mode) == (True, "SELECTION_ONLY")
    assert size_type.values == ["Regular", "Big & Tall"]
    assert (size_type.enabled_for_variations, size.enabled_for_variations) == (False, True)
    accepted = EbayMappingRepository(session).category_conditions(T_SHIRTS)
    assert accepted == {1000, 1500, 1750, 2990, 3000, 3010}


def test_a_fresh_answer_is_not_asked_for_again(
    refresh: EbayRefresh, ebay_says: FakeEbayCategories, clock: MovableClock
) -> None:
    """C6."""
    refresh.run([T_SHIRTS])
    clock.advance(FRESH_FOR)
    report = refresh.run([T_SHIRTS, DRESSES])
    assert ebay_says.asked == [T_SHIRTS, DRESSES]
    assert (report.refreshed, report.fresh) == (1, 1)


def test_an_old_answer_is_replaced_whole(
    session: PlatformSession,
    refresh: EbayRefresh,
    ebay_says: FakeEbayCategories,
    clock: MovableClock,
) -> None:
    """C6."""
    ebay_says.extra[T_SHIRTS] = [Answer("Fabric Weight", required=True)]
    refresh.run([T_SHIRTS])
    del ebay_says.extra[T_SHIRTS]
    clock.advance(FRESH_FOR + timedelta(seconds=1))
    report = refresh.run([T_SHIRTS])
    names = {a.name for a in EbayMappingRepository(session).category_aspects(T_SHIRTS)}
    assert report.refreshed == 1
    assert "Fabric Weight" not in names
    assert "Brand" in names


def test_a_category_that_ebay_refuses_does_not_stop_the_others(
    session: PlatformSession, refresh: EbayRefresh, ebay_says: FakeEbayCategories
) -> None:
    """C9: the refusal is reported and nothing is stored about the category."""
    ebay_says.fails_on[DRESSES] = EbayError("Unknown category.", remedy=Remedy.FIX_DATA)
    report = refresh.run([DRESSES, T_SHIRTS])
    assert report.refused == {DRESSES: "Unknown category."}
    assert report.refreshed == 1
    assert session.scalars(select(EbayCategoryRefresh.category_id)).all() == [T_SHIRTS]


def test_a_failure_keeps_what_was_learned_before_it(
    session: PlatformSession, refresh: EbayRefresh, ebay_says: FakeEbayCategories
) -> None:
    """C6: the next run goes on where this one stopped."""
    mapped = sorted(mapped_ids(session))
    ebay_says.fails_on[mapped[-1]] = EbayError("Later.", remedy=Remedy.WAIT)
    with pytest.raises(EbayError, match=r"Later\."):
        refresh.run()
    stored = len(session.scalars(select(EbayCategoryRefresh.category_id)).all())
    assert 0 < stored < len(mapped)

    ebay_says.fails_on.clear()
    assert refresh.run().fresh == stored
    assert len(session.scalars(select(EbayCategoryRefresh.category_id)).all()) == len(mapped)


def test_no_connection_is_held_while_ebay_is_asked(database: Database) -> None:
    """C6."""
    in_use: list[int] = []

    class Watching(FakeEbayCategories):
        def aspects_of(self, category_id: str) -> list[Answer]:
            in_use.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
            return list(super().aspects_of(category_id))

    load_catalogues(database, SystemClock())
    refresh = EbayRefresh(database.platform, Watching(), MovableClock(SystemClock().now()))
    try:
        refresh.run([T_SHIRTS, DRESSES])
        with database.platform() as session:
            assert session.scalar(select(EbayCategoryAspect.name).limit(1)) is not None
    finally:
        _forget(database)
    assert in_use == [0, 0]


def _forget(database: Database) -> None:
    with database.engine.begin() as connection:
        for name in ("refreshes", "aspects", "conditions"):
            connection.exec_driver_sql(f"DELETE FROM product_attributes.ebay_category_{name}")
