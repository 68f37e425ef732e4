"""The whole house at work: `stoflow demo` as somebody would run it, with real processes."""

import csv
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SERVER_FOLDER
from tests.paths import real_files_or_skip

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


@pytest.mark.timeout(460)
def test_the_demo_publishes_everything_once_however_often_it_runs(demo_folder: Path) -> None:
    """ST21, ST22, ST24, ST26, ST28, B1, B4, C1: OAuth, import, worker, read-back, no doubles.

    Shopify's own files go through in the same shop (B18, C6): variants, HTML bodies, pictures by
    address, and no category in the file at all. They go without Chromium, by the stand-in.
    """
    for _ in range(2):
        assert run_demo(demo_folder) == expected(13, on_vinted=10)
    file = both_files_of_shopify(demo_folder)
    assert run_demo(demo_folder, "--csv", str(file), "--no-chromium") == expected(40)


def both_files_of_shopify(folder: Path) -> Path:
    """A shop that sells clothes and things for the garden: the rows of both files."""
    files = real_files_or_skip() / "import" / "shopify"
    rows: list[dict[str, str]] = []
    for name in ("apparel.csv", "home-and-garden.csv"):
        with (files / name).open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    merged = folder / "shopify.csv"
    with merged.open("w", newline="", encoding="utf-8") as file:
        columns = dict.fromkeys(column for row in rows for column in row)
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        writer.writerows(rows)
    return merged


def expected(products: int, on_vinted: int = 0) -> dict[str, int]:
    return {
        "products": products,
        "published": products,
        "on_vinted": on_vinted,
        "duplicates": 0,
        "leaks": 0,
    }
