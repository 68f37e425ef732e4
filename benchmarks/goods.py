"""What a benchmarked shop sells: the same rows wherever its tables are."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from models.selling.catalog import Product, ProductImage, ProductVariant

PRODUCTS = 60
VARIANTS = 3
IMAGES = 2

_OPENED = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def stock(connection: Connection, shop: int) -> None:
    """Fill the product tables that resolve on this connection. Titles name the shop."""
    numbers = range(1, PRODUCTS + 1)
    connection.execute(insert(Product), [_product(shop, number) for number in numbers])
    connection.execute(
        insert(ProductVariant),
        [_variant(shop, number, place) for number in numbers for place in range(1, VARIANTS + 1)],
    )
    connection.execute(
        insert(ProductImage),
        [_image(number, place) for number in numbers for place in range(1, IMAGES + 1)],
    )


def _product(shop: int, number: int) -> dict[str, Any]:
    made = _OPENED + timedelta(minutes=number, microseconds=number * 1001)
    return {
        "id": number,
        "handle": f"jacket-{number}",
        "title": f"Blue denim jacket {number} of shop {shop}",
        "description": "Worn twice, no flaws. Kept in a house without smokers.\n" * 6,
        "status": ("active", "draft")[number % 2],
        "brand": ("Levi's", "Søstrene", None)[number % 3],
        "category_code": "aa-1-10-2",
        "condition_code": "excellent",
        "department_code": "women",
        "attributes": {"color": ["blue"], "material": ["cotton"]},
        "tags": ["denim", "spring"],
        "option_names": ["Size"],
        "currency": "USD",
        "version": 1 + number % 4,
        "created_at": made,
        "updated_at": made + timedelta(days=number % 5),
        "deleted_at": None,
    }


def _variant(shop: int, number: int, place: int) -> dict[str, Any]:
    return {
        "product_id": number,
        "position": place,
        "sku": f"JACKET-{number}-{place}",
        "barcode": None,
        "option_values": ["SML"[place - 1]],
        "price_minor": 4500 + 10 * number + place,
        "quantity": place,
        "weight_grams": 800,
        "channel_key": f"SF{shop:06d}{number:06d}{place:08d}",
    }


def _image(number: int, place: int) -> dict[str, Any]:
    digest = hashlib.sha256(f"{number}/{place}".encode()).hexdigest()
    return {
        "product_id": number,
        "position": place,
        "sha256": digest,
        "object_key": f"originals/{digest}",
        "content_type": "image/jpeg",
        "width": 1200,
        "height": 1600,
        "bytes": 240_000,
        "alt_text": "",
        "source": None,
    }
