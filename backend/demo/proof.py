"""Proves that the second shop sees none of the first one's rows: over the API and in SQL."""

from backend.demo.shop import Shop
from repositories.selling.isolation import IsolationProbe
from shared.database import Database, TenantSchema

ONE_BY_ONE = ("/api/v1/products", "/api/v1/jobs")
NOT_FOUND = 404


def count_leaks(
    database: Database, shop: Shop, other: Shop, mine: TenantSchema, theirs: TenantSchema
) -> int:
    """How many rows of `mine` the other shop, which has none, could read: lists, ids, SQL."""
    leaks = 0
    for path in (*ONE_BY_ONE, "/api/v1/listings"):
        leaks += len(list(other.pages(path)))
    for path in ONE_BY_ONE:
        for row in shop.pages(path):
            leaks += other.status_of("GET", f"{path}/{row['id']}") != NOT_FOUND
    with database.tenant_session(theirs) as session:
        leaks += IsolationProbe(session).readable_rows_of(mine)
    return leaks
