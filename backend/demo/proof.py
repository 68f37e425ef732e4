"""Proves that the second shop sees none of the first one's rows: over the API and in SQL."""

from backend.demo.shop import Shop
from repositories.selling.isolation import IsolationProbe
from shared.database import Database, TenantSchema

ONE_BY_ONE = ("/api/v1/products", "/api/v1/jobs")


def count_leaks(
    database: Database, shop: Shop, other: Shop, mine: TenantSchema, theirs: TenantSchema
) -> int:
    """How many rows of `mine` the other shop could read: lists, ids, SQL.

    It has jobs of its own, which follow its orders and may have the same numbers; no two were made
    in the same microsecond.
    """
    leaks = 0
    for path in (*ONE_BY_ONE, "/api/v1/listings"):
        own = list(shop.pages(path))
        leaks += sum(row in own for row in other.pages(path))
    for path in ONE_BY_ONE:
        for row in shop.pages(path):
            seen = other.seen(f"{path}/{row['id']}")
            leaks += seen is not None and seen["created_at"] == row["created_at"]
    with database.tenant_session(theirs) as session:
        leaks += IsolationProbe(session).readable_rows_of(mine)
    return leaks
