"""`Idempotency-Key`: a request that is sent again is answered again and carried out once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from api import idempotency
from backend.app import create_app
from backend.container import Container
from models.selling.idempotency import IdempotencyKey
from models.selling.publishing import Channel
from repositories.selling.catalog import ProductRepository
from services.selling.idempotency import (
    KEPT_FOR,
    LEASE,
    Claim,
    Idempotency,
    KeyedRequest,
)
from services.selling.publishing.requesting import WorkRequests
from shared.clock import MovableClock
from shared.database import Database
from tests.factories.catalog import PRODUCTS, create, photo, product_body, row, shopify_csv
from tests.fakes.channels import OpinionatedChannel
from tests.serving import Seller, assert_problem, client, serving, sign_in

ROUNDS = 25


def keyed(seller: Seller, path: str, key: str = "first", **request: Any) -> httpx.Response:
    return seller.http.post(path, headers={"Idempotency-Key": key}, **request)


def keys_of(database: Database, seller: Seller) -> list[str]:
    with database.tenant(seller.tenant) as session:
        return list(session.scalars(select(IdempotencyKey.key).order_by(IdempotencyKey.key)))


def products_of(seller: Seller) -> int:
    return len(seller.http.get(PRODUCTS).json()["items"])


@pytest.fixture
def publishing(container: Container, clock: MovableClock) -> Container:
    """An installation that publishes on eBay whatever it is given."""
    container.work_requests = WorkRequests({Channel.EBAY: OpinionatedChannel()}, clock)
    return container


@pytest.fixture
def second_process(publishing: Container) -> Iterator[str]:
    """The address of the same installation on an event loop of its own."""
    with serving(create_app(replace(publishing, metrics=CollectorRegistry()))) as url:
        yield url


def test_the_second_answer_is_the_first_one(seller: Seller, database: Database) -> None:
    """B3, ST51: status, body and the headers that a client goes on with."""
    first = keyed(seller, PRODUCTS, json=product_body())
    again = keyed(seller, PRODUCTS, json=product_body())
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in ("etag", "location", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert products_of(seller) == 1
    assert keys_of(database, seller) == ["first"]


def test_another_key_is_another_intent(seller: Seller) -> None:
    """B3."""
    for key in ("first", "second"):
        assert keyed(seller, PRODUCTS, key, json=product_body()).status_code == 201
    assert products_of(seller) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [(PRODUCTS, product_body(title="Red shirt")), ("/api/v1/publications", product_body())],
)
def test_a_key_belongs_to_one_request(seller: Seller, path: str, body: dict[str, Any]) -> None:
    """B3: the same key with another body, or at another address, is a mistake of the client."""
    keyed(seller, PRODUCTS, json=product_body())
    if path != PRODUCTS:
        body = {"product_ids": [1], "channels": ["ebay"]}
    assert_problem(keyed(seller, path, json=body), 422, "idempotency-key-reused")
    assert products_of(seller) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "tab\there"])
def test_a_key_that_is_none_is_refused(seller: Seller, key: str) -> None:
    """B3: before anything is done."""
    answer = seller.http.post(
        PRODUCTS, headers={"Idempotency-Key": key.encode("latin-1")}, json=product_body()
    )
    assert_problem(answer, 400, "idempotency-key-invalid")
    assert products_of(seller) == 0


def test_a_refused_request_uses_no_key_up(seller: Seller, database: Database) -> None:
    """B3: the corrected request may carry the same key."""
    assert keyed(seller, PRODUCTS, json={"title": ""}).status_code == 422
    assert keyed(seller, PRODUCTS, content=b"{", json=None).status_code in {400, 422}
    assert keyed(seller, "/api/v1/jobs/77/cancel").status_code == 404
    assert keys_of(database, seller) == []
    assert keyed(seller, PRODUCTS, json=product_body()).status_code == 201


def test_a_failure_of_ours_uses_no_key_up(
    seller: Seller, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B3: work and key are undone together."""

    def fail(self: ProductRepository) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr(ProductRepository, "save", fail)
        broken.setattr(ProductRepository, "add_all", lambda self, products: fail(self))
        assert keyed(seller, PRODUCTS, json=product_body()).status_code == 500
    assert keys_of(database, seller) == []
    again = keyed(seller, PRODUCTS, json=product_body())
    assert (again.status_code, "idempotency-replayed" in again.headers) == (201, False)
    assert products_of(seller) == 1


