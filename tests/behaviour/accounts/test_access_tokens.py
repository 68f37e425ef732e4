"""Access tokens: ours, unchanged and in time, or refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from backend.container import Container
from models.accounts.identity import Role
from services.accounts.identity.access_tokens import AccessTokens, key_id
from shared.clock import MovableClock
from shared.errors import Unauthenticated
from tests.serving import Seller, client

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def keys() -> list[rsa.RSAPrivateKey]:
    """Two keys."""
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


def tokens_of(
    key: rsa.RSAPrivateKey,
    *previous: rsa.RSAPublicKey,
    clock: MovableClock | None = None,
    issuer: str = "stoflow",
) -> AccessTokens:
    return AccessTokens(
        key,
        previous,
        issuer=issuer,
        ttl=timedelta(minutes=15),
        clock=clock or MovableClock(NOON),
    )


def issued_by(tokens: AccessTokens) -> str:
    return tokens.issue(
        user_id=7, public_id=uuid4(), session_id=uuid4(), role=Role.MEMBER, tenant_id=7
    )


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def forged(key: rsa.RSAPrivateKey, kind: str) -> str:
    """A token that looks like one of `key`'s, wrong in one way."""
    good = issued_by(tokens_of(key))
    header, payload, signature = good.split(".")
    kid = key_id(key.public_key())
    claims = jwt.decode(good, options={"verify_signature": False})
    match kind:
        case "alg none":
            return f"{part({'alg': 'none', 'kid': kid})}.{payload}."
        case "HS256 with the public key":
            return signed_with_the_public_key(key, kid, payload)
        case "a changed claim":
            return f"{header}.{part(claims | {'uid': 8, 'tid': 8})}.{signature}"
        case "another issuer":
            return issued_by(tokens_of(key, issuer="somebody"))
        case "cut off":
            return f"{header}.{payload}"
    return resigned(key, kind, kid, claims)


IMPOSSIBLE: list[dict[str, Any]] = [
    {"exp": 10**30},
    {"exp": -(10**30)},
    {"tid": 0},
    {"tid": 10**30},
    {"tid": "7"},
]


@pytest.mark.parametrize("claim", IMPOSSIBLE, ids=str)
def test_a_claim_that_cannot_be_is_refused(
    keys: list[rsa.RSAPrivateKey], claim: dict[str, Any]
) -> None:
    """I13: even under our own signature."""
    claims = jwt.decode(issued_by(tokens_of(keys[0])), options={"verify_signature": False})
    token = resigned(keys[0], "", key_id(keys[0].public_key()), claims | claim)
    with pytest.raises(Unauthenticated):
        tokens_of(keys[0]).read(token)


def resigned(key: rsa.RSAPrivateKey, kind: str, kid: str, claims: dict[str, Any]) -> str:
    """Signed by the right key, but not in our way."""
    headers = {"no kid": None, "unknown kid": {"kid": "x"}}.get(kind, {"kid": kid})
    algorithm = "RS512" if kind == "RS512" else "RS256"
    missing = kind.removeprefix("without ")
    rest = {name: value for name, value in claims.items() if name != missing}
    return jwt.encode(rest, key, algorithm=algorithm, headers=headers)


def signed_with_the_public_key(key: rsa.RSAPrivateKey, kid: str, payload: str) -> str:
    """The classic confusion: the public key taken for a shared secret."""
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{payload}"
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(hmac.sign(signed.encode(), public_pem(key)))
    return f"{signed}.{signature.decode().rstrip('=')}"


FORGERIES = [
    "alg none",
    "HS256 with the public key",
    "RS512",
    "no kid",
    "unknown kid",
    "a changed claim",
    "another issuer",
    "cut off",
    *(f"without {claim}" for claim in ("iss", "sub", "uid", "sid", "role", "iat", "exp")),
]


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_token_is_refused(keys: list[rsa.RSAPrivateKey], kind: str) -> None:
    """X1, ST16: RS256 only."""
    with pytest.raises(Unauthenticated, match="not one of ours"):
        tokens_of(keys[0]).read(forged(keys[0], kind))


def test_a_token_of_another_key_is_refused(keys: list[rsa.RSAPrivateKey]) -> None:
    """X1: even under our key's name."""
    theirs = jwt.encode(
        jwt.decode(issued_by(tokens_of(keys[0])), options={"verify_signature": False}),
        keys[1],
        algorithm="RS256",
        headers={"kid": key_id(keys[0].public_key())},
    )
    with pytest.raises(Unauthenticated):
        tokens_of(keys[0]).read(theirs)


