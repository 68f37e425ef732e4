"""Products, variants and photos of one shop.

Locks: product rows in order of id, before their variants and photos are read.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, insert, literal, select, union_all
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import selectinload

from models.reference.attributes import Category, Condition, Department
from models.selling.catalog import Product, ProductImage, ProductVariant
from models.selling.publishing import (
    LIVE_STATUSES,
    Channel,
    ChannelListing,
    JobAction,
    ListingStatus,
    MarketplaceJob,
)
from shared.database import TenantSession
from shared.errors import BadInput, Conflict

_WHOLE = (
    selectinload(Product.variants),
    selectinload(Product.images),
    selectinload(Product.missing_images),
)


class CatalogClash(Conflict):
    """Somebody else stored the same thing at the same moment."""

    code, title = "catalog-clash", "Something like this was stored at the same moment; try again"


class RefusedByDatabase(BadInput):
    """A value that the database cannot hold."""

    code, title = "unstorable-value", "A value cannot be stored"


@dataclass(frozen=True, slots=True)
class Holds:
    """What keeps a product from being deleted."""

    listed_on: tuple[Channel, ...]
    jobs: tuple[tuple[int, Channel, JobAction], ...]
    """Live jobs: id, channel and what they do."""

    def __bool__(self) -> bool:
        return bool(self.listed_on or self.jobs)


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo whose bytes are in the object store."""

    sha256: str
    object_key: str
    content_type: str
    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class NewProduct:
    """A product without photos that is not stored yet."""

    columns: Mapping[str, Any]
    variants: Sequence[Mapping[str, Any]]
    """Columns, without the product's id."""