@pytest.mark.parametrize("processes", [1, 2])
def test_two_at_the_same_moment_make_one_batch_and_get_one_answer(
    seller: Seller, second_process: str, processes: int
) -> None:
    """B3, B4: real sockets; in one process, and in two that know of each other by the database."""
    token = seller.tokens["access_token"]
    here = str(seller.http.base_url)
    addresses = [here, second_process if processes == 2 else here]
    clients = [client(address, token) for address in addresses]
    products = [create(seller.http, title=f"Shirt {n}")["id"] for n in range(ROUNDS)]

    def ask(http: httpx.Client, product_id: int, together: threading.Barrier) -> httpx.Response:
        together.wait()
        return http.post(
            "/api/v1/publications",
            headers={"Idempotency-Key": f"publish {product_id}"},
            json={"product_ids": [product_id], "channels": ["ebay"]},
        )

    with ThreadPoolExecutor(2) as pool:
        for product_id in products:
            together = threading.Barrier(2)
            answers = [pool.submit(ask, http, product_id, together) for http in clients]
            first, second = (answer.result() for answer in answers)
            assert (first.status_code, second.status_code) == (202, 202), second.text
            assert first.content == second.content
            assert first.json()["items"][0]["answer"] == "queued"
            replayed = ["idempotency-replayed" in each.headers for each in (first, second)]
            assert sorted(replayed) == [False, True]
    for http in clients:
        http.close()
    batches = seller.http.get("/api/v1/batches", params={"limit": 100}).json()["items"]
    assert len(batches) == ROUNDS


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests do not wait long for each other."""
    monkeypatch.setattr(idempotency, "PATIENCE", timedelta(milliseconds=100))


@pytest.mark.usefixtures("impatient")
def test_a_request_whose_twin_takes_long_is_told_to_come_back(
    seller: Seller, database: Database, clock: MovableClock
) -> None:
    """B3: 409 with Retry-After, and nothing done; afterwards it is served."""
    with database.tenant(seller.tenant) as session:
        Idempotency(clock).claim(session, KeyedRequest("first", "being served elsewhere"))
        answer = keyed(seller, PRODUCTS, json=product_body())
        assert_problem(answer, 409, "idempotency-key-in-use")
        assert int(answer.headers["Retry-After"]) > 0
        session.rollback()
    assert products_of(seller) == 0
    assert keyed(seller, PRODUCTS, json=product_body()).status_code == 201


def test_whoever_was_signed_out_gets_no_old_answer(seller: Seller) -> None:
    """ST19."""
    keyed(seller, PRODUCTS, json=product_body())
    seller.http.post(
        "/api/v1/auth/logout", json={"refresh_token": seller.tokens["refresh_token"]}
    ).raise_for_status()
    assert_problem(keyed(seller, PRODUCTS, json=product_body()), 401, "signed-out")


def test_the_key_of_one_shop_says_nothing_in_another(
    api: httpx.Client, seller: Seller, other_seller: Seller
) -> None:
    """ST14."""
    keyed(seller, PRODUCTS, json=product_body(title="Only mine"))
    answer = keyed(other_seller, PRODUCTS, json=product_body(title="Only mine"))
    assert "idempotency-replayed" not in answer.headers
    assert [products_of(each) for each in (seller, other_seller)] == [1, 1]


def test_keys_are_forgotten_after_two_days_and_do_not_pile_up(
    seller: Seller, database: Database, clock: MovableClock
) -> None:
    """B3: kept longer than a day; each new key takes old ones away."""
    for number in range(25):
        keyed(seller, PRODUCTS, f"old {number}", json=product_body())
    clock.advance(KEPT_FOR - timedelta(seconds=1))
    sign_in_again(seller)
    again = keyed(seller, PRODUCTS, "old 3", json=product_body())
    assert again.headers["idempotency-replayed"] == "true"
    clock.advance(timedelta(seconds=2))
    anew = keyed(seller, PRODUCTS, "old 3", json=product_body())
    assert "idempotency-replayed" not in anew.headers
    assert len(keys_of(database, seller)) == 25 - 20
    with database.tenant(seller.tenant) as session:
        assert Idempotency(clock).prune(session, 100) == 25 - 20 - 1
    assert keys_of(database, seller) == ["old 3"]


def sign_in_again(seller: Seller) -> Seller:
    """With a token that is valid by the clock of now."""
    with client(str(seller.http.base_url)) as nobody:
        tokens = sign_in(nobody, seller.email).json()
    seller.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    return seller


def test_a_form_is_known_again_although_its_parts_are_separated_anew(seller: Seller) -> None:
    """B18: a file sent twice under one key is imported once, and reported once."""
    file = shopify_csv(row())
    path = f"{PRODUCTS}/import"
    first = keyed(seller, path, files={"file": ("a.csv", file)}, data={"atomic": "true"})
    assert first.status_code == 200, first.text
    again = keyed(seller, path, files={"file": ("a.csv", file)}, data={"atomic": "true"})
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    other = keyed(seller, path, files={"file": ("a.csv", file)})
    assert_problem(other, 422, "idempotency-key-reused")


def test_a_photo_sent_twice_is_answered_twice(seller: Seller) -> None:
    """C3: 201 both times; without a key the second would be told 200."""
    path = f"{PRODUCTS}/{create(seller.http)['id']}/images"
    first, again = (keyed(seller, path, files={"file": ("a.jpg", photo())}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


def test_an_import_that_was_cut_off_may_be_repeated_when_its_lease_is_over(
    seller: Seller, database: Database, clock: MovableClock
) -> None:
    """B18: its process died; until the lease is over the key is in use, then it is served."""
    file = shopify_csv(row())
    path = f"{PRODUCTS}/import"
    first = keyed(seller, path, files={"file": ("a.csv", file)})
    lost = as_if_its_process_had_died(database, seller, clock)
    assert_problem(
        keyed(seller, path, files={"file": ("a.csv", file)}), 409, "idempotency-key-in-use"
    )
    clock.advance(LEASE)
    again = keyed(sign_in_again(seller), path, files={"file": ("a.csv", file)})
    assert again.status_code == 200, again.text
    assert "idempotency-replayed" not in again.headers
    assert (first.json()["created"], again.json()["unchanged"]) == (1, 1)
    with database.tenant(seller.tenant) as session:
        Idempotency(clock).release(session, lost)
    assert keys_of(database, seller) == ["first"], "who comes too late takes nothing away"


def as_if_its_process_had_died(database: Database, seller: Seller, clock: MovableClock) -> Claim:
    with database.tenant(seller.tenant) as session:
        row = session.get_one(IdempotencyKey, "first")
        row.status, row.leased_until = None, clock.now() + LEASE
        return Claim(KeyedRequest("first", row.fingerprint), row.leased_until)


def test_a_failed_import_uses_no_key_up(seller: Seller, database: Database) -> None:
    """B18."""
    path = f"{PRODUCTS}/import"
    assert keyed(seller, path, files={"file": ("a.csv", b"\x00\x01")}).status_code == 422
    assert keys_of(database, seller) == []
