"""Products over HTTP, files to import, photos that Pillow can read."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from PIL import Image
from sqlalchemy import text

from shared.database import Database, TenantSchema

PRODUCTS = "/api/v1/products"

OLD_HEADER = (
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Type",
    "Tags",
    "Published",
    "Option1 Name",
    "Option1 Value",
    "Variant SKU",
    "Variant Grams",
    "Variant Inventory Qty",
    "Variant Price",
    "Variant Barcode",
    "Image Src",
    "Image Position",
    "Image Alt Text",
    "Google Shopping / Condition",
)


def price(amount: str, currency: str = "USD") -> dict[str, str]:
    """An amount as the API wants it."""
    return {"amount": amount, "currency": currency}


def product_body(**changes: Any) -> dict[str, Any]:
    """A product that can be stored; `changes` are its fields."""
    return {
        "title": "Blue shirt",
        "variants": [{"price": price("25.00"), "quantity": 3, "sku": "SHIRT-1"}],
        **changes,
    }


def sized(*sizes: str) -> dict[str, Any]:
    """Fields of a product with a variant for each size."""
    return {
        "option_names": ["Size"],
        "variants": [
            {
                "price": price("25.00"),
                "quantity": 2,
                "sku": f"SHIRT-{size}",
                "option_values": [size],
            }
            for size in sizes
        ],
    }


def create(http: httpx.Client, **changes: Any) -> dict[str, Any]:
    """Store a product over HTTP."""
    answer = http.post(PRODUCTS, json=product_body(**changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def photo(
    width: int = 40, height: int = 30, *, kind: str = "JPEG", shade: int = 0, orientation: int = 1
) -> bytes:
    """A photo of one colour; another `shade` is another photo."""
    data = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (width, height), (shade % 256, 90, 60)).save(data, kind, exif=exif)
    return data.getvalue()


def shopify_csv(
    *rows: Mapping[str, str], header: Sequence[str] = OLD_HEADER, delimiter: str = ","
) -> bytes:
    """A file with these cells; others are empty."""
    extra = [name for row in rows for name in row if name not in header]
    columns = [*header, *dict.fromkeys(extra)]
    text_file = io.StringIO(newline="")
    writer = csv.DictWriter(text_file, columns, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text_file.getvalue().encode()


def row(handle: str = "blue-shirt", **cells: str) -> dict[str, str]:
    """A row that can be imported; `cells` by our short names below, or by header."""
    short = {
        "title": "Title",
        "body": "Body (HTML)",
        "vendor": "Vendor",
        "type": "Type",
        "tags": "Tags",
        "published": "Published",
        "option": "Option1 Name",
        "value": "Option1 Value",
        "sku": "Variant SKU",
        "grams": "Variant Grams",
        "quantity": "Variant Inventory Qty",
        "price": "Variant Price",
        "image": "Image Src",
        "position": "Image Position",
        "alt": "Image Alt Text",
        "condition": "Google Shopping / Condition",
    }
    usual = {
        "Handle": handle,
        "Title": "Blue shirt",
        "Published": "true",
        "Variant Inventory Qty": "1",
        "Variant Price": "25.00",
    }
    return usual | {short.get(name, name): value for name, value in cells.items()}


def more(handle: str = "blue-shirt", **cells: str) -> dict[str, str]:
    """A further row of a product: a variant or a photo."""
    own = row(handle, **cells)
    own["Title"] = cells.get("title", "")
    own["Published"] = ""
    if "price" not in cells:
        own["Variant Price"] = own["Variant Inventory Qty"] = ""
    return own


def send_csv(http: httpx.Client, data: bytes, **form: str) -> httpx.Response:
    """Import over HTTP; photos by URL are not fetched unless `fetch_images` says so."""
    return http.post(
        f"{PRODUCTS}/import",
        files={"file": ("products.csv", data, "text/csv")},
        data={"fetch_images": "false", **form},
    )


def stored(database: Database, tenant: TenantSchema) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the catalog, to compare before and after."""
    with database.tenant(tenant) as session:
        return {
            table: [
                tuple(map(str, entry))
                for entry in session.execute(text(f"SELECT * FROM {table} ORDER BY id"))
            ]
            for table in ("products", "product_variants", "product_images", "missing_images")
        }
