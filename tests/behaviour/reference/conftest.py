"""Catalogues for the tests of this wing. What a test stores about eBay is undone after it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from repositories.reference.attributes import AttributeRepository
from services.reference.attributes.lookup import AttributeLookup
from services.reference.marketplace_mappings.ebay import EbayMapping
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from shared.clock import MovableClock
from shared.database import Database, PlatformSession
from tests.factories.reference import load_catalogues
from tests.fakes.ebay_categories import FakeEbayCategories


@pytest.fixture
def session(worker_database: Database, clock: MovableClock) -> Iterator[PlatformSession]:
    """A transaction on the loaded catalogues that is rolled back after the test."""
    load_catalogues(worker_database, clock)
    with worker_database.platform_session() as session, session.begin() as transaction:
        yield session
        if transaction.is_active:
            transaction.rollback()


@pytest.fixture
def lookup(session: PlatformSession) -> AttributeLookup:
    return AttributeLookup(AttributeRepository(session))


@pytest.fixture
def ebay_says() -> FakeEbayCategories:
    return FakeEbayCategories()


@pytest.fixture
def refresh(
    session: PlatformSession, ebay_says: FakeEbayCategories, clock: MovableClock
) -> EbayRefresh:
    """A refresh whose transactions are savepoints of the test's own."""

    @contextmanager
    def savepoint() -> Iterator[PlatformSession]:
        with session.begin_nested():
            yield session

    session.execute(text("DELETE FROM product_attributes.ebay_category_refreshes"))
    session.execute(text("DELETE FROM product_attributes.ebay_category_aspects"))
    session.execute(text("DELETE FROM product_attributes.ebay_category_conditions"))
    return EbayRefresh(savepoint, ebay_says, clock)


@pytest.fixture
def mapping(session: PlatformSession) -> EbayMapping:
    return EbayMapping.on(session)
