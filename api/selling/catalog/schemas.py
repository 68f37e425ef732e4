"""What goes in and out of the product routes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from models.selling.catalog import (
    DESCRIPTION_LIMIT,
    IMAGE_LIMIT,
    OPTION_LIMIT,
    TITLE_LIMIT,
    VARIANT_LIMIT,
    Product,
    ProductImage,
    ProductStatus,
    ProductVariant,
)
from services.selling.catalog.checks import (
    ATTRIBUTE_LIMIT,
    BARCODE_LIMIT,
    QUANTITY_LIMIT,
    TAG_LIMIT,
    TEXT_LIMIT,
    VALUES_LIMIT,
    WEIGHT_LIMIT_GRAMS,
)
from services.selling.catalog.drafts import ProductDraft, VariantDraft
from services.selling.catalog.products import ProductInvalid
from shared.errors import FieldProblem
from shared.money import Money

Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
Title = Annotated[str, Field(min_length=1, max_length=TITLE_LIMIT)]
Description = Annotated[str, Field(max_length=DESCRIPTION_LIMIT)]
Attributes = Annotated[
    Mapping[Text, Annotated[list[Text], Field(max_length=VALUES_LIMIT)]],
    Field(max_length=ATTRIBUTE_LIMIT),
]
Tags = Annotated[list[Text], Field(max_length=TAG_LIMIT)]
OptionNames = Annotated[list[Text], Field(max_length=OPTION_LIMIT)]
RowId = Annotated[int, Field(strict=True, gt=0, lt=2**63)]


class MoneyIn(BaseModel):
    """An amount as text, so that no digit is lost on the way."""

    model_config = ConfigDict(extra="forbid")

    amount: str = Field(max_length=30, examples=["12.50"])
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["USD"])


class MoneyOut(BaseModel):
    """An amount as text."""

    amount: str
    currency: str

    @classmethod
    def of(cls, money: Money) -> "MoneyOut":
        """As text."""
        return cls(amount=money.amount(), currency=money.currency)


class VariantIn(BaseModel):
    """What a buyer can order."""

    model_config = ConfigDict(extra="forbid")

    price: MoneyIn
    quantity: int = Field(strict=True, ge=0, le=QUANTITY_LIMIT)
    option_values: list[Text] = Field(
        default_factory=list, max_length=OPTION_LIMIT, description="In the order of `option_names`."
    )
    sku: Text | None = None
    barcode: str | None = Field(default=None, max_length=BARCODE_LIMIT)
    weight_grams: int | None = Field(default=None, strict=True, ge=0, le=WEIGHT_LIMIT_GRAMS)


class VariantChangeIn(VariantIn):
    """A variant after the change."""

    id: RowId | None = Field(default=None, description="The variant it continues; none: a new one.")


Variants = Annotated[list[VariantIn], Field(min_length=1, max_length=VARIANT_LIMIT)]
ChangedVariants = Annotated[list[VariantChangeIn], Field(min_length=1, max_length=VARIANT_LIMIT)]

_EXAMPLE: dict[str, Any] = {
    "title": "Blue denim jacket",
    "description": "Worn twice, no flaws.",
    "status": "active",
    "brand": "Levi's",
    "category": "aa-1-10-2",
    "condition": "excellent",
    "department": "women",
    "attributes": {"color": ["blue"], "material": ["cotton"]},
    "option_names": ["Size"],
    "variants": [
        {
            "option_values": ["M"],
            "price": {"amount": "45.00", "currency": "USD"},
            "quantity": 1,
            "sku": "JACKET-M",
        }
    ],
}


class ProductIn(BaseModel):
    """A new product."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    title: Title
    variants: Variants
    handle: Text = Field(default="", description="Short name; made from the title when left out.")
    description: Description = ""
    status: ProductStatus = ProductStatus.DRAFT
    brand: Text | None = None
    category: Text | None = Field(default=None, description="A code of our category tree.")
    condition: Text | None = Field(default=None, description="A code such as `very_good`.")
    department: Text | None = Field(default=None, description="A code such as `women`.")
    attributes: Attributes = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    option_names: OptionNames = Field(default_factory=list)

    def draft(self) -> ProductDraft:
        """The product as wanted. Raises `ProductInvalid` for amounts that are none."""
        currency, variants = _variants(self.variants)
        return ProductDraft(
            title=self.title,
            currency=currency,
            variants=variants,
            handle=self.handle,
            description=self.description,
            status=self.status,
            brand=self.brand,
            category=self.category,
            condition=self.condition,
            department=self.department,
            attributes={name: tuple(values) for name, values in self.attributes.items()},
            tags=tuple(self.tags),
            option_names=tuple(self.option_names),
        )


