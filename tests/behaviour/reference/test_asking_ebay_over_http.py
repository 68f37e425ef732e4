"""The real gateway asks a server that answers as eBay does."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from repositories.reference.marketplace_mappings import EbayMappingRepository
from sandbox.ebay.app import create_app
from sandbox.ebay.state import Keyset as SandboxKeyset
from sandbox.server import serving
from services.gateways.ebay.gateway import HttpEbayGateway
from services.gateways.ebay.marketplaces import marketplace_named
from services.gateways.ebay.oauth import Keyset
from services.gateways.ebay.transport import EbayAddresses
from services.reference.marketplace_mappings.ebay import EbayMapping
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from shared.clock import SystemClock
from shared.database import PlatformSession
from tests.factories.reference import A_SHIRT, mapped_ids
from tests.fakes.calls import uncounted

NOT_A_LEAF = "11450"


@pytest.fixture
def gateway() -> Iterator[HttpEbayGateway]:
    application = SandboxKeyset()
    keyset = Keyset(application.client_id, application.client_secret, application.ru_name)
    with serving(create_app()) as base, httpx.Client() as http:
        addresses = EbayAddresses(base, base, base, base)
        site = marketplace_named("EBAY_US")
        yield HttpEbayGateway(http, addresses, keyset, site, uncounted(), SystemClock())


@pytest.fixture
def refresh(session: PlatformSession, gateway: HttpEbayGateway) -> EbayRefresh:
    @contextmanager
    def savepoint() -> Iterator[PlatformSession]:
        with session.begin_nested():
            yield session

    return EbayRefresh(savepoint, gateway.public, SystemClock())


def test_all_mapped_categories_are_leaves_that_ebay_answers_for(
    session: PlatformSession, refresh: EbayRefresh
) -> None:
    """C6, C9."""
    report = refresh.run()
    repository = EbayMappingRepository(session)
    mapped = mapped_ids(session)
    assert (report.refreshed, report.refused) == (len(mapped), {})
    for category_id in mapped:
        assert repository.category_conditions(category_id), category_id
        assert repository.category_aspects(category_id), category_id
    assert EbayMapping.on(session).resolve(A_SHIRT).gaps == ()


def test_a_category_that_is_no_leaf_is_reported_as_refused(refresh: EbayRefresh) -> None:
    """C9."""
    report = refresh.run([NOT_A_LEAF, "15687"])
    assert set(report.refused) == {NOT_A_LEAF}
    assert report.refreshed == 1