class ProductRepository:
    """Whole products. None of its questions sees deleted ones."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def wait_for_turn(self) -> None:
        """Hold back other imports into this shop until this transaction ends.

        Two of them would insert the same handles in different orders, and wait for each other.
        """
        name = f"import into {self._session.tenant}"
        self._session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    def existing(self, product_ids: Collection[int]) -> frozenset[int]:
        """Those of the ids that exist at this moment."""
        return frozenset(self._session.scalars(_existing(product_ids)))

    def kept(self, product_ids: Collection[int]) -> frozenset[int]:
        """Those of the ids that exist; none of them can be deleted until the commit."""
        return frozenset(
            self._session.scalars(
                _existing(product_ids)
                .order_by(Product.id)
                .with_for_update(read=True, key_share=True)
            )
        )

    def get(self, product_id: int) -> Product | None:
        """One product with its variants and photos: four statements whatever their number."""
        return self._session.scalar(_whole().where(Product.id == product_id))

    def locked(self, product_id: int) -> Product | None:
        """One product, locked and read anew."""
        return self._session.scalar(_locked().where(Product.id == product_id))

    def held(self, product_id: int) -> Product | None:
        """One product, read anew; nobody can change it until the commit."""
        query = _whole().where(Product.id == product_id).with_for_update(read=True, of=Product)
        return self._session.scalar(query.execution_options(populate_existing=True))

    def by_ids(self, product_ids: Collection[int]) -> Sequence[Product]:
        """These products, in order of id."""
        return self._session.scalars(
            _whole().where(Product.id.in_(product_ids)).order_by(Product.id)
        ).all()

    def by_handles(self, handles: Collection[str], *, lock: bool = False) -> dict[str, Product]:
        """The products that have one of these handles, by handle."""
        query = _locked() if lock else _whole()
        found = self._session.scalars(
            query.where(Product.handle.in_(handles)).order_by(Product.id)
        ).all()
        return {product.handle: product for product in found}

    def version_of(self, product_id: int) -> int | None:
        """The product's version: one cheap statement."""
        return self._session.scalar(
            select(Product.version).where(Product.id == product_id, Product.deleted_at.is_(None))
        )

    def handles_starting(self, prefix: str) -> frozenset[str]:
        """Handles in use that begin like this."""
        found = self._session.scalars(
            select(Product.handle).where(
                Product.handle.startswith(prefix, autoescape=True), Product.deleted_at.is_(None)
            )
        )
        return frozenset(found)

    def add_all(self, products: Sequence[Product]) -> None:
        """Store new products. Raises `CatalogClash` when a handle was taken meanwhile.

        After an error only this addition is undone: it runs in a savepoint.
        """
        with _translated(), self._session.begin_nested():
            self._session.add_all(products)

    def insert_all(self, products: Sequence[NewProduct]) -> dict[str, int]:
        """Store many new products by two statements; their ids by handle.

        A third of the time that entities take. Raises `CatalogClash` like `add_all`.
        """
        if not products:
            return {}
        table = Product.__table__
        with _translated(), self._session.begin_nested():
            connection = self._session.connection()
            ids = {
                handle: product_id
                for product_id, handle in connection.execute(
                    insert(Product).returning(table.c.id, table.c.handle),
                    [dict(product.columns) for product in products],
                )
            }
            variants = [
                {**variant, "product_id": ids[product.columns["handle"]]}
                for product in products
                for variant in product.variants
            ]
            connection.execute(insert(ProductVariant), variants)
        return ids

    def save(self) -> None:
        """Write what was changed on products read here."""
        with _translated():
            self._session.flush()

    def holds(self, product_id: int) -> Holds:
        """Live listings and live jobs of a product."""
        listed = self._session.scalars(
            select(ChannelListing.channel)
            .where(
                ChannelListing.product_id == product_id,
                ChannelListing.status == ListingStatus.LIVE,
            )
            .order_by(ChannelListing.channel)
        ).all()
        jobs = self._session.execute(
            select(MarketplaceJob.id, MarketplaceJob.channel, MarketplaceJob.action)
            .where(
                MarketplaceJob.product_id == product_id,
                MarketplaceJob.status.in_(LIVE_STATUSES),
            )
            .order_by(MarketplaceJob.id)
        )
        return Holds(tuple(listed), tuple(jobs.tuples()))

    def known_codes(
        self,
        categories: Collection[str | None],
        conditions: Collection[str | None],
        departments: Collection[str | None],
    ) -> frozenset[tuple[str, str]]:
        """Which codes the catalogues have, as ("category", code) and so on: one statement."""
        questions = [
            select(literal(kind).label("kind"), model.code).where(
                model.code.in_([code for code in codes if code is not None])
            )
            for kind, model, codes in (
                ("category", Category, categories),
                ("condition", Condition, conditions),
                ("department", Department, departments),
            )
        ]
        return frozenset(self._session.execute(union_all(*questions)).tuples())


class ImageRepository:
    """Photos, without the product around them."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def get(self, product_id: int, image_id: int) -> ProductImage | None:
        """One photo of a product that is not deleted."""
        return self._session.scalar(
            select(ProductImage)
            .join(Product, Product.id == ProductImage.product_id)
            .where(
                ProductImage.id == image_id,
                ProductImage.product_id == product_id,
                Product.deleted_at.is_(None),
            )
        )

    def by_sources(self, sources: Collection[str]) -> Mapping[str, StoredPhoto]:
        """Photos the shop already has, by the URL or file name they came from."""
        columns = [getattr(ProductImage, name) for name in StoredPhoto.__slots__]
        rows = self._session.execute(
            select(ProductImage.source, *columns).where(ProductImage.source.in_(sources))
        )
        return {source: StoredPhoto(*photo) for source, *photo in rows}


def _existing(product_ids: Collection[int]) -> Select[tuple[int]]:
    return select(Product.id).where(Product.id.in_(product_ids), Product.deleted_at.is_(None))


def _whole() -> Select[tuple[Product]]:
    return select(Product).where(Product.deleted_at.is_(None)).options(*_WHOLE)


def _locked() -> Select[tuple[Product]]:
    return _whole().with_for_update(of=Product).execution_options(populate_existing=True)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if _sqlstate(error) == "23505":
            raise CatalogClash from None
        raise RefusedByDatabase from None
    except DataError:
        raise RefusedByDatabase from None


def _sqlstate(error: IntegrityError) -> Any:
    return getattr(error.orig, "pgcode", None)
