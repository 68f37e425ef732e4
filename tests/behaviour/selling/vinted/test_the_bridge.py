"""Commands go to one browser, one at a time; what it tells is stored once and the job goes on."""

import threading
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from socketio.exceptions import ConnectionError as Refused
from sqlalchemy import text

from backend.container import Container
from models.selling.publishing import JobAction, JobStatus
from models.selling.vinted import CommandState, VintedSession
from repositories.accounts.news import append_event
from repositories.accounts.stopped_channels import StoppedChannelRepository
from repositories.selling.vinted import VintedAccountRepository
from services.gateways.vinted.transport import VintedRequest
from services.selling.publishing.stopping import ChannelSwitch
from services.selling.vinted.bridge.dispatching import LOST_AFTER, STOPPED
from services.selling.vinted.bridge.executors import EXECUTOR_LEASE
from shared.clock import MovableClock
from shared.database import Database
from tests.behaviour.selling.vinted.conftest import PHOTO, Desk, MakeExtension
from tests.fakes.extension import SITE, Extension, Memory, check_schema, fine, pair
from tests.serving import Seller
from tests.waiting import until

LIST = VintedRequest("GET", "/api/v2/wardrobe/4711/items", query={"page": "1"})

NOBODYS = "4a1f6c5e-0000-4000-8000-000000000000"


@pytest.fixture
def desk(seller: Seller, database: Database, clock: MovableClock) -> Desk:
    return Desk(database, seller.tenant, clock)


def settled(desk: Desk, job_id: int) -> CommandState:
    return desk.command(job_id).state


def unpair(seller: Seller, clock: MovableClock) -> None:
    """Take its pairing from the only browser there is, and let the server look."""
    (device,) = seller.http.get("/api/v1/vinted/devices").json()
    seller.http.delete(f"/api/v1/vinted/devices/{device['id']}")
    clock.advance(timedelta(seconds=3))


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_command_goes_to_the_browser_and_its_answer_into_the_row(
    seller: Seller, desk: Desk, extension: MakeExtension, clock: MovableClock, transport: str
) -> None:
    """ST25, ST33: over both transports; the lease names what may be done."""
    browser = extension(pair(seller.http)).connect(transport)
    status = browser.say()
    assert (status["state"], status["executor"], status["login"]) == ("connected", True, "anna")
    job_id = desk.ask(LIST)
    (command,) = browser.commands()
    browser.until("vinted_connection_status")
    lease = jwt.decode(command["lease"], options={"verify_signature": False})
    check_schema("Lease", lease)
    assert (lease["tid"], lease["command"]) == (seller.tenant.tenant_id, command["command_id"])
    assert (lease["method"], lease["path"], lease["site"]) == (LIST.method, LIST.path, SITE)
    assert command["request"]["query"] == {"page": "1"}
    until(lambda: settled(desk, job_id) is CommandState.ANSWERED)
    stored, job = desk.command(job_id), desk.job(job_id)
    assert (stored.status, stored.answer) == (200, '{"code":0}')
    assert (job.status, job.due_at) == (JobStatus.PENDING, clock.now())
    told = browser.until("job_status_update", 1)[-1]
    assert (told["job_id"], told["status"]) == (job_id, "pending")
    # Were it the browser that ends it, a long poll would wait for the next ping, and so would we.
    unpair(seller, clock)
    browser.until("disconnect")


def test_a_browser_hears_of_the_jobs_it_works_on_and_of_nothing_else(
    seller: Seller, desk: Desk, extension: MakeExtension, database: Database, clock: MovableClock
) -> None:
    """ST33, X2: a device's token opens the shop's news no wider than the device needs."""
    works, stands_by = (extension(pair(seller.http, device=name)).connect() for name in "ab")
    works.say()
    with database.tenant(seller.tenant) as session:
        append_event(session, "order_update", {"order_id": 1}, clock.now())
        append_event(session, "job_status_update", {"job_id": 1, "channel": "ebay"}, clock.now())
    job_id = desk.ask(LIST)
    until(lambda: settled(desk, job_id) is CommandState.ANSWERED)
    works.say("challenged")
    for browser in (works, stands_by):
        until(lambda browser=browser: ("vinted_connection_status", "challenged") in states(browser))
    assert ("order_update", None) not in states(works) + states(stands_by)
    assert {each["job_id"] for name, each in works.heard if name == "job_status_update"} == {job_id}
    assert "job_status_update" not in {name for name, _ in stands_by.heard}


