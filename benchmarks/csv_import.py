"""How fast does a seller's CSV become products?

10,000 rows in Shopify's format, half of them products of one row and half of three, without photos:
decoded, checked, mapped to our categories and stored, with progress told as it goes. Then the same
file again, which changes nothing. `CSV_IMPORT_ROWS` sets another number.
"""

import csv
import io
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.answer import Answer
from benchmarks.installation import empty_installation
from migrations.rendering import tenant_script
from models.accounts.identity import Role, User
from services.accounts.tenants.provisioning import TenantProvisioning
from services.gateways.image_fetch import HttpImageFetcher
from services.gateways.object_store import LocalFolderStore
from services.reference.attributes.loading import CatalogueLoading
from services.selling.catalog.importing.importer import ImportOptions, ProductImport
from services.selling.catalog.importing.report import ImportReport, Progress
from shared.clock import SystemClock
from shared.database import Database, TenantSchema
from shared.ids import new_uuid

_HEADER = (
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Product Category",
    "Tags",
    "Published",
    "Option1 Name",
    "Option1 Value",
    "Variant SKU",
    "Variant Grams",
    "Variant Inventory Qty",
    "Variant Price",
)
_CATEGORY = "Apparel & Accessories > Clothing > Clothing Tops > T-Shirts"
_SIZES = ("S", "M", "L")


def measure() -> Answer:
    """The first import and the second."""
    wanted = int(os.environ.get("CSV_IMPORT_ROWS", "10000"))
    data, rows, products = _file(wanted)
    clock = SystemClock()
    with empty_installation() as database, TemporaryDirectory() as folder:
        with database.platform() as session:
            CatalogueLoading(clock).load(session)
        tenant = _shop(database)
        importer = ProductImport(
            partial(database.tenant, tenant),
            tenant,
            LocalFolderStore(Path(folder)),
            HttpImageFetcher(),
            clock,
        )
        first, first_s, told = _imported(importer, data)
        again, again_s, _ = _imported(importer, data)
    if (first.created, first.failed) != (products, 0) or again.unchanged != products:
        raise RuntimeError(f"The import went wrong: {first.errors[:3]}")
    figures = {
        "rows": rows,
        "products": products,
        "rows_per_s": round(rows / first_s),
        "rows_per_s_again": round(rows / again_s),
        "times_progress_was_told": told,
    }
    return Answer({name: float(value) for name, value in figures.items()}, {})


def _imported(importer: ProductImport, data: bytes) -> tuple[ImportReport, float, int]:
    told = 0

    def tell(progress: Progress) -> None:
        nonlocal told
        told += 1
        print(f"{progress.products_done} of {progress.products} products", file=sys.stderr)

    started = time.perf_counter()
    report = importer.run(data, ImportOptions(), tell)
    return report, time.perf_counter() - started, told


def _file(rows: int) -> tuple[bytes, int, int]:
    text = io.StringIO()
    writer = csv.DictWriter(text, _HEADER)
    writer.writeheader()
    written = products = 0
    while written < rows:
        sizes = _SIZES if products % 2 and rows - written >= len(_SIZES) else _SIZES[:1]
        writer.writerows(_product(products, sizes))
        written, products = written + len(sizes), products + 1
    return text.getvalue().encode(), written, products


def _product(number: int, sizes: tuple[str, ...]) -> Iterator[dict[str, str]]:
    for place, size in enumerate(sizes):
        row = {
            "Handle": f"shirt-{number}",
            "Option1 Value": size,
            "Variant SKU": f"SHIRT-{number}-{size}",
            "Variant Grams": "200",
            "Variant Inventory Qty": "1",
            "Variant Price": f"{10 + number % 40}.50",
        }
        if place == 0:
            row |= {
                "Title": f"Blue cotton t-shirt {number}",
                "Body (HTML)": "<p>A blue t-shirt.</p><ul><li>Worn twice</li><li>Cotton</li></ul>",
                "Vendor": f"Brand {number % 300}",
                "Product Category": _CATEGORY,
                "Tags": "blue, cotton, summer",
                "Published": "TRUE",
                "Option1 Name": "Size",
            }
        yield row


def _shop(database: Database) -> TenantSchema:
    clock = SystemClock()
    with database.platform() as session:
        user = User(
            public_id=new_uuid(),
            email="bench@example.com",
            password_hash="!",
            full_name="Bench",
            role=Role.MEMBER,
            failed_sign_ins=0,
            created_at=clock.now(),
        )
        session.add(user)
        session.flush()
        return TenantProvisioning(database, tenant_script(), clock).provision(session, user.id)
