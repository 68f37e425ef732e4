"""Products, their variants and photos: the one record that every channel is fed from."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import OBJECT_KEY, BigKey, Moment, TenantBase, words

TITLE_LIMIT = 255
"""Longest title we keep, in characters; a channel may allow less and preflight says so."""

DESCRIPTION_LIMIT = 20_000
"""Longest description we keep, in characters of plain text."""

IMAGE_LIMIT = 24
"""Photos of one product; eBay and Etsy take no more than 24 and 20."""

VARIANT_LIMIT = 250
"""Variants of one product; eBay takes no more in one listing."""

OPTION_LIMIT = 3
"""Things variants may differ in, such as size and colour."""


class ProductStatus(StrEnum):
    """Whether a product may be published."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class Product(TenantBase):
    """One thing for sale, in one or more variants. A live row has no `deleted_at`."""

    __tablename__ = "products"
    __table_args__ = (
        Index(
            "uq_products_live_handle",
            "handle",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_products_live_newest",
            "created_at",
            "id",
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[BigKey]
    handle: Mapped[str]
    """Short name, unique among live products; an import finds its product again by it."""
    title: Mapped[str]
    description: Mapped[str]
    status: Mapped[ProductStatus] = mapped_column(words(ProductStatus, "status"))
    brand: Mapped[str | None]
    category_code: Mapped[str | None]
    """Code in `product_attributes.categories`."""
    condition_code: Mapped[str | None]
    """Code in `product_attributes.conditions`."""
    department_code: Mapped[str | None]
    """Code in `product_attributes.departments`."""
    attributes: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    """Item specifics by our attribute name, such as `color` or `material`."""
    tags: Mapped[list[str]] = mapped_column(JSONB)
    option_names: Mapped[list[str]] = mapped_column(JSONB)
    """What the variants differ in, such as `["Size"]`; empty for a single variant."""
    currency: Mapped[str]
    """ISO 4217, for the prices of all variants."""
    version: Mapped[int]
    """Counts changes; the ETag."""
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    variants: Mapped[list["ProductVariant"]] = relationship(
        back_populates="product",
        order_by="ProductVariant.position",
        cascade="all, delete-orphan",
        lazy="raise",
    )
    images: Mapped[list["ProductImage"]] = relationship(
        back_populates="product",
        order_by="ProductImage.position",
        cascade="all, delete-orphan",
        lazy="raise",
    )
    missing_images: Mapped[list["MissingImage"]] = relationship(
        order_by="MissingImage.id", cascade="all, delete-orphan", lazy="raise"
    )

    @property
    def quantity(self) -> int:
        """Units in stock over all variants."""
        return sum(variant.quantity for variant in self.variants)


class ProductVariant(TenantBase):
    """What a buyer can actually order: one size, one colour, one price."""

    __tablename__ = "product_variants"
    __table_args__ = (
        UniqueConstraint("product_id", "position", deferrable=True, initially="DEFERRED"),
        CheckConstraint("price_minor > 0", name="price_positive"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        Index("ix_product_variants_sku", "sku"),
    )

    id: Mapped[BigKey]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    position: Mapped[int]
    """1 for the first."""
    sku: Mapped[str | None]
    """The seller's own number; editable, so never used to find a listing."""
    barcode: Mapped[str | None]
    option_values: Mapped[list[str]] = mapped_column(JSONB)
    """In the order of the product's `option_names`."""
    price_minor: Mapped[int]
    """Minor units of the product's currency."""
    quantity: Mapped[int]
    weight_grams: Mapped[int | None]
    channel_key: Mapped[str] = mapped_column(unique=True)
    """The SKU on every channel; made once, never changed (see `shared.ids.new_channel_key`), unless
    a listing that was there before us brings its own."""
    key_adopted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When a channel's own SKU became the key: what was sold under it before is in the stock."""

    product: Mapped[Product] = relationship(back_populates="variants", lazy="raise")


class ProductImage(TenantBase):
    """A photo. The original is kept in the object store under its content hash."""

    __tablename__ = "product_images"
    __table_args__ = (
        UniqueConstraint("product_id", "position", deferrable=True, initially="DEFERRED"),
        UniqueConstraint("product_id", "sha256"),
        Index("ix_product_images_source", "source", postgresql_where=text("source IS NOT NULL")),
    )

    id: Mapped[BigKey]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    position: Mapped[int]
    """1 for the main photo."""
    sha256: Mapped[str]
    object_key: Mapped[str] = mapped_column(info={OBJECT_KEY: "content_type"})
    content_type: Mapped[str]
    width: Mapped[int]
    """Pixels, after EXIF orientation is applied."""
    height: Mapped[int]
    bytes: Mapped[int]
    alt_text: Mapped[str]
    source: Mapped[str | None]
    """URL or file name it came from, so that a repeated import does not fetch it again."""

    product: Mapped[Product] = relationship(back_populates="images", lazy="raise")


class MissingImage(TenantBase):
    """A photo that an import named and could not get; the next import tries it again."""

    __tablename__ = "missing_images"
    __table_args__ = (UniqueConstraint("product_id", "source"),)

    id: Mapped[BigKey]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    source: Mapped[str]
    """URL or file name."""
    problem: Mapped[str]
    """Why it could not be had, for the seller."""
    tried_at: Mapped[Moment]