def states(browser: Extension) -> list[tuple[str, str | None]]:
    return [(name, (said or {}).get("state")) for name, said in browser.heard]


def test_a_photo_is_fetched_by_a_signed_link(
    api: httpx.Client, seller: Seller, desk: Desk, extension: MakeExtension, container: Container
) -> None:
    """ST35: it never passes through the socket."""
    container.object_store.put(PHOTO.object_key, b"a photo", "image/jpeg")
    browser = extension(pair(seller.http), answers=False).connect()
    browser.say()
    desk.ask(VintedRequest("POST", "/api/v2/photos", photo=PHOTO))
    photo = browser.commands()[0]["request"]["photo"]
    assert (photo["sha256"], photo["fields"]) == (PHOTO.sha256, {"photo[type]": "item"})
    path = photo["url"].partition("/api/")[2]
    assert api.get(f"/api/{path}").content == b"a photo"


def test_one_command_is_under_way_at_a_time_and_urgent_ones_go_first(
    seller: Seller, desk: Desk, extension: MakeExtension
) -> None:
    """ST28, A: a listing that was sold elsewhere comes down before the next goes up."""
    seen: list[int] = []
    open_now = 0
    most = 0
    lock = threading.Lock()

    def vinted(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        threading.Event().wait(0.01)
        with lock:
            open_now -= 1
        return fine(request)

    browser = extension(pair(seller.http), vinted=vinted).connect()
    browser.say("unreachable")
    bulk = [desk.ask() for _ in range(3)]
    urgent = desk.ask(action=JobAction.DELETE)
    browser.say()
    seen = [each["job_id"] for each in browser.commands(4)]
    assert seen == [urgent, *bulk]
    until(lambda: all(settled(desk, each) is CommandState.ANSWERED for each in seen))
    assert most == 1


def test_a_job_that_is_not_parked_yet_waits_until_it_is(
    seller: Seller, desk: Desk, extension: MakeExtension, database: Database, clock: MovableClock
) -> None:
    """D7: its worker still writes down that it waits."""
    browser = extension(pair(seller.http)).connect()
    browser.say()
    job_id = desk.ask(status=JobStatus.RUNNING)
    browser.say()
    assert settled(desk, job_id) is CommandState.WAITING
    desk.park(job_id)
    until(lambda: settled(desk, job_id) is CommandState.ANSWERED)


def test_two_shops_hear_of_their_own_commands_only(
    seller: Seller,
    other_seller: Seller,
    desk: Desk,
    database: Database,
    clock: MovableClock,
    extension: MakeExtension,
) -> None:
    """X2: and neither may answer for the other."""
    mine = extension(pair(seller.http), answers=False).connect()
    theirs = extension(pair(other_seller.http), answers=False).connect()
    mine.say()
    theirs.say()
    job_id = desk.ask()
    Desk(database, other_seller.tenant, clock).ask()
    (command,), (other,) = mine.commands(), theirs.commands()
    assert command["command_id"] != other["command_id"]
    refused = theirs.result(command, fine({}))
    assert refused["problem"]["code"] == "lease-refused"
    crossed = theirs.result({**command, "lease": other["lease"]}, fine({}))
    assert crossed["problem"]["code"] == "lease-refused"
    assert settled(desk, job_id) is CommandState.SENT
    assert mine.result(command, fine({})) == {"stored": True, "repeated": False}


@pytest.mark.parametrize("lease", ["", "nonsense", "access token", "altered"])
def test_a_result_without_its_lease_changes_nothing(
    seller: Seller, desk: Desk, extension: MakeExtension, lease: str
) -> None:
    """ST34."""
    browser = extension(pair(seller.http), answers=False).connect()
    browser.say()
    job_id = desk.ask()
    (command,) = browser.commands()
    head, claims, signature = command["lease"].split(".")
    forged = {
        "access token": browser.browser.token,
        "altered": f"{head}.{claims}.{signature[:-6]}AAAAAA",
    }.get(lease, lease)
    answer = browser.result({**command, "lease": forged}, fine({}))
    assert answer["problem"]["code"] == "lease-refused"
    assert settled(desk, job_id) is CommandState.SENT


def test_a_result_is_taken_once(seller: Seller, desk: Desk, extension: MakeExtension) -> None:
    """ST27: what comes again gets the same answer and is not looked at."""
    browser = extension(pair(seller.http), answers=False).connect()
    browser.say()
    job_id = desk.ask()
    (command,) = browser.commands()
    assert browser.result(command, fine({})) == {"stored": True, "repeated": False}
    attempts = desk.job(job_id).attempts
    other = {"outcome": "not_sent", "detail": "changed my mind"}
    assert browser.result(command, other) == {"stored": True, "repeated": True}
    assert (settled(desk, job_id), desk.job(job_id).attempts) == (CommandState.ANSWERED, attempts)


def test_a_late_result_settles_what_was_lost(
    seller: Seller, desk: Desk, extension: MakeExtension, clock: MovableClock
) -> None:
    """A2, ST26: the job asks about it when its time is up; the answer is kept whenever it comes."""
    browser = extension(pair(seller.http), answers=False).connect()
    browser.say()
    job_id = desk.ask()
    (command,) = browser.commands()
    job = desk.job(job_id)
    assert job.leased_until == clock.now() + LOST_AFTER
    assert browser.result(command, {"outcome": "lost"}) == {"stored": True, "repeated": False}
    assert desk.job(job_id).status is JobStatus.PENDING
    assert browser.result(command, {"outcome": "lost"}) == {"stored": True, "repeated": True}
    assert browser.result(command, fine({})) == {"stored": True, "repeated": False}
    assert settled(desk, job_id) is CommandState.ANSWERED


def test_an_answer_with_anything_in_it_is_stored(
    seller: Seller, desk: Desk, extension: MakeExtension
) -> None:
    """H5: 200,000 characters, and those that PostgreSQL cannot write."""
    browser = extension(pair(seller.http), answers=False).connect()
    browser.say()
    job_id = desk.ask()
    (command,) = browser.commands()
    body = "a\0" + "é" * 199_998
    told = {**fine({}), "body": body, "truncated": True}
    assert browser.result(command, told) == {"stored": True, "repeated": False}
    stored = desk.command(job_id)
    assert (stored.answer, stored.truncated) == (body.replace("\0", "�"), True)


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("vinted_session_update", None),
        ("vinted_session_update", {"state": "happy"}),
        ("vinted_session_update", {"state": "signed_in"}),
        ("vinted_session_update", {"state": "signed_in", "vinted_user_id": "1", "more": 1}),
        ("vinted_session_update", {"state": "signed_out", "site": "www.vinted.example"}),
        ("job_result", {"command_id": "1", "lease": "x", "outcome": "lost"}),
        ("job_result", {"command_id": NOBODYS, "lease": "x", "outcome": "answered"}),
        ("job_result", {"command_id": NOBODYS, "lease": "x" * 9000, "outcome": "lost"}),
        ("datadome_detected", {"command_id": 7}),
        ("datadome_detected", [1]),
        ("authenticate", {"token": 7}),
    ],
    ids=str,
)
def test_what_is_malformed_gets_a_problem_and_is_counted(
    seller: Seller, extension: MakeExtension, container: Container, event: str, payload: Any
) -> None:
    """H5."""
    browser = extension(pair(seller.http)).connect()
    answer = browser.call(event, payload)
    assert answer["problem"]["code"] in {"invalid-input", "unknown-vinted-site"}
    label = {"code": answer["problem"]["code"]}
    assert container.metrics.get_sample_value("stoflow_socket_refusals_total", label) == 1


