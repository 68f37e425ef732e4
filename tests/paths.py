"""Where tests find what lies outside the repository, and how they say that it is not there.

The marketplaces' own documents and the folder of real files belong to others and are not part of
the repository. They are looked for in the folder `shared` beside the checkout, or where
`STOFLOW_CONTRACTS` and `STOFLOW_TEST_DATA` say.
"""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
BESIDE = CHECKOUT.parent / "shared"


def contracts_folder() -> Path | None:
    """The marketplaces' API documents, or None when they are not there."""
    return _existing("STOFLOW_CONTRACTS", BESIDE / "contracts")


def real_files_folder() -> Path | None:
    """Real CSV files and pictures, or None when they are not there."""
    return _existing("STOFLOW_TEST_DATA", BESIDE / "data")


def contracts_or_skip() -> Path:
    """The API documents; leaves the test out, saying so, when they are absent."""
    folder = contracts_folder()
    if folder is None:
        pytest.skip("left out: the marketplaces' API documents are absent (STOFLOW_CONTRACTS)")
    return folder


def real_files_or_skip() -> Path:
    """The real files; leaves the test out, saying so, when they are absent."""
    folder = real_files_folder()
    if folder is None:
        pytest.skip("left out: the folder of real files is absent (STOFLOW_TEST_DATA)")
    return folder


def _existing(variable: str, usual: Path) -> Path | None:
    folder = Path(os.environ.get(variable) or usual)
    return folder if folder.is_dir() else None
