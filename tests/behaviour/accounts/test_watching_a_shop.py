"""A client hears over a real socket what happens in its shop, in order, without a gap."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import socketio
from prometheus_client import CollectorRegistry
from socketio.exceptions import ConnectionError as Refused
from sqlalchemy.exc import OperationalError

from api.accounts.news.connections import Connections, Rounds, Watcher
from api.accounts.news.sockets import MAX_MESSAGE_BYTES
from api.limits import RequestLimits
from backend.app import create_app
from backend.container import Container
from models.accounts.tenants import TenantStatus
from repositories.accounts.news import ShopEventRepository, append_event
from repositories.accounts.tenants import TenantRepository
from services.accounts.news.watching import NewsWatch
from shared.clock import MovableClock
from shared.database import Database, SignIn, TenantSchema
from shared.ids import new_uuid
from tests.serving import Seller, Stage

PATIENCE_S = 10


class Watching:
    """A Socket.IO client that writes down what it hears."""

    def __init__(self, url: str, origin: str | None) -> None:
        self.url = url
        self.heard: list[tuple[str, Any]] = []
        self._news = threading.Condition()
        options = {"origin": origin} if origin else {"suppress_origin": True}
        self.client = socketio.Client(reconnection=False, websocket_extra_options=options)
        self.client.on("*", self._hear)
        self.client.on("disconnect", lambda *_: self._hear("disconnect", None))

    def connect(self, auth: Any, transport: str = "websocket") -> None:
        self.client.connect(self.url, auth=auth, transports=[transport])

    def wait_for(self, enough: Callable[[list[tuple[str, Any]]], bool]) -> list[tuple[str, Any]]:
        with self._news:
            assert self._news.wait_for(lambda: enough(self.heard), PATIENCE_S), self.heard
            return list(self.heard)

    def until(self, kind: str, number: int = 1) -> list[Any]:
        """Wait for so many events of a kind; returns them."""
        heard = self.wait_for(lambda all: sum(each == kind for each, _ in all) >= number)
        return [data for each, data in heard if each == kind]

    def _hear(self, event: str, data: Any = None) -> None:
        with self._news:
            self.heard.append((event, data))
            self._news.notify_all()


MakeWatching = Callable[..., Watching]


@pytest.fixture
def watching(api: httpx.Client) -> Iterator[MakeWatching]:
    """Makes clients; none is left connected."""
    made: list[Watching] = []

    def make(origin: str | None = None) -> Watching:
        made.append(Watching(str(api.base_url), origin))
        return made[-1]

    yield make
    for each in made:
        # In order it would wait for a long poll to end.
        each.client.eio.disconnect(abort=True)


def token_of(seller: Seller) -> str:
    return str(seller.tokens["access_token"])


def happen(database: Database, shop: TenantSchema, clock: MovableClock, number: int) -> None:
    with database.tenant(shop) as session:
        append_event(session, "job_status_update", {"job_id": number}, clock.now())


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_client_hears_of_its_own_shop_and_of_no_other(
    watching: MakeWatching,
    seller: Seller,
    other_seller: Seller,
    database: Database,
    clock: MovableClock,
    transport: str,
) -> None:
    """ST32, ST33, X2: over WebSocket and over long polling."""
    mine, theirs = watching(), watching()
    mine.connect({"token": token_of(seller)}, transport)
    theirs.connect({"token": token_of(other_seller)}, transport)
    mine.until("ready")
    theirs.until("ready")
    for number in (1, 2, 3):
        happen(database, seller.tenant, clock, number)
    happen(database, other_seller.tenant, clock, 99)
    heard = mine.until("job_status_update", 3)
    assert [(each["sequence"], each["job_id"]) for each in heard] == [(1, 1), (2, 2), (3, 3)]
    assert [each["job_id"] for each in theirs.until("job_status_update")] == [99]


def test_a_client_that_was_away_hears_what_it_missed(
    watching: MakeWatching, seller: Seller, database: Database, clock: MovableClock
) -> None:
    """H1, G13: it names the last number it knows."""
    for number in range(1, 6):
        happen(database, seller.tenant, clock, number)
    client = watching()
    client.connect({"token": token_of(seller), "after": 2})
    heard = client.until("job_status_update", 3)
    assert [each["sequence"] for each in heard] == [3, 4, 5]
    assert client.until("ready")[0]["sequence"] == 5


def test_a_client_that_was_away_too_long_is_told_so(
    watching: MakeWatching, seller: Seller, database: Database, clock: MovableClock
) -> None:
    """G13: what it missed is no longer kept; it reloads instead of believing that it knows all."""
    for number in range(1, 4):
        happen(database, seller.tenant, clock, number)
    with database.platform() as session:
        ShopEventRepository(session).delete_before(clock.now() + timedelta(days=1), 2)
    client = watching()
    client.connect({"token": token_of(seller), "after": 0})
    assert client.until("events_missed") == [{"after": 0, "next": 3}]
    assert [each["sequence"] for each in client.until("job_status_update")] == [3]


def test_what_happened_can_be_read_over_rest_too(
    seller: Seller, other_seller: Seller, database: Database, clock: MovableClock
) -> None:
    """G13, X2."""
    for number in range(1, 4):
        happen(database, seller.tenant, clock, number)
    answer = seller.http.get("/api/v1/events", params={"after": 1, "limit": 1}).json()
    assert [(each["sequence"], each["payload"]) for each in answer["items"]] == [(2, {"job_id": 2})]
    assert answer["last_sequence"] == 3
    nothing = {"items": [], "last_sequence": 0}
    assert other_seller.http.get("/api/v1/events").json() == nothing


@pytest.mark.parametrize(
    "auth",
    [None, "token", {}, {"token": "nonsense"}, {"token": 7}, {"token": "x", "after": -1}],
    ids=str,
)
def test_whoever_cannot_say_who_he_is_is_refused(watching: MakeWatching, auth: Any) -> None:
    """H2, ST39."""
    with pytest.raises(Refused):
        watching().connect(auth)


def test_a_signed_out_token_is_refused(watching: MakeWatching, seller: Seller) -> None:
    """H2: the token is genuine and has not expired."""
    assert seller.http.post("/api/v1/auth/logout").status_code == httpx.codes.NO_CONTENT
    with pytest.raises(Refused):
        watching().connect({"token": token_of(seller)})


def test_a_client_is_answered_while_the_database_is_away(
    watching: MakeWatching, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H2, F9: told to come back, on a new socket and on an open one; it does not hang."""
    token = token_of(seller)
    open_one = watching()
    open_one.connect({"token": token})
    open_one.until("ready")

    def away(*_words: object) -> int:
        raise OperationalError("SELECT", None, Exception("connection refused"))

    monkeypatch.setattr(NewsWatch, "begin", away)
    answer = open_one.client.call("authenticate", {"token": token}, timeout=PATIENCE_S)
    assert answer["problem"]["code"] == "database-unavailable"
    refused = watching()
    refusals: list[Any] = []
    refused.client.on("connect_error", refusals.append)
    with pytest.raises(Refused):
        refused.connect({"token": token})
    assert [each["data"]["code"] for each in refusals] == ["database-unavailable"]