def test_a_person_does_not_answer_for_a_browser_nor_a_device_as_a_person(
    seller: Seller, extension: MakeExtension
) -> None:
    """ST36."""
    browser = extension(pair(seller.http))
    for auth in (
        {"token": browser.browser.token},
        {"token": seller.tokens["access_token"], "client": "extension"},
        {"token": browser.browser.token, "client": "dashboard"},
    ):
        with pytest.raises(Refused):
            browser.client.connect(browser.url, auth=auth, transports=["websocket"])
    browser.client.connect(
        browser.url, auth={"token": seller.tokens["access_token"]}, transports=["websocket"]
    )
    for event, payload in (
        ("vinted_session_update", {"state": "signed_out"}),
        ("datadome_detected", {}),
        ("job_result", {"command_id": NOBODYS, "lease": "x", "outcome": "lost"}),
    ):
        assert browser.call(event, payload)["problem"]["code"] == "forbidden"


def test_one_browser_executes_and_another_takes_over_when_it_goes(
    seller: Seller, desk: Desk, extension: MakeExtension
) -> None:
    """ST29: the first stays until its socket closes."""
    first = extension(pair(seller.http, "laptop")).connect()
    second = extension(pair(seller.http, "desktop")).connect()
    assert first.say()["executor"] is True
    assert second.say()["executor"] is False
    assert first.say()["executor"] is True
    done = desk.ask()
    until(lambda: settled(desk, done) is CommandState.ANSWERED)
    first.drop()
    status = second.until("vinted_connection_status", 3)[-1]
    assert (status["state"], status["executor"]) == ("connected", True)
    job_id = desk.ask()
    assert second.commands()[0]["job_id"] == job_id
    devices = seller.http.get("/api/v1/vinted/devices").json()
    assert {each["device"]: each["executor"] for each in devices} == {
        "laptop": False,
        "desktop": True,
    }