def test_a_token_lasts_a_quarter_of_an_hour(keys: list[rsa.RSAPrivateKey]) -> None:
    """ST16: also one that was read before."""
    clock = MovableClock(NOON)
    tokens = tokens_of(keys[0], clock=clock)
    token = issued_by(tokens)
    clock.advance(timedelta(minutes=15) - timedelta(seconds=1))
    assert tokens.read(token).tenant_id == 7
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.read(token)


def test_tokens_of_the_previous_key_are_honoured_and_new_ones_use_the_new(
    keys: list[rsa.RSAPrivateKey],
) -> None:
    """ST16: rotating the key signs nobody out."""
    before = tokens_of(keys[0])
    after = tokens_of(keys[1], keys[0].public_key())
    assert after.read(issued_by(before)).user_id == 7
    fresh = issued_by(after)
    assert jwt.get_unverified_header(fresh)["kid"] == key_id(keys[1].public_key())
    with pytest.raises(Unauthenticated):
        before.read(fresh)


def test_anybody_can_verify_a_token_with_the_published_keys(
    api: httpx.Client, seller: Seller
) -> None:
    """ST16, F75: two services, one issuer."""
    answer = api.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    (published,) = answer.json()["keys"]
    assert sorted(published) == ["alg", "e", "kid", "kty", "n", "use"]
    token = seller.tokens["access_token"]
    assert jwt.get_unverified_header(token) == {
        "alg": "RS256",
        "kid": published["kid"],
        "typ": "JWT",
    }
    public = RSAAlgorithm.from_jwk(published)
    assert isinstance(public, rsa.RSAPublicKey)
    claims = jwt.decode(
        token,
        public,
        algorithms=["RS256"],
        issuer="stoflow",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sub"] == seller.account["id"]
    assert claims["tid"] == seller.tenant.tenant_id
    assert claims["exp"] - claims["iat"] == 900


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer nonsense",
        "Bearer a.b.c",
        "Basic bWluYTpwYXNzd29yZA==",
        "Bearer " + "x" * 5000,
        "Bearer \u00fc",
    ],
)
def test_without_a_genuine_token_nothing_opens(
    api: httpx.Client, seller: Seller, header: str | None
) -> None:
    """K9, K19: default deny."""
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = api.get("/api/v1/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


def test_who_calls_is_asked_before_the_body_is_read(api: httpx.Client) -> None:
    """ST47: the order of checks."""
    answer = api.post(
        "/api/v1/publications", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 401


def test_an_expired_token_is_refused_over_http(
    api: httpx.Client, seller: Seller, clock: MovableClock
) -> None:
    """ST16."""
    clock.advance(timedelta(minutes=15))
    answer = seller.http.get("/api/v1/me")
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The access token has expired."


def test_a_genuine_token_with_somebody_elses_sign_in_is_refused(
    api: httpx.Client, container: Container, seller: Seller, other_seller: Seller
) -> None:
    """ST14: account, shop and sign-in belong together."""
    mine = container.access_tokens.read(seller.tokens["access_token"])
    theirs = container.access_tokens.read(other_seller.tokens["access_token"])
    mixed = container.access_tokens.issue(
        user_id=mine.user_id,
        public_id=mine.public_id,
        session_id=theirs.session_id,
        role=Role.MEMBER,
        tenant_id=mine.tenant_id,
    )
    with client(str(api.base_url), mixed) as mixture:
        for path in ("/api/v1/me", "/api/v1/jobs"):
            assert mixture.get(path).json()["code"] == "signed-out"


def test_an_account_without_a_shop_is_told_so(
    api: httpx.Client, container: Container, seller: Seller
) -> None:
    """K19."""
    mine = container.access_tokens.read(seller.tokens["access_token"])
    shopless = container.access_tokens.issue(
        user_id=mine.user_id,
        public_id=mine.public_id,
        session_id=mine.session_id,
        role=Role.ADMIN,
        tenant_id=None,
    )
    with client(str(api.base_url), shopless) as admin:
        assert admin.get("/api/v1/me").status_code == 200
        answer = admin.get("/api/v1/jobs")
        assert answer.status_code == 403
        assert answer.json()["code"] == "forbidden"
