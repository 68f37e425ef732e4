"""Products that lack nothing for eBay US."""

import hashlib
import io
from collections.abc import Sequence
from itertools import count
from typing import Any, Protocol

from PIL import Image

from models.selling.catalog import Product, ProductImage, ProductStatus, ProductVariant
from shared.clock import Clock
from shared.database import TenantSession
from shared.ids import new_channel_key

SHIRT_CATEGORY = "15687"
"""eBay's id for men's t-shirts."""

_numbers = count(1)

_SHIRT = {
    "description": "A blue t-shirt.\n\nWorn twice.",
    "brand": "Patagonia",
    "category_code": "aa-1-13-8",
    "condition_code": "good",
    "department_code": "men",
}
_ATTRIBUTES = {"color": ["Blue"], "size_type": ["Regular"], "sleeve_length": ["Short"]}


class PhotoKeeper(Protocol):
    """Where photos are put."""

    def put(self, key: str, data: bytes, content_type: str) -> None: ...


def make_shirt(
    session: TenantSession,
    clock: Clock,
    photos: PhotoKeeper,
    *,
    sizes: Sequence[str] = ("M",),
    colors: Sequence[tuple[int, int, int]] = ((20, 40, 160),),
    **changes: Any,
) -> Product:
    """A man's t-shirt with one photo a colour; several sizes make it a product of variants."""
    several = len(sizes) > 1
    attributes = _ATTRIBUTES if several else {**_ATTRIBUTES, "size": list(sizes)}
    number = next(_numbers)
    columns: dict[str, Any] = {
        **_SHIRT,
        "title": f"Blue cotton t-shirt {number}",
        "handle": f"shirt-{number}",
        "status": ProductStatus.ACTIVE,
        "tags": [],
        "currency": "USD",
        "version": 1,
        "created_at": clock.now(),
        "updated_at": clock.now(),
        "attributes": attributes,
        "option_names": ["Size"] if several else [],
        **changes,
    }
    product = Product(**columns)
    product.variants = [
        ProductVariant(
            position=position,
            sku=f"{product.handle}-{size}",
            barcode=None,
            option_values=[size] if several else [],
            price_minor=2500 + position,
            quantity=position,
            weight_grams=200,
            channel_key=new_channel_key(),
        )
        for position, size in enumerate(sizes, start=1)
    ]
    product.images = [
        make_photo(session, photos, color, position)
        for position, color in enumerate(colors, start=1)
    ]
    session.add(product)
    session.flush()
    return product


def make_photo(
    session: TenantSession, photos: PhotoKeeper, color: tuple[int, int, int], position: int
) -> ProductImage:
    """A photo of one colour, its bytes in the store."""
    file = io.BytesIO()
    Image.new("RGB", (640, 640), color).save(file, "JPEG")
    data = file.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    key = f"tenants/{session.tenant.tenant_id}/photos/{sha256}"
    photos.put(key, data, "image/jpeg")
    return ProductImage(
        position=position,
        sha256=sha256,
        object_key=key,
        content_type="image/jpeg",
        width=640,
        height=640,
        bytes=len(data),
        alt_text="",
    )