def test_signing_out_ends_the_sockets(
    watching: MakeWatching, seller: Seller, clock: MovableClock
) -> None:
    """H2."""
    client = watching()
    client.connect({"token": token_of(seller)})
    client.until("ready")
    assert seller.http.post("/api/v1/auth/logout").status_code == httpx.codes.NO_CONTENT
    clock.advance(timedelta(seconds=3))
    client.until("signed_out")
    client.until("disconnect")


def test_closing_the_shop_ends_the_sockets(
    watching: MakeWatching, seller: Seller, database: Database, clock: MovableClock
) -> None:
    """X2."""
    client = watching()
    client.connect({"token": token_of(seller)})
    client.until("ready")
    with database.platform() as session:
        TenantRepository(session).set_status(seller.tenant, TenantStatus.SUSPENDED, clock.now())
    clock.advance(timedelta(seconds=3))
    client.until("shop_closed")
    client.until("disconnect")


def test_an_expired_token_ends_the_socket_unless_a_new_one_was_brought(
    watching: MakeWatching,
    seller: Seller,
    database: Database,
    clock: MovableClock,
    container: Container,
) -> None:
    """H2: re-authentication in place; the line and its place in the news stay."""
    stays, goes = watching(), watching()
    for client in (stays, goes):
        client.connect({"token": token_of(seller)})
        client.until("ready")
    clock.advance(container.settings.tokens.access_ttl - timedelta(minutes=1))
    body = {"refresh_token": seller.tokens["refresh_token"]}
    fresh = seller.http.post("/api/v1/auth/refresh", json=body).json()["access_token"]
    answer = stays.client.call("authenticate", {"token": fresh}, timeout=PATIENCE_S)
    assert set(answer) == {"expires_at"}
    clock.advance(timedelta(minutes=2))
    goes.until("auth_expired")
    goes.until("disconnect")
    happen(database, seller.tenant, clock, 1)
    assert [each["sequence"] for each in stays.until("job_status_update")] == [1]