def test_an_unpaired_browser_leaves_its_place(
    seller: Seller, desk: Desk, extension: MakeExtension, clock: MovableClock
) -> None:
    """ST29: also one whose API process has died, and could not say that it went."""
    first = extension(pair(seller.http, "laptop")).connect()
    assert first.say()["executor"] is True
    first.drop()
    (device,) = seller.http.get("/api/v1/vinted/devices").json()
    until(lambda: seller.http.get("/api/v1/vinted/status").json()["state"] == "offline")
    with desk.database.tenant(seller.tenant) as session:
        account = VintedAccountRepository(session).locked()
        assert account is not None
        account.executor, account.executor_until = "gone", clock.now() + EXECUTOR_LEASE
    second = extension(pair(seller.http, "desktop")).connect()
    assert second.say()["executor"] is False
    seller.http.delete(f"/api/v1/vinted/devices/{device['id']}").raise_for_status()
    assert second.say()["executor"] is True


def test_a_browser_that_cannot_is_helped_by_one_that_can(
    seller: Seller, extension: MakeExtension
) -> None:
    """ST29: signed out, or without a way to Vinted."""
    first = extension(pair(seller.http, "laptop")).connect()
    second = extension(pair(seller.http, "desktop")).connect()
    assert first.say("signed_out")["state"] == "signed_out"
    status = second.say()
    assert (status["state"], status["executor"]) == ("connected", True)
    assert first.say("signed_out")["executor"] is False


def test_the_place_of_a_dead_process_is_free_after_a_while(
    seller: Seller, desk: Desk, extension: MakeExtension, clock: MovableClock, database: Database
) -> None:
    """ST29, ST31: unless its browser comes back, which has its place at once."""
    laptop = pair(seller.http, "laptop")
    first = extension(laptop).connect()
    first.say()
    with database.tenant(seller.tenant) as session:
        account = VintedAccountRepository(session).locked()
        assert account is not None
        account.executor = "a socket of a process that was killed"
    second = extension(pair(seller.http, "desktop")).connect()
    assert second.say()["executor"] is False
    again = extension(laptop).connect()
    assert again.say()["executor"] is True
    with database.tenant(seller.tenant) as session:
        account = VintedAccountRepository(session).locked()
        assert account is not None
        account.executor = "another"
        account.executor_until = clock.now() + EXECUTOR_LEASE
    clock.advance(EXECUTOR_LEASE)
    assert second.say()["executor"] is True


