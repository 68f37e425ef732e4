"""What a channel promises that takes products with variants: one listing, a row for each."""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import text

from models.selling.catalog import Product
from models.selling.publishing import JobAction, JobOutcome
from repositories.selling.catalog import ProductRepository
from tests.contracts.handler_conformance import Bench, SellingSubject

Rows = Mapping[str, tuple[int, int]]
"""Price in minor units and quantity, by our key."""


class VariantSubject(SellingSubject, Protocol):
    """A channel whose listings have variants."""

    def variants(self) -> int:
        """Store a product of several variants that lacks nothing."""
        ...

    def listings(self, product_id: int) -> list[tuple[str, Rows]]:
        """Every live listing of the product, from the channel's own books, with its rows."""
        ...

    def sell_variant(self, product_id: int, sku: str) -> None:
        """Somebody buys one of a variant."""
        ...


class VariantConformance:
    """Each test is one promise."""

    def test_a_listing_follows_its_variants_to_the_end(self, subject: VariantSubject) -> None:
        """C1, B12: published, changed in one of them, found again, ended as one."""
        bench = Bench(subject, JobAction.PUBLISH)
        product_id = subject.variants()
        done(bench, product_id, JobAction.PUBLISH)
        [(listing_id, rows)] = subject.listings(product_id)
        assert rows == wanted(subject, product_id)
        assert len(rows) > 1

        revise_the_last(subject, product_id)
        done(bench, product_id, JobAction.UPDATE)
        changed = wanted(subject, product_id)
        assert subject.listings(product_id) == [(listing_id, changed)]
        assert sum(rows[sku] != changed[sku] for sku in rows) == 1

        with subject.database.tenant(subject.tenant) as session:
            session.execute(text("DELETE FROM channel_listings"))
        done(bench, product_id, JobAction.LINK)
        recorded = bench.recorded(product_id)
        assert recorded is not None
        assert recorded.listing_id == listing_id

        done(bench, product_id, JobAction.DELETE)
        assert subject.listings(product_id) == []
        assert bench.recorded(product_id) is None

    def test_a_sale_is_taken_from_the_variant_that_was_sold(self, subject: VariantSubject) -> None:
        """A9, G7: from no other one; what is left is what the channel has."""
        bench = Bench(subject, JobAction.PUBLISH)
        product_id = subject.variants()
        done(bench, product_id, JobAction.PUBLISH)
        before = wanted(subject, product_id)
        *_, sold = before
        subject.sell_variant(product_id, sold)
        done(bench, product_id, JobAction.ORDERS)
        price, quantity = before[sold]
        assert wanted(subject, product_id) == {**before, sold: (price, quantity - 1)}
        [(_, rows)] = subject.listings(product_id)
        assert rows == wanted(subject, product_id)


def done(bench: Bench, product_id: int, action: JobAction) -> None:
    """Do it, and it is done."""
    job = bench.finish(bench.ask(product_id, action))
    assert job.outcome is JobOutcome.OK, (action, job.problem_detail)


def wanted(subject: VariantSubject, product_id: int) -> Rows:
    """What our books say of each variant."""
    variants = _product(subject, product_id).variants
    return {each.channel_key: (each.price_minor, each.quantity) for each in variants}


def revise_the_last(subject: VariantSubject, product_id: int) -> None:
    """Another price and quantity for one variant, as its seller does."""
    with subject.database.tenant(subject.tenant) as session:
        product = ProductRepository(session).locked(product_id)
        assert product is not None
        product.variants[-1].price_minor += 100
        product.variants[-1].quantity += 1
        product.version += 1


def _product(subject: VariantSubject, product_id: int) -> Product:
    with subject.database.tenant(subject.tenant) as session:
        [product] = ProductRepository(session).by_ids([product_id])
    return product
