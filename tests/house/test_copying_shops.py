"""What may leave an installation is declared beside the models, and nothing is forgotten there."""

import re

from sqlalchemy import Column

from models.base import ACCOUNT_ID, OBJECT_KEY, SECRET, VERSION_TABLE
from models.registry import TENANT_METADATA

COLUMNS = [column for table in TENANT_METADATA.tables.values() for column in table.columns]

SOUNDS_SECRET = re.compile(r"token|secret|password|credential|cookie|private|api_key")

SOUNDS_LIKE_AN_ACCOUNT = re.compile(r"(^|_)(user_id|account_id|requested_by)$")
MARKETPLACES_OWN = {
    "ebay_connections.remote_user_id",
    "etsy_accounts.remote_user_id",
    "vinted_accounts.remote_user_id",
}

SOUNDS_LIKE_A_FILE = re.compile(r"(object|file|photo)_key")


def has(column: Column[object], declaration: dict[str, bool]) -> bool:
    return bool(column.info.keys() & declaration.keys())


def test_what_sounds_secret_is_declared_so() -> None:
    """F13: no export has it; `info=SECRET` on the column or on its table."""
    secret_tables = {
        name for name, table in TENANT_METADATA.tables.items() if table.info.keys() & SECRET.keys()
    }
    assert "ebay_connections" in secret_tables
    sounding = [column for column in COLUMNS if SOUNDS_SECRET.search(column.name)]
    assert "ebay_connections.refresh_token" in map(str, sounding)
    undeclared = [
        str(column)
        for column in sounding
        if not has(column, SECRET) and column.table.description not in secret_tables
    ]
    assert undeclared == []


def test_a_secret_column_may_be_empty() -> None:
    """F13: it is left out alone only where its row can do without it."""
    assert [str(each) for each in COLUMNS if has(each, SECRET) and not each.nullable] == []


def test_a_column_that_names_an_account_is_declared_so() -> None:
    """F13: another installation has other numbers; `info=ACCOUNT_ID`."""
    sounding = {str(each) for each in COLUMNS if SOUNDS_LIKE_AN_ACCOUNT.search(each.name)}
    assert "marketplace_jobs.requested_by" in sounding
    declared = {str(each) for each in COLUMNS if has(each, ACCOUNT_ID)}
    assert sounding - declared == MARKETPLACES_OWN


def test_a_column_that_names_a_file_is_declared_so() -> None:
    """F13: another shop has another folder; `info={OBJECT_KEY: <content type's column>}`."""
    sounding = [each for each in COLUMNS if SOUNDS_LIKE_A_FILE.search(each.name)]
    assert "product_images.object_key" in map(str, sounding)
    wrong = [str(each) for each in sounding if each.info.get(OBJECT_KEY) not in each.table.columns]
    assert wrong == []


def test_the_version_is_no_table_of_the_models() -> None:
    """F13: it is left out by its name."""
    assert VERSION_TABLE not in TENANT_METADATA.tables