class ProductChangeIn(BaseModel):
    """What to change; what is left out stays. A list that is given replaces the whole list."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"title": "Blue denim jacket, size M"}]}
    )

    title: Title = ""
    variants: ChangedVariants = Field(default_factory=list)
    handle: Annotated[Text, Field(min_length=1)] = ""
    description: Description = ""
    status: ProductStatus = ProductStatus.DRAFT
    brand: Text | None = None
    category: Text | None = None
    condition: Text | None = None
    department: Text | None = None
    attributes: Attributes = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    option_names: OptionNames = Field(default_factory=list)

    def apply_to(self, draft: ProductDraft) -> ProductDraft:
        """The product after the change. Raises `ProductInvalid` for amounts that are none."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "variants" in given:
            given["currency"], given["variants"] = _variants(self.variants)
        if "attributes" in given:
            given["attributes"] = {name: tuple(it) for name, it in self.attributes.items()}
        for name in ("tags", "option_names"):
            if name in given:
                given[name] = tuple(given[name])
        return replace(draft, **given)


class VariantOut(BaseModel):
    """What a buyer can order."""

    id: int
    option_values: list[str]
    price: MoneyOut
    quantity: int
    sku: str | None
    barcode: str | None
    weight_grams: int | None
    channel_key: str = Field(description="Its SKU on every channel; never changes.")

    @classmethod
    def of(cls, variant: ProductVariant, currency: str) -> "VariantOut":
        """One variant of a product in this currency."""
        return cls(
            id=variant.id,
            option_values=variant.option_values,
            price=MoneyOut.of(Money(variant.price_minor, currency)),
            quantity=variant.quantity,
            sku=variant.sku,
            barcode=variant.barcode,
            weight_grams=variant.weight_grams,
            channel_key=variant.channel_key,
        )


class ImageOut(BaseModel):
    """A photo of a product."""

    id: int
    position: int = Field(description="1 is the main photo.")
    url: str
    content_type: str
    width: int = Field(description="Pixels of the upright photo.")
    height: int
    bytes: int
    sha256: str
    alt_text: str
    source: str | None = Field(description="Where an import took it from.")

    @classmethod
    def of(cls, image: ProductImage) -> "ImageOut":
        """One photo."""
        return cls(
            id=image.id,
            position=image.position,
            url=image_url(image.product_id, image.id),
            content_type=image.content_type,
            width=image.width,
            height=image.height,
            bytes=image.bytes,
            sha256=image.sha256,
            alt_text=image.alt_text,
            source=image.source,
        )


class MissingImageOut(BaseModel):
    """A photo that an import could not get."""

    source: str
    problem: str
    tried_at: datetime


class ProductOut(BaseModel):
    """A whole product."""

    id: int
    handle: str
    title: str
    description: str
    status: ProductStatus
    brand: str | None
    category: str | None
    condition: str | None
    department: str | None
    attributes: dict[str, list[str]]
    tags: list[str]
    option_names: list[str]
    currency: str
    quantity: int = Field(description="Over all variants.")
    variants: list[VariantOut]
    images: list[ImageOut]
    missing_images: list[MissingImageOut]
    version: int = Field(description="The ETag.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, product: Product) -> "ProductOut":
        """A product with its variants and photos."""
        return cls(
            id=product.id,
            handle=product.handle,
            title=product.title,
            description=product.description,
            status=product.status,
            brand=product.brand,
            category=product.category_code,
            condition=product.condition_code,
            department=product.department_code,
            attributes=product.attributes,
            tags=product.tags,
            option_names=product.option_names,
            currency=product.currency,
            quantity=product.quantity,
            variants=[VariantOut.of(variant, product.currency) for variant in product.variants],
            images=[ImageOut.of(image) for image in product.images],
            missing_images=[
                MissingImageOut(source=it.source, problem=it.problem, tried_at=it.tried_at)
                for it in product.missing_images
            ],
            version=product.version,
            created_at=product.created_at,
            updated_at=product.updated_at,
        )


class ImageOrderIn(BaseModel):
    """The photos in their new order; the first is the main photo."""

    model_config = ConfigDict(extra="forbid")

    image_ids: list[RowId] = Field(max_length=IMAGE_LIMIT)


def image_url(product_id: int, image_id: int) -> str:
    """Where a photo's bytes are, for whoever is signed in to the shop."""
    return f"/api/v1/products/{product_id}/images/{image_id}"


def _variants(given: Sequence[VariantIn]) -> tuple[str, tuple[VariantDraft, ...]]:
    currency = given[0].price.currency if given else ""
    problems: list[FieldProblem] = []
    drafts = []
    for number, variant in enumerate(given):
        minor = _minor(variant.price, currency, f"variants.{number}.price", problems)
        drafts.append(
            VariantDraft(
                price_minor=minor,
                quantity=variant.quantity,
                option_values=tuple(variant.option_values),
                sku=variant.sku,
                barcode=variant.barcode,
                weight_grams=variant.weight_grams,
                id=variant.id if isinstance(variant, VariantChangeIn) else None,
            )
        )
    if problems:
        raise ProductInvalid(fields=problems)
    return currency, tuple(drafts)


def _minor(price: MoneyIn, currency: str, path: str, problems: list[FieldProblem]) -> int:
    if price.currency != currency:
        message = "all variants are priced in one currency"
        problems.append(FieldProblem(f"{path}.currency", message, "mixed"))
        return 1
    try:
        return Money.parse(price.amount, currency).minor
    except ValueError:
        message = f"not an amount in {currency}; write it like 12.50"
        problems.append(FieldProblem(f"{path}.amount", message, "not-a-price"))
        return 1
