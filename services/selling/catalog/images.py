"""The photos of a product. Bytes go to the object store first, then the row is written."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeAlias

from models.selling.catalog import IMAGE_LIMIT, Product, ProductImage
from repositories.selling.catalog import ImageRepository, ProductRepository, StoredPhoto
from services.gateways.object_store import ObjectStore
from services.selling.catalog.drafts import touch
from services.selling.catalog.photos import inspect_photo
from services.selling.catalog.products import ProductNotFound
from shared.clock import Clock
from shared.database import TenantSchema, TenantSession
from shared.errors import BadInput, Conflict, FieldProblem, NotFound
from shared.text import one_line, shorten

ALT_TEXT_LIMIT = 500

Transactions: TypeAlias = Callable[[], AbstractContextManager[TenantSession]]
"""Opens a short transaction in the shop, committed at its end."""


class ImageNotFound(NotFound):
    """The product has no such photo."""

    code, title = "image-not-found", "There is no such photo"


class TooManyImages(Conflict):
    """The product has as many photos as it may have."""

    code, title = "too-many-images", f"A product has at most {IMAGE_LIMIT} photos"


class ProductImages:
    """Photos of the products of one shop. No transaction is open while bytes travel."""

    def __init__(
        self, transactions: Transactions, tenant: TenantSchema, store: ObjectStore, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._tenant = tenant
        self._store = store
        self._clock = clock

    def add(self, product_id: int, data: bytes, alt_text: str) -> tuple[ProductImage, bool]:
        """Keep a photo at the end; False when the product has the very same one already.

        Raises `PhotoRefused`, `PhotoTooLarge`, `TooManyImages` and `ProductNotFound`.
        """
        with self._transactions() as session:
            product = _found(ProductRepository(session).get(product_id))
        # Decoded only for somebody who may, and after the connection has gone back.
        photo = inspect_photo(self._tenant, data)
        known = _same(product, photo)
        if known is not None:
            return known, False
        store_photo(self._store, photo, data)
        with self._transactions() as session:
            products = ProductRepository(session)
            product = _found(products.locked(product_id))
            known = _same(product, photo)
            if known is not None:
                return known, False
            image = append_photo(product, photo, alt_text=alt_text, source=None)
            touch(product, self._clock.now())
            products.save()
            return image, True

    def read(self, product_id: int, image_id: int) -> tuple[ProductImage, Callable[[], bytes]]:
        """A photo and how to get its bytes. Raises `ImageNotFound`."""
        with self._transactions() as session:
            image = ImageRepository(session).get(product_id, image_id)
        if image is None:
            raise ImageNotFound
        return image, lambda: self._store.get(image.object_key)

    def remove(self, product_id: int, image_id: int) -> None:
        """Take a photo off the product; its bytes stay, other products may show the same ones."""
        with self._transactions() as session:
            products = ProductRepository(session)
            product = _found(products.locked(product_id))
            if image_id not in {image.id for image in product.images}:
                raise ImageNotFound
            number_photos([image for image in product.images if image.id != image_id], product)
            touch(product, self._clock.now())
            products.save()

    def reorder(self, product_id: int, image_ids: Sequence[int]) -> Product:
        """Put the photos in this order; each must be named once. Raises `BadInput`."""
        with self._transactions() as session:
            products = ProductRepository(session)
            product = _found(products.locked(product_id))
            own = {image.id: image for image in product.images}
            if sorted(own) != sorted(image_ids):
                raise BadInput(
                    fields=[FieldProblem("image_ids", "name each photo of the product once")]
                )
            if list(own) != list(image_ids):
                number_photos([own[image_id] for image_id in image_ids], product)
                touch(product, self._clock.now())
                products.save()
            return product


def store_photo(store: ObjectStore, photo: StoredPhoto, data: bytes) -> None:
    """Put the original under its content hash, unless it is there."""
    if not store.exists(photo.object_key):
        store.put(photo.object_key, data, photo.content_type)


def append_photo(
    product: Product, photo: StoredPhoto, *, alt_text: str, source: str | None
) -> ProductImage:
    """Add the row of a stored photo as the last one. Raises `TooManyImages`."""
    if len(product.images) >= IMAGE_LIMIT:
        raise TooManyImages
    image = ProductImage(
        position=len(product.images) + 1,
        sha256=photo.sha256,
        object_key=photo.object_key,
        content_type=photo.content_type,
        width=photo.width,
        height=photo.height,
        bytes=photo.bytes,
        alt_text=shorten(one_line(alt_text), ALT_TEXT_LIMIT),
        source=source,
    )
    product.images.append(image)
    return image


def _found(product: Product | None) -> Product:
    if product is None:
        raise ProductNotFound
    return product


def _same(product: Product, photo: StoredPhoto) -> ProductImage | None:
    return next((image for image in product.images if image.sha256 == photo.sha256), None)


def number_photos(images: list[ProductImage], product: Product) -> None:
    """Make these the photos of a product, in this order."""
    for position, image in enumerate(images, start=1):
        image.position = position
    product.images = images
