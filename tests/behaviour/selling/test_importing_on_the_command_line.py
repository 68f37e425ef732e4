"""`stoflow products import`: for people, for programs, and what its exit code means."""

import json
from pathlib import Path

import pytest

from shared.clock import MovableClock
from shared.database import Database
from tests.conftest import Run
from tests.factories.catalog import PRODUCTS, photo, row, shopify_csv, stored
from tests.factories.reference import load_catalogues
from tests.serving import Seller


@pytest.fixture(autouse=True)
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    load_catalogues(worker_database, clock)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "front.jpg").write_bytes(photo())
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "products.csv"
    file.write_bytes(shopify_csv(row(image="front.jpg"), row("vest")))
    return file


def test_products_and_photos_come_in_with_progress_in_plain_lines(
    run: Run, seller: Seller, file: Path, photos: Path
) -> None:
    """B18."""
    done = run(
        "products", "import", str(file), "--email", seller.email.upper(), "--photos", str(photos)
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "2 of 2 products, 2 of 2 rows, 1 photos",
        "2 products: 2 created, 0 updated, 0 unchanged, 0 refused; 1 photos added, 0 missing",
    ]
    newest, older = seller.http.get(PRODUCTS).json()["items"]
    assert (newest["handle"], older["handle"]) == ("vest", "blue-shirt")
    assert seller.http.get(older["image_url"]).content == photo()


def test_a_program_gets_one_json_document(
    run: Run, seller: Seller, file: Path, photos: Path, database: Database
) -> None:
    """B18: the same keys as the API."""
    words = ("products", "import", str(file), "--email", seller.email, "--photos", str(photos))
    rehearsed = json.loads(run(*words, "--json", "--dry-run").stdout)
    assert (rehearsed["dry_run"], rehearsed["created"]) == (True, 2)
    assert stored(database, seller.tenant)["products"] == []
    report = json.loads(run(*words, "--json").stdout)
    assert (report["dry_run"], report["created"], report["images_added"]) == (False, 2, 1)
    assert len(report["product_ids"]) == 2
    assert json.loads(run(*words, "--json").stdout)["unchanged"] == 2


def test_a_refused_product_shows_in_the_exit_code(run: Run, seller: Seller, file: Path) -> None:
    """B18: its row and column are said."""
    file.write_bytes(shopify_csv(row(), row("vest", price="12,50 €")))
    done = run("products", "import", str(file), "--email", seller.email)
    assert done.exit_code == 1
    assert "error: row 3, Variant Price (vest): '12,50 €' is not a price in USD" in done.stdout
    assert "2 products: 1 created" in done.stdout


def test_wrong_usage_and_unknown_shops_change_nothing(
    run: Run, seller: Seller, file: Path, tmp_path: Path, database: Database
) -> None:
    """B18, ST12."""
    email = ("--email", seller.email)
    assert run("products", "import", str(tmp_path / "absent.csv"), *email).exit_code == 2
    assert run("products", "import", str(tmp_path), *email).exit_code == 2
    assert run("products", "import", str(file)).exit_code == 2
    assert run("products", "import", str(file), *email, "--photos", str(file)).exit_code == 2
    assert run("products", "import", str(file), "--email", "nobody@example.com").exit_code == 1
    assert run("products", "import", str(file), *email, "--default-condition", "x").exit_code == 1
    assert run("products", "import", str(file), *email, "--currency", "dollars").exit_code == 1
    file.write_bytes(b"PK\x03\x04")
    assert run("products", "import", str(file), *email).exit_code == 1
    assert stored(database, seller.tenant)["products"] == []
