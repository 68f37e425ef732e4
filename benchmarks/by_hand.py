"""The same product list written by hand: FastAPI and psycopg2, no ORM, no middleware, one file.

Served by `uvicorn benchmarks.by_hand:app`. It checks what StoFlow checks: the token's signature,
issuer and time limit, that the shop is active, and that the sign-in was not ended.
"""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import FastAPI, Header, HTTPException, Query, Response
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's own spelling
from psycopg2.pool import ThreadedConnectionPool
from pydantic_core import to_json

THREADS = 40
"""How many requests Starlette serves at once; as many connections, kept open."""

_DIGITS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "TND": 3}

_LIST = """
SELECT p.id, p.handle, p.title, p.status, p.brand, p.currency, p.version, p.created_at,
       p.updated_at, v.lowest, v.highest, v.quantity, v.sku, i.id
FROM (SELECT * FROM products WHERE deleted_at IS NULL
      ORDER BY created_at DESC, id DESC LIMIT %s) p
CROSS JOIN LATERAL (
    SELECT min(price_minor) AS lowest, max(price_minor) AS highest,
           sum(quantity)::bigint AS quantity, (array_agg(sku ORDER BY position))[1] AS sku
    FROM product_variants WHERE product_id = p.id) v
LEFT JOIN LATERAL (
    SELECT id FROM product_images WHERE product_id = p.id ORDER BY position LIMIT 1) i ON true
ORDER BY p.created_at DESC, p.id DESC
"""

_signing_key = load_pem_private_key(os.environ["STOFLOW_TOKEN_PRIVATE_KEY"].encode(), None)
assert isinstance(_signing_key, RSAPrivateKey)
_key = _signing_key.public_key()
_pool = ThreadedConnectionPool(THREADS, THREADS, os.environ["DATABASE_URL"])
_database = _pool.getconn()
_roles = _database.info.dbname
_pool.putconn(_database)

app = FastAPI()


@app.get("/api/v1/products")
def list_products(
    authorization: Annotated[str, Header()] = "", limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> Response:
    """Products, newest first."""
    claims = _claims(authorization)
    with _transaction(claims) as database, database.cursor() as cursor:
        cursor.execute(_LIST, (limit + 1,))
        rows = cursor.fetchall()
        page = rows[:limit]
        next_cursor = _cursor_after(page[-1]) if len(rows) > limit else None
        body = to_json({"items": [_line(row) for row in page], "next_cursor": next_cursor})
    return Response(body, media_type="application/json")


def _claims(authorization: str) -> dict[str, Any]:
    try:
        token = authorization.removeprefix("Bearer ")
        return jwt.decode(token, _key, algorithms=["RS256"], issuer="stoflow")
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None


@contextmanager
def _transaction(claims: dict[str, Any]) -> Iterator[Connection]:
    shop, account, sign_in = int(claims["tid"]), int(claims["uid"]), UUID(claims["sid"])
    database = _pool.getconn()
    try:
        with database, database.cursor() as cursor:
            cursor.execute(
                f'SET LOCAL search_path TO user_{shop}, public; SET LOCAL ROLE "{_roles}_user_'
                f'{shop}"; SELECT t.status, s.revoked_at IS NULL FROM public.tenants t,'
                f" public.auth_sessions s WHERE t.id = {shop} AND s.id = '{sign_in}'"
                f" AND s.user_id = {account}"
            )
            if cursor.fetchone() != ("active", True):
                raise HTTPException(403)
            yield database
    finally:
        _pool.putconn(database)


def _line(row: tuple[Any, ...]) -> dict[str, Any]:
    product, currency, image = row[0], row[5], row[13]
    return {
        "id": product,
        "handle": row[1],
        "title": row[2],
        "status": row[3],
        "brand": row[4],
        "currency": currency,
        "price_from": {"amount": _amount(row[9], currency), "currency": currency},
        "price_to": {"amount": _amount(row[10], currency), "currency": currency},
        "quantity": row[11],
        "sku": row[12],
        "image_url": image and f"/api/v1/products/{product}/images/{image}",
        "version": row[6],
        "created_at": row[7],
        "updated_at": row[8],
    }


def _amount(minor: int, currency: str) -> str:
    digits = _DIGITS.get(currency, 2)
    if digits == 0:
        return str(minor)
    units, rest = divmod(minor, 10**digits)
    return f"{units}.{rest:0{digits}d}"


def _cursor_after(row: tuple[Any, ...]) -> str:
    text = f"{row[7].isoformat()}\x1f{row[0]}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