def test_the_same_browser_gets_its_command_again_and_does_it_once(
    seller: Seller, desk: Desk, extension: MakeExtension
) -> None:
    """ST27, A2: under the same id; another browser is not asked meanwhile."""
    laptop, memory, done = pair(seller.http, "laptop"), Memory(), []

    def vinted(request: dict[str, Any]) -> dict[str, Any]:
        done.append(request["path"])
        return fine(request)

    first = extension(laptop, memory=memory, answers=False).connect()
    first.say()
    job_id = desk.ask()
    (command,) = first.commands()
    memory.done[command["command_id"]] = vinted(command["request"])
    first.drop()
    other = extension(pair(seller.http, "desktop"), vinted=vinted).connect()
    assert other.say()["executor"] is True
    assert settled(desk, job_id) is CommandState.SENT
    other.drop()
    until(lambda: seller.http.get("/api/v1/vinted/status").json()["state"] == "offline")
    second = extension(laptop, memory=memory, vinted=vinted).connect()
    second.say(holding=[command["command_id"]])
    (again,) = second.commands()
    assert again["command_id"] == command["command_id"]
    until(lambda: settled(desk, job_id) is CommandState.ANSWERED)
    assert len(done) == 1
    assert other.heard.count(("execute_job", command)) == 0


@pytest.mark.parametrize(
    ("refused", "wait"), [("busy", 1), ("expired", 1), ("no_session", 15), ("paused", 30)]
)
def test_what_a_browser_cannot_take_now_is_sent_again(
    seller: Seller,
    desk: Desk,
    extension: MakeExtension,
    clock: MovableClock,
    refused: str,
    wait: int,
) -> None:
    """ST28: nothing was done, and it costs no attempt."""
    browser = extension(pair(seller.http)).connect()
    browser.say()
    browser.refuses = {"refused": refused, "detail": "not now"}
    job_id = desk.ask()
    browser.commands()
    until(lambda: settled(desk, job_id) is CommandState.WAITING)
    browser.refuses = None
    clock.advance(timedelta(seconds=wait))
    until(lambda: settled(desk, job_id) is CommandState.ANSWERED)


@pytest.mark.parametrize("refused", ["not_allowed", "bad_lease"])
def test_what_a_browser_will_never_take_is_known_not_to_have_happened(
    seller: Seller, desk: Desk, extension: MakeExtension, refused: str
) -> None:
    """ST26."""
    browser = extension(pair(seller.http)).connect()
    browser.say()
    browser.refuses = {"refused": refused, "detail": "not on my list"}
    job_id = desk.ask()
    until(lambda: settled(desk, job_id) is CommandState.NOT_SENT)
    assert desk.command(job_id).detail == "not on my list"
    assert desk.job(job_id).status is JobStatus.PENDING


def test_a_captcha_stops_everything_and_the_seller_starts_it_again(
    seller: Seller, desk: Desk, extension: MakeExtension
) -> None:
    """ST30: at once, nothing is lost, told once; another browser does not step in."""
    browser = extension(pair(seller.http), answers=False).connect()
    browser.say()
    first, second = desk.ask(), desk.ask()
    (command,) = browser.commands()
    challenged = {"command_id": command["command_id"], "site": "www.vinted.fr", "status": 403}
    status = browser.call("datadome_detected", challenged)
    assert status["state"] == "challenged"
    assert "person" in status["reason"]
    browser.call("datadome_detected", challenged)
    browser.result(command, {**fine({}), "status": 403})
    other = extension(pair(seller.http, "desktop")).connect()
    assert other.say()["state"] == "challenged"
    assert settled(desk, second) is CommandState.WAITING
    assert len(browser.commands()) == 1
    assert browser.say()["state"] == "connected"
    assert [each["job_id"] for each in browser.commands(2)] == [first, second]


def test_somebody_elses_account_is_not_worked_on(
    seller: Seller, desk: Desk, extension: MakeExtension
) -> None:
    """ST30."""
    browser = extension(pair(seller.http)).connect()
    browser.say()
    status = browser.say(vinted_user_id="815", login="ben")
    assert (status["state"], status["login"]) == ("wrong_account", "anna")
    job_id = desk.ask()
    assert browser.say("signed_out")["state"] == "signed_out"
    assert settled(desk, job_id) is CommandState.WAITING
    assert browser.say()["state"] == "connected"
    browser.commands()


