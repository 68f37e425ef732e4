"""The whole house at work: `stoflow demo` as somebody would run it, with real processes."""

import csv
import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from backend.demo.play import DATA
from tests.conftest import SERVER_FOLDER
from tests.paths import real_files_folder, real_files_or_skip

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.xdist_group("demo")
"""One demo at a time: each looks for free ports."""


@pytest.fixture
def demo_folder() -> Path:
    """A data folder that the embedded server can reach; gone with the run."""
    return Path(os.environ[SERVER_FOLDER]) / f"demo-{uuid.uuid4().hex[:8]}"


def run_demo(folder: Path, *options: str) -> dict[str, Any]:
    """Run it to the end; the JSON line it ends with, without the seconds."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("STOFLOW_") and name != "DATABASE_URL"
    }
    ended = subprocess.run(
        [sys.executable, "-m", "backend.cli", "demo", "--json", *options],
        cwd=ROOT,
        env={**environment, "STOFLOW_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    summary: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    assert summary.pop("seconds") > 0
    return summary


@pytest.mark.timeout(320)
def test_the_demo_publishes_everything_once_however_often_it_runs(demo_folder: Path) -> None:
    """ST21, ST22, ST24, ST26, ST28, B1, B4, C1: OAuth, import, worker, read-back, no doubles.

    The second time Shopify's own files are there too (B18, C6): variants, HTML bodies, pictures by
    address, and no category in the file at all; and a stand-in works in Chromium's place.
    """
    assert run_demo(demo_folder) == expected(13, on_vinted=10)
    if real_files_folder() is None:
        assert run_demo(demo_folder, "--no-chromium") == expected(13, on_vinted=10)
    file = with_both_files_of_shopify(demo_folder)
    again = run_demo(demo_folder, "--csv", str(file), "--no-chromium")
    assert again == expected(13 + 40, on_vinted=10)


def with_both_files_of_shopify(folder: Path) -> Path:
    """The rows of the demo's file and of Shopify's, beside the demo's photos."""
    shopify = real_files_or_skip() / "import" / "shopify"
    rows: list[dict[str, str]] = []
    for source in (DATA / "products.csv", shopify / "apparel.csv", shopify / "home-and-garden.csv"):
        with source.open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    shutil.copytree(DATA / "photos", folder, dirs_exist_ok=True)
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        columns = dict.fromkeys(column for row in rows for column in row)
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "products.csv"


def expected(products: int, on_vinted: int) -> dict[str, int]:
    return {
        "products": products,
        "published": products,
        "on_vinted": on_vinted,
        "duplicates": 0,
        "leaks": 0,
    }