def test_another_accounts_token_does_not_take_over_a_socket(
    watching: MakeWatching, seller: Seller, other_seller: Seller
) -> None:
    """X2, H2."""
    client = watching()
    client.connect({"token": token_of(seller)})
    client.until("ready")
    answer = client.client.call(
        "authenticate", {"token": token_of(other_seller)}, timeout=PATIENCE_S
    )
    assert answer["problem"]["code"] == "forbidden"


def test_an_unknown_event_gets_a_clear_answer(watching: MakeWatching, seller: Seller) -> None:
    """H5."""
    client = watching()
    client.connect({"token": token_of(seller)})
    client.until("ready")
    answer = client.client.call("drop_everything", {"x": 1}, timeout=PATIENCE_S)
    assert answer["problem"]["code"] == "unknown-event"


def test_one_account_too_many_takes_the_place_of_its_oldest(
    watching: MakeWatching, seller: Seller, container: Container
) -> None:
    """ST37: connections are bounded."""
    clients = [watching() for _ in range(container.settings.sockets.most_per_account + 1)]
    for client in clients:
        client.connect({"token": token_of(seller)})
        client.until("ready")
    clients[0].until("evicted")
    clients[0].until("disconnect")
    assert clients[1].client.connected


def test_a_message_that_is_too_large_costs_the_line(watching: MakeWatching, seller: Seller) -> None:
    """H5: nobody fills our memory."""
    client = watching()
    client.connect({"token": token_of(seller)})
    client.until("ready")
    client.client.emit("authenticate", {"token": "x" * (MAX_MESSAGE_BYTES + 1)})
    client.until("disconnect")


def test_a_page_of_another_origin_is_refused(
    watching: MakeWatching, seller: Seller, container: Container
) -> None:
    """ST35: exact origins."""
    good = container.settings.cors_origins[0]
    client = watching(good)
    client.connect({"token": token_of(seller)})
    client.until("ready")
    with pytest.raises(Refused):
        watching(f"{good}.evil.example").connect({"token": token_of(seller)})


def test_whoever_opens_line_after_line_is_refused(
    watching: MakeWatching, seller: Seller, container: Container, stage: Stage
) -> None:
    """ST37: lines cost memory before anybody has said who he is."""
    patient = watching()
    patient.connect({"token": token_of(seller)})
    patient.until("ready")
    tight = RequestLimits(requests="3/minute", sign_in="3/minute", redis_url=None)
    container.limits, container.metrics = tight, CollectorRegistry()
    stage.app = create_app(container)
    with httpx.Client(base_url=stage.url) as nobody:
        opened = [nobody.get("/socket.io/?EIO=4&transport=polling") for _ in range(4)]
    assert [each.status_code for each in opened] == [200, 200, 200, 429]
    assert opened[-1].json()["code"] == "too-many-requests"
    with pytest.raises(Refused):
        watching().connect({"token": token_of(seller)})


def test_rounds_go_past_everybody_some_at_a_time(clock: MovableClock) -> None:
    """X2: who left meanwhile is passed over, who came waits for the next round."""
    connections = Connections(most=10_000, most_per_account=10_000)
    watchers = [
        Watcher(str(number), TenantSchema(1 + number % 7), SignIn(1, new_uuid()), clock.now(), 0)
        for number in range(4_000)
    ]
    for each in watchers[:3_999]:
        connections.add(each)
    rounds = Rounds(connections, timedelta(seconds=2), clock)
    assert rounds.next() == []
    clock.advance(timedelta(seconds=2))
    connections.remove("1")
    passed = [*rounds.next()]
    connections.remove("2000")
    connections.add(watchers[3_999])
    parts = [len(passed)]
    while some := rounds.next():
        passed += some
        parts.append(len(some))
    gone = {"1", "2000", "3999"}
    assert [each.sid for each in passed] == [str(n) for n in range(4_000) if str(n) not in gone]
    assert max(parts) == 499
    clock.advance(timedelta(seconds=2))
    assert len(rounds.next()) == 499
    assert {len(connections.of(TenantSchema(n))) for n in range(1, 8)} <= {570, 571, 572}
