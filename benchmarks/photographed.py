"""T-shirts with real photos, which a channel can be sent."""

import hashlib
import io

from PIL import Image

from models.selling.catalog import Product, ProductImage, ProductStatus, ProductVariant
from services.gateways.object_store import ObjectStore
from shared.clock import Clock
from shared.database import TenantSchema, TenantSession
from shared.ids import new_channel_key

_SIZES = ("S", "M", "L")
_A_GROUP_IN = 10
"""One product in so many has variants, which eBay lists in another way."""


def shirt(
    session: TenantSession, clock: Clock, photos: ObjectStore, number: int, *, single: bool = False
) -> Product:
    """Put it, and its photo, into the shop; `single`: one piece of one size."""
    sizes = _SIZES if number % _A_GROUP_IN == 0 and not single else _SIZES[:1]
    several = len(sizes) > 1
    own = {"color": ["Blue"], "size_type": ["Regular"], "sleeve_length": ["Short"]}
    product = Product(
        handle=f"shirt-{number}",
        title=f"Blue cotton t-shirt {number}",
        description="A blue t-shirt.\n\nWorn twice.",
        status=ProductStatus.ACTIVE,
        brand="Patagonia",
        category_code="aa-1-13-8",
        condition_code="good",
        department_code="men",
        attributes=own if several else {**own, "size": list(sizes)},
        tags=[],
        option_names=["Size"] if several else [],
        currency="USD",
        version=1,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    product.variants = [
        ProductVariant(
            position=position,
            sku=f"shirt-{number}-{size}",
            option_values=[size] if several else [],
            price_minor=1000 + 7 * number + position,
            quantity=1 if single else 1 + (number + position) % 5,
            weight_grams=200,
            channel_key=new_channel_key(),
        )
        for position, size in enumerate(sizes, start=1)
    ]
    product.images = [_photo(session.tenant, photos, number)]
    session.add(product)
    session.flush()
    return product


def _photo(tenant: TenantSchema, photos: ObjectStore, number: int) -> ProductImage:
    file = io.BytesIO()
    Image.new("RGB", (640, 640), (number % 256, number // 256 % 256, 160)).save(file, "JPEG")
    data = file.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    key = f"tenants/{tenant.tenant_id}/photos/{sha256}"
    photos.put(key, data, "image/jpeg")
    return ProductImage(
        position=1,
        sha256=sha256,
        object_key=key,
        content_type="image/jpeg",
        width=640,
        height=640,
        bytes=len(data),
        alt_text="",
    )
