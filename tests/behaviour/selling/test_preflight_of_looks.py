"""Preflight: what buyers see. Things that look the same, words, fees; and how little it asks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import event, text, update

from benchmarks.shirts import learn_shirts, open_shirt_shop, shirts_on_ebay
from models.selling.catalog import Product, ProductImage
from models.selling.publishing import Channel, ChannelListing, JobAction, ListingStatus
from repositories.selling.publishing import RunningCaps
from services.gateways.etsy.quotas import EtsyQuotas
from services.selling.etsy.channel import EtsyChannel
from services.selling.etsy.preflight import EtsyPreflight
from services.selling.publishing.planning import Answer
from services.selling.publishing.preflight import Preflighted, PublicationPreflight
from services.selling.quotas.ledger import DatabaseLedger
from services.selling.vinted.channel import VintedChannel
from services.selling.vinted.pacing import Pacing
from services.selling.vinted.preflight import VintedPreflight
from shared.clock import Clock, MovableClock
from shared.database import Database, TenantSchema
from shared.money import Money
from tests.behaviour.selling.ebay.conftest import FACTS
from tests.factories.reference import load_catalogues
from tests.factories.selling import make_job

ALL = (Channel.EBAY, Channel.ETSY, Channel.VINTED)


@pytest.fixture
def preflight(database: Database, clock: MovableClock) -> PublicationPreflight:
    """Three channels; none of them has a way to anybody outside."""
    return PublicationPreflight(
        {
            Channel.EBAY: shirts_on_ebay(clock),
            Channel.ETSY: EtsyChannel(EtsyPreflight(), EtsyQuotas()),
            Channel.VINTED: VintedChannel(VintedPreflight(), Pacing(), clock),
        },
        DatabaseLedger(database, clock),
        RunningCaps(),
        clock,
    )


@pytest.fixture
def shop(database: Database, clock: MovableClock) -> Iterator[TenantSchema]:
    """Twelve shirts that lack nothing on any channel."""
    load_catalogues(database, clock)
    with database.platform() as session:
        learn_shirts(session)
    yield open_shirt_shop(database, 12)
    with database.platform() as session:
        for table in FACTS:
            session.execute(text(f"DELETE FROM product_attributes.{table}"))


def look(
    database: Database,
    shop: TenantSchema,
    preflight: PublicationPreflight,
    *product_ids: int,
    action: JobAction = JobAction.PUBLISH,
) -> Preflighted:
    return preflight.examine(partial(database.tenant, shop), action, product_ids, ALL)


def codes(found: Preflighted) -> Mapping[tuple[int, Channel], list[str]]:
    return {
        each.planned.key: [problem.code for problem in each.planned.problems]
        for each in found.items
        if each.planned.problems
    }


def dress_alike(database: Database, shop: TenantSchema, *product_ids: int) -> None:
    """The same title, in another case, and the same first photo."""
    with database.tenant(shop) as session:
        for place, product_id in enumerate(product_ids):
            title = "BLUE Shirt" if place else "Blue shirt"
            session.execute(update(Product).where(Product.id == product_id).values(title=title))
            session.execute(
                update(ProductImage)
                .where(ProductImage.product_id == product_id)
                .values(sha256="0" * 64)
            )


def list_it(database: Database, shop: TenantSchema, clock: Clock, product_id: int) -> None:
    with database.tenant(shop) as session:
        session.add(
            ChannelListing(
                product_id=product_id,
                channel=Channel.EBAY,
                status=ListingStatus.LIVE,
                listing_id="110",
                remote={},
                product_version=1,
                read_back={},
                published_at=clock.now(),
                checked_at=clock.now(),
            )
        )


def test_the_second_of_two_that_look_the_same_is_refused(
    database: Database, shop: TenantSchema, preflight: PublicationPreflight
) -> None:
    """B7: in the order of the request; the first goes through, and the problem names it."""
    dress_alike(database, shop, 4, 2)
    found = look(database, shop, preflight, 4, 3, 2)
    assert codes(found) == {(2, channel): ["duplicate-listing"] for channel in ALL}
    problem = found.items[-1].planned.problems[0]
    assert problem.field == "products.2.title"
    assert problem.message.startswith("Product 4 has the same title and the same first photo")


def test_what_looks_like_a_listing_is_refused_on_that_channel(
    database: Database, shop: TenantSchema, preflight: PublicationPreflight, clock: MovableClock
) -> None:
    """B7: a live listing counts, and one that is about to be published; each on its channel. The
    listing itself may be updated.
    """
    dress_alike(database, shop, 1, 2, 5)
    list_it(database, shop, clock, 1)
    with database.tenant(shop) as session:
        make_job(session, clock, product_id=5, channel=Channel.ETSY)
    assert codes(look(database, shop, preflight, 2)) == {
        (2, Channel.EBAY): ["duplicate-listing"],
        (2, Channel.ETSY): ["duplicate-listing"],
    }
    assert codes(look(database, shop, preflight, 1, action=JobAction.UPDATE)) == {}


def test_another_photo_or_another_title_is_another_thing(
    database: Database, shop: TenantSchema, preflight: PublicationPreflight
) -> None:
    """B7: sellers of many shirts call them all the same."""
    with database.tenant(shop) as session:
        session.execute(update(Product).values(title="Blue shirt"))
    assert codes(look(database, shop, preflight, 1, 2, 3)) == {}


def test_words_that_a_channel_refuses_are_refused_there_and_advice_goes_along(
    database: Database, shop: TenantSchema, preflight: PublicationPreflight
) -> None:
    """C11: one description, three channels, three answers."""
    with database.tenant(shop) as session:
        session.execute(
            update(Product)
            .where(Product.id == 7)
            .values(description="Also on Depop.", title="VERY NICE BLUE SHIRT")
        )
    found = look(database, shop, preflight, 7)
    assert codes(found) == {
        (7, Channel.EBAY): ["other-marketplace"],
        (7, Channel.VINTED): ["other-marketplace"],
    }
    advice = {
        each.planned.channel: [(one.field, one.code) for one in each.planned.advice]
        for each in found.items
    }
    capitals = ("products.7.title", "title-in-capitals")
    assert advice == {
        Channel.EBAY: [capitals],
        Channel.ETSY: [("products.7.description", "other-marketplace"), capitals],
        Channel.VINTED: [capitals],
    }


def test_fees_are_said_where_they_are_known_and_nothing_is_made_up(
    database: Database, shop: TenantSchema, preflight: PublicationPreflight, clock: MovableClock
) -> None:
    """G13: Etsy's is 0.20 USD a listing that would go live; eBay's only eBay knows; an update and
    what is not queued costs nothing.
    """
    list_it(database, shop, clock, 3)
    found = look(database, shop, preflight, 1, 2, 3)
    fees = {each.channel: (each.fee.code, each.fee.each, each.times) for each in found.fees}
    assert fees == {
        Channel.EBAY: ("insertion-fee", None, 2),
        Channel.ETSY: ("listing-fee", Money(20, "USD"), 3),
    }
    assert look(database, shop, preflight, 3, action=JobAction.UPDATE).fees == ()


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    said: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        said.append(statement)

    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        yield said
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)


def test_more_products_are_not_more_statements(
    database: Database, shop: TenantSchema, preflight: PublicationPreflight
) -> None:
    """G13: three products on three channels, and twelve."""

    def fewest(*product_ids: int) -> int:
        """A connection may be new to the shop, which costs statements of its own."""
        needed = []
        for _ in range(3):
            with statements(database) as sent:
                found = look(database, shop, preflight, *product_ids)
            assert {each.planned.answer for each in found.items} == {Answer.QUEUED}
            needed.append(len(sent))
        return min(needed)

    assert fewest(*range(1, 13)) == fewest(*range(1, 4))
