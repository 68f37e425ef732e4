"""A product as somebody wants it: what the API and an import both turn their input into."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from models.selling.catalog import Product, ProductStatus, ProductVariant
from repositories.selling.catalog import NewProduct
from shared.ids import new_channel_key
from shared.text import one_line, without_control_characters


@dataclass(frozen=True, slots=True)
class VariantDraft:
    """A variant as wanted; `id` names the variant it continues, None asks for a new one."""

    price_minor: int
    quantity: int
    option_values: tuple[str, ...] = ()
    sku: str | None = None
    barcode: str | None = None
    weight_grams: int | None = None
    id: int | None = None

    @classmethod
    def of(cls, variant: ProductVariant) -> "VariantDraft":
        """The variant as it is."""
        return cls(
            price_minor=variant.price_minor,
            quantity=variant.quantity,
            option_values=tuple(variant.option_values),
            sku=variant.sku,
            barcode=variant.barcode,
            weight_grams=variant.weight_grams,
            id=variant.id,
        )

    def cleaned(self) -> "VariantDraft":
        """With texts of one line, and None where nothing is left of them."""
        return replace(
            self,
            option_values=tuple(one_line(value) for value in self.option_values),
            sku=_line(self.sku),
            barcode=_line(self.barcode),
        )


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """A product as wanted, photos apart. `handle` "" asks for one made from the title."""

    title: str
    currency: str
    variants: tuple[VariantDraft, ...]
    handle: str = ""
    description: str = ""
    status: ProductStatus = ProductStatus.DRAFT
    brand: str | None = None
    category: str | None = None
    condition: str | None = None
    department: str | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, product: Product) -> "ProductDraft":
        """The product as it is."""
        return cls(
            title=product.title,
            currency=product.currency,
            variants=tuple(VariantDraft.of(variant) for variant in product.variants),
            handle=product.handle,
            description=product.description,
            status=product.status,
            brand=product.brand,
            category=product.category_code,
            condition=product.condition_code,
            department=product.department_code,
            attributes={name: tuple(values) for name, values in product.attributes.items()},
            tags=tuple(product.tags),
            option_names=tuple(product.option_names),
        )

    def cleaned(self) -> "ProductDraft":
        """Without control characters, stray white space, repeated tags and empty attributes."""
        attributes = {one_line(name): _distinct(values) for name, values in self.attributes.items()}
        return replace(
            self,
            handle=one_line(self.handle),
            title=one_line(self.title),
            description=_paragraphs(self.description),
            brand=_line(self.brand),
            category=_line(self.category),
            condition=_line(self.condition),
            department=_line(self.department),
            attributes={name: values for name, values in attributes.items() if values},
            tags=_distinct(self.tags),
            option_names=tuple(one_line(name) for name in self.option_names),
            variants=tuple(variant.cleaned() for variant in self.variants),
        )


def new_product(draft: ProductDraft, now: datetime) -> Product:
    """A row, with its variants, that is not stored yet."""
    product = Product(
        version=1, created_at=now, updated_at=now, variants=[], images=[], missing_images=[]
    )
    _write(draft, product)
    return product


def apply(draft: ProductDraft, product: Product, now: datetime) -> bool:
    """Make the product as wanted; False, and no new version, when it already is."""
    if ProductDraft.of(product) == draft:
        return False
    _write(draft, product)
    touch(product, now)
    return True


def touch(product: Product, now: datetime) -> None:
    """Count one more change."""
    product.version += 1
    product.updated_at = now


def product_columns(draft: ProductDraft) -> dict[str, Any]:
    """The draft as columns of `products`."""
    return {
        "handle": draft.handle,
        "title": draft.title,
        "description": draft.description,
        "status": draft.status,
        "brand": draft.brand,
        "category_code": draft.category,
        "condition_code": draft.condition,
        "department_code": draft.department,
        "attributes": {name: list(values) for name, values in draft.attributes.items()},
        "tags": list(draft.tags),
        "option_names": list(draft.option_names),
        "currency": draft.currency,
    }


def variant_columns(variant: VariantDraft, position: int) -> dict[str, Any]:
    """The draft as columns of `product_variants`."""
    return {
        "position": position,
        "price_minor": variant.price_minor,
        "quantity": variant.quantity,
        "option_values": list(variant.option_values),
        "sku": variant.sku,
        "barcode": variant.barcode,
        "weight_grams": variant.weight_grams,
    }


def new_rows(draft: ProductDraft, now: datetime) -> NewProduct:
    """The same as `new_product`, for storing many at once."""
    return NewProduct(
        {**product_columns(draft), "version": 1, "created_at": now, "updated_at": now},
        [
            {**variant_columns(variant, position), "channel_key": new_channel_key()}
            for position, variant in enumerate(draft.variants, start=1)
        ],
    )


def _write(draft: ProductDraft, product: Product) -> None:
    for name, value in product_columns(draft).items():
        setattr(product, name, value)
    known = {variant.id: variant for variant in product.variants}
    variants = []
    for position, wanted in enumerate(draft.variants, start=1):
        variant = known.get(wanted.id) if wanted.id is not None else None
        if variant is None:
            variant = ProductVariant(channel_key=new_channel_key())
        for name, value in variant_columns(wanted, position).items():
            setattr(variant, name, value)
        variants.append(variant)
    product.variants = variants


def _line(text: str | None) -> str | None:
    return one_line(text or "") or None


def _distinct(texts: tuple[str, ...]) -> tuple[str, ...]:
    lines = (one_line(text) for text in texts)
    return tuple(dict.fromkeys(line for line in lines if line))


def _paragraphs(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return without_control_characters(text).strip()