def test_the_seller_pauses_and_resumes(
    seller: Seller, desk: Desk, extension: MakeExtension
) -> None:
    """ST30."""
    browser = extension(pair(seller.http)).connect()
    browser.say()
    assert seller.http.post("/api/v1/vinted/pause").json()["state"] == "paused"
    assert browser.until("vinted_connection_status", 2)[-1]["state"] == "paused"
    job_id = desk.ask()
    assert browser.say()["state"] == "paused"
    assert settled(desk, job_id) is CommandState.WAITING
    status = seller.http.post("/api/v1/vinted/resume").json()
    assert (status["state"], status["waiting"]) == ("connected", 1)
    browser.commands()


def test_the_operator_stops_the_channel_for_everybody(
    seller: Seller,
    desk: Desk,
    extension: MakeExtension,
    clock: MovableClock,
    database: Database,
) -> None:
    """ST30: what is stopped says why, and goes on by itself."""
    switch = ChannelSwitch(clock)
    browser = extension(pair(seller.http)).connect()
    browser.say()
    with database.platform() as session:
        assert switch.stop(session, "vinted", "Vinted changes its form")
    job_id = desk.ask()
    status = browser.say()
    assert status["state"] == "paused"
    assert "Vinted changes its form" in status["reason"]
    assert settled(desk, job_id) is CommandState.WAITING
    with database.platform() as session:
        assert switch.start(session, "vinted")
        assert StoppedChannelRepository(session).all() == []
    clock.advance(STOPPED)
    browser.commands()


def test_unpairing_ends_the_socket(
    seller: Seller, extension: MakeExtension, clock: MovableClock
) -> None:
    """H2, ST36."""
    browser = extension(pair(seller.http)).connect()
    browser.say()
    unpair(seller, clock)
    browser.until("signed_out")
    browser.until("disconnect")
    until(lambda: seller.http.get("/api/v1/vinted/status").json()["state"] == "offline")


def test_a_fresh_token_keeps_the_socket_and_its_place(
    api: httpx.Client, seller: Seller, extension: MakeExtension, clock: MovableClock, desk: Desk
) -> None:
    """H2: re-authentication in place; another browser's token is none."""
    laptop, desktop = pair(seller.http, "laptop"), pair(seller.http, "desktop")
    browser = extension(laptop).connect()
    browser.say()
    assert browser.call("authenticate", {"token": desktop.token})["problem"]["code"] == "forbidden"
    person = {"token": seller.tokens["access_token"]}
    assert browser.call("authenticate", person)["problem"]["code"] == "forbidden"
    fresh = api.post(
        "/api/v1/auth/refresh", json={"refresh_token": laptop.tokens["refresh_token"]}
    ).json()
    assert set(browser.call("authenticate", {"token": fresh["access_token"]})) == {"expires_at"}
    desk.ask()
    browser.commands()


def test_sockets_of_browsers_are_bounded_apart_from_those_of_people(
    seller: Seller, extension: MakeExtension, container: Container
) -> None:
    """ST37: ten open tabs of the dashboard do not throw the browser out that works."""
    most = container.settings.sockets.most_per_account
    laptop = pair(seller.http)
    sockets = [extension(laptop).connect() for _ in range(most + 1)]
    sockets[0].until("evicted")
    sockets[0].until("disconnect")
    assert sockets[1].client.connected


def test_the_seller_is_told_once_what_to_do(
    seller: Seller, extension: MakeExtension, database: Database
) -> None:
    """ST30: recorded with the change, for the notification and for whoever watches."""
    browser = extension(pair(seller.http)).connect()
    browser.say()
    for _ in range(3):
        browser.say("challenged")
    browser.say("unreachable")
    with database.platform() as session:
        kinds = session.scalars(
            text("SELECT payload->>'session' FROM public.outbox_events WHERE kind = :kind"),
            {"kind": "vinted-needs-seller"},
        ).all()
    assert kinds == [VintedSession.CHALLENGED]
    events = seller.http.get("/api/v1/events").json()["items"]
    states = [
        each["payload"]["state"] for each in events if each["kind"] == "vinted_connection_status"
    ]
    assert states == ["connected", "challenged", "unreachable"]


def _bell(database: Database, desk: Desk) -> Any:
    with database.platform() as session:
        found = session.scalar(
            text("SELECT due_at FROM public.browser_bells WHERE tenant_id = :tenant"),
            {"tenant": desk.tenant.tenant_id},
        )
    return found or desk.clock.now()
