"""The browser without a window keeps to the protocol, does nothing twice, stops when it must."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.vinted.state import STANDARD_PASSWORD
from sandbox.vinted_browser.allowed import allowed_requests, is_allowed
from sandbox.vinted_browser.browser import HeadlessBrowser
from services.gateways.calls import UnreadableAnswer
from services.gateways.vinted.client import VintedClient
from services.gateways.vinted.transport import VintedAnswer
from tests.contracts.etsy_shop import picture
from tests.contracts.vinted_site import VintedSite
from tests.fakes.photo_site import PhotoSite
from tests.fakes.stoflow_bridge import FakeStoflow, protocol
from tests.fakes.vinted_transport import CHANGES, LOOKS, RecordedTransport
from tests.serving import Stage, serving
from tests.waiting import until

DRAFTS = "/api/v2/item_upload/drafts"
ME = "/api/v2/users/current"
ORDERS = "/api/v2/my_orders"


@pytest.fixture(scope="module")
def stoflow_stage() -> Iterator[Stage]:
    """A port on which each test shows its own server."""
    stage = Stage()
    with serving(stage) as url:
        stage.url = url
        yield stage


@pytest.fixture
def stoflow(stoflow_stage: Stage) -> Iterator[FakeStoflow]:
    """The server's side; at the end every message of either side was as the protocol has it."""
    fake = FakeStoflow()
    stoflow_stage.app = fake.app
    yield fake
    assert fake.violations == []


@pytest.fixture
def browser(
    stoflow: FakeStoflow, stoflow_stage: Stage, vinted_sandbox: VintedSite
) -> Iterator[HeadlessBrowser]:
    """Paired, with camille signed in at Vinted; not started yet."""
    made = HeadlessBrowser(stoflow_stage.url, str(vinted_sandbox.http.base_url))
    made.pair(stoflow.offer_code())
    made.sign_in("camille", STANDARD_PASSWORD)
    yield made
    made.close()


@pytest.fixture
def working(stoflow: FakeStoflow, browser: HeadlessBrowser) -> HeadlessBrowser:
    """Started, and it has said that camille is signed in."""
    browser.start()
    stoflow.until(lambda: [each["state"] for each in stoflow.sessions][-1:] == ["signed_in"])
    return browser


def draft_command(stoflow: FakeStoflow, browser: HeadlessBrowser, **more: Any) -> dict[str, Any]:
    request = {"json": {"draft": {"title": "A shirt"}}}
    return stoflow.command(browser.tab.site, "POST", DRAFTS, request=request, **more)


def test_the_list_of_allowed_requests_is_the_protocols() -> None:
    """D10: written twice, on purpose; no path fits that is longer or holds something else."""
    rows = protocol()["x-allowed-requests"]
    assert [(row["method"], row["path"]) for row in rows] == list(allowed_requests())
    assert all(row["path"].startswith("^/api/v2/") for row in rows)
    assert all(row["path"].endswith("$") for row in rows)
    assert all(row["purpose"] for row in rows)
    assert is_allowed("GET", "/api/v2/item_upload/items/7")
    for method, path in (
        ("DELETE", "/api/v2/item_upload/items/7"),
        ("GET", "/api/v2/item_upload/items/7\n"),
        ("GET", "/api/v2/item_upload/items/../photos"),
        ("GET", "/api/v2/item_upload/items/\u0667"),
        ("GET", "/api/v2/items/7/delete"),
        ("POST", "/api/v2/item_upload/items"),
        ("GET", "https://example.org/api/v2/users/current"),
    ):
        assert not is_allowed(method, path)


def test_nothing_is_allowed_that_nobody_asks_for() -> None:
    """D10: what jobs ask of Vinted, and who is signed in there, which the browser asks itself."""
    road = RecordedTransport(VintedAnswer(200, "application/json", "{}"))
    asks = {**LOOKS, **CHANGES}
    methods = {name for name in vars(VintedClient) if not name.startswith("_")}
    assert asks.keys() == methods - {"again", "send"}
    for ask in asks.values():
        with suppress(UnreadableAnswer):
            ask(road.client(), "a step")
    asked = [("GET", ME), *((each.method, each.path) for each in road.asked)]
    for method, pattern in allowed_requests():
        assert any(method == each and re.fullmatch(pattern, path) for each, path in asked), pattern
    assert [each for each in asked if not is_allowed(*each)] == []


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_command_becomes_a_request_and_its_answer_a_result(
    stoflow: FakeStoflow, stoflow_stage: Stage, vinted_sandbox: VintedSite, transport: str
) -> None:
    """ST28: paired with a code, over either transport."""
    url = str(vinted_sandbox.http.base_url)
    browser = HeadlessBrowser(stoflow_stage.url, url, transport=transport, device="Laptop")
    browser.pair(stoflow.offer_code())
    browser.sign_in("camille", STANDARD_PASSWORD)
    browser.start()
    try:
        stoflow.until(lambda: bool(stoflow.sessions))
        told = stoflow.sessions[0]
        assert (told["state"], told["login"], told["site"]) == (
            "signed_in", "camille", browser.tab.site,
        )  # fmt: skip
        assert (stoflow.connects[0]["device"], told["holding"]) == ("Laptop", [])
        command = draft_command(stoflow, browser)
        assert stoflow.send(command) == {"taken": True}
        result = stoflow.result_of(command)
        assert (result["outcome"], result["status"]) == ("answered", 200)
        assert (result["lease"], result["truncated"]) == (command["lease"], False)
        (item,) = vinted_sandbox.items()
        assert f'"id":{item["item_id"]}' in result["body"]
        assert item["title"] == "A shirt"
        assert browser.status is not None
        assert browser.status["state"] == "connected"
    finally:
        browser.close()


def test_a_code_pairs_once(stoflow: FakeStoflow, browser: HeadlessBrowser) -> None:
    """ST59."""
    code = stoflow.offer_code()
    browser.pair(code)
    with pytest.raises(httpx.HTTPStatusError):
        browser.pair(code)


def test_a_photo_is_fetched_checked_and_uploaded(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """C3: never through the socket; another picture than the one expected is not sent on."""
    content = picture("lime")
    with PhotoSite().open() as store:
        photo = {
            "url": store.show("/signed", content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "content_type": "image/jpeg",
            "fields": {"photo[type]": "item", "photo[temp_uuid]": str(uuid.uuid4())},
        }
        site, path = working.tab.site, "/api/v2/photos"
        good = stoflow.command(site, "POST", path, request={"photo": photo})
        stoflow.send(good)
        assert stoflow.result_of(good)["status"] == 200
        for wrong in ({"sha256": "0" * 64}, {"url": store.root + "/gone"}):
            bad = stoflow.command(site, "POST", path, request={"photo": {**photo, **wrong}})
            stoflow.send(bad)
            assert stoflow.result_of(bad)["outcome"] == "not_sent"
    (kept,) = vinted_sandbox.read("ledger")["photos"]
    assert kept["sha256"] == photo["sha256"]
    assert vinted_sandbox.calls("uploadPhoto") == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lease": {"method": "GET"}}, "bad_lease"),
        ({"lease": {"path": ME}}, "bad_lease"),
        ({"lease": {"site": "www.vinted.fr"}}, "bad_lease"),
        ({"lease": {"command": str(uuid.uuid4())}}, "bad_lease"),
        ({"lease": {"tid": 8}}, "bad_lease"),
        ({"lease": {"exp": 1}}, "expired"),
        ({"deadline": "2026-01-01T00:00:00+00:00"}, "expired"),
        ({"request": {"site": "www.vinted.fr"}}, "not_allowed"),
        ({"request": {"path": "/api/v2/item_upload/items"}}, "not_allowed"),
    ],
)
def test_what_has_no_good_lease_or_is_not_on_the_list_is_not_done(
    stoflow: FakeStoflow,
    working: HeadlessBrowser,
    vinted_sandbox: VintedSite,
    changes: dict[str, Any],
    reason: str,
) -> None:
    """D10: refused with a word of the protocol, nothing is asked of Vinted."""
    command = stoflow.command(working.tab.site, "POST", DRAFTS, **changes)
    assert stoflow.send(command)["refused"] == reason
    assert (vinted_sandbox.calls("createDraft"), vinted_sandbox.calls("createItem")) == (0, 0)
    assert stoflow.results == []


def test_what_became_late_while_its_token_was_fetched_is_not_sent(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D8: the deadline is kept at the moment of sending."""
    vinted_sandbox.fault("page", "slow", delay_s=3)
    deadline = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    command = draft_command(stoflow, working, deadline=deadline)
    assert stoflow.send(command) == {"taken": True}
    assert stoflow.result_of(command)["outcome"] == "not_sent"
    assert vinted_sandbox.calls("createDraft") == 0


def test_a_lease_of_somebody_else_is_not_good(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D10: the signature is looked at."""
    command = draft_command(stoflow, working)
    forged = FakeStoflow().command(working.tab.site, "POST", DRAFTS)
    assert stoflow.send({**command, "lease": forged["lease"]})["refused"] == "bad_lease"
    assert stoflow.send({**command, "lease": "no.such.token"})["refused"] == "bad_lease"
    assert vinted_sandbox.items() == []


def test_one_command_at_a_time(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D9: the second is refused, the first told again is not begun again."""
    vinted_sandbox.fault("createDraft", "slow", delay_s=1)
    first, second = (draft_command(stoflow, working) for _ in range(2))
    assert stoflow.send(first) == {"taken": True}
    assert stoflow.send(second)["refused"] == "busy"
    assert stoflow.send(first) == {"taken": True}
    stoflow.result_of(first)
    assert stoflow.send(second) == {"taken": True}
    stoflow.result_of(second)
    assert len(vinted_sandbox.items()) == 2


def test_a_repeated_command_is_answered_from_memory(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D9: also with another lease, and after a restart."""
    command = draft_command(stoflow, working)
    stoflow.send(command)
    first = stoflow.result_of(command)
    again = draft_command(stoflow, working, command_id=command["command_id"])
    assert stoflow.send(again) == {"taken": True}
    stoflow.until(lambda: len(stoflow.results) >= 2)
    assert stoflow.results[-1] == {**first, "lease": again["lease"]}
    working.restart()
    stoflow.until_back(2)
    stoflow.send(command)
    stoflow.until(lambda: len(stoflow.results) >= 3)
    assert {each["body"] for each in stoflow.results} == {first["body"]}
    assert len(vinted_sandbox.items()) == 1


def test_without_memory_a_repeat_is_done_again(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D9: which is why the server must not send it to another browser."""
    command = draft_command(stoflow, working)
    stoflow.send(command)
    stoflow.result_of(command)
    working.restart(with_memory=False)
    stoflow.until_back(2)
    stoflow.send(command)
    stoflow.until(lambda: len(stoflow.results) >= 2)
    assert len(vinted_sandbox.items()) == 2


def test_a_result_is_sent_until_it_is_acknowledged(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D8: the line breaks before the acknowledgement, twice."""
    stoflow.acks_to_lose = 2
    command = draft_command(stoflow, working)
    stoflow.send(command)
    stoflow.until(lambda: len(stoflow.results) >= 3)
    assert all(each == stoflow.results[0] for each in stoflow.results)
    until(lambda: not working.journal.holding())
    assert len(vinted_sandbox.items()) == 1


@pytest.mark.parametrize("code", ["lease-refused", "command-not-found", "bad-input"])
def test_a_result_that_would_be_refused_again_is_not_told_again(
    stoflow: FakeStoflow, working: HeadlessBrowser, code: str
) -> None:
    """D8: one that cannot be stored just now is."""
    stoflow.problems["job_result"] = ["shop-being-upgraded", code]
    command = stoflow.command(working.tab.site, "GET", ORDERS)
    stoflow.send(command)
    stoflow.until(lambda: len(stoflow.results) >= 2)
    until(lambda: not working.journal.holding())
    assert len(stoflow.results) == 2


def test_cut_off_it_finishes_its_work_and_tells_when_it_is_back(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D8: what it holds is told at once, then the result."""
    vinted_sandbox.fault("createDraft", "slow", delay_s=1)
    command = draft_command(stoflow, working)
    stoflow.send(command)
    working.cut_off(stay_away=True)
    until(vinted_sandbox.items)
    assert stoflow.results == []
    working.come_back()
    assert stoflow.until_back(2)["holding"] == [command["command_id"]]
    assert stoflow.result_of(command)["status"] == 200
    assert len(stoflow.connects) == 2


def test_what_was_begun_when_the_browser_was_killed_is_lost(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D8: it may have been done, so that is what is said; it is never done again."""
    vinted_sandbox.fault("createDraft", "slow", delay_s=1)
    command = draft_command(stoflow, working)
    stoflow.send(command)
    until(lambda: vinted_sandbox.calls("createDraft"))
    working.restart()
    assert stoflow.result_of(command)["outcome"] == "lost"
    stoflow.send(command)
    stoflow.until(lambda: len(stoflow.results) >= 2)
    until(vinted_sandbox.items)
    assert vinted_sandbox.calls("createDraft") == 1


@pytest.mark.parametrize(("kind", "made"), [("lost_answer", 1), ("drop_connection", 0)])
def test_an_answer_that_does_not_come_is_lost(
    stoflow: FakeStoflow,
    working: HeadlessBrowser,
    vinted_sandbox: VintedSite,
    kind: str,
    made: int,
) -> None:
    """B2: nobody can tell whether it was done."""
    vinted_sandbox.fault("createDraft", kind)
    command = draft_command(stoflow, working)
    stoflow.send(command)
    result = stoflow.result_of(command)
    assert (result["outcome"], result.get("status")) == ("lost", None)
    assert len(vinted_sandbox.items()) == made


def test_where_nobody_listens_nothing_was_sent(stoflow: FakeStoflow, stoflow_stage: Stage) -> None:
    """B2: which is another thing than lost."""
    browser = HeadlessBrowser(stoflow_stage.url, "http://127.0.0.1:9")
    browser.pair(stoflow.offer_code())
    browser.start()
    try:
        stoflow.until(lambda: bool(stoflow.sessions))
        assert stoflow.sessions[0]["state"] == "unreachable"
        command = stoflow.command("127.0.0.1:9", "GET", ME)
        assert stoflow.send(command) == {"taken": True}
        assert stoflow.result_of(command)["outcome"] == "not_sent"
    finally:
        browser.close()


def test_refusals_and_odd_answers_are_passed_on_as_they_are(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """C8: it judges nothing; Retry-After goes along."""
    vinted_sandbox.fault("getMyOrders", "http_429", retry_after_s=7)
    vinted_sandbox.fault("getMyOrders", "http_500")
    for status, retry_after in ((429, "7"), (500, None), (200, None)):
        command = stoflow.command(working.tab.site, "GET", ORDERS)
        stoflow.send(command)
        result = stoflow.result_of(command)
        assert (result["status"], result["retry_after"]) == (status, retry_after)
    empty = stoflow.command(working.tab.site, "POST", DRAFTS, request={"json": {}})
    stoflow.send(empty)
    assert re.search('"code":99', stoflow.result_of(empty)["body"])


@pytest.mark.parametrize("kind", ["challenge", "html_page"])
def test_a_challenge_is_told_and_stops_everything_until_it_is_solved(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite, kind: str
) -> None:
    """D4: it is never tried again by itself; the person solves it, the work goes on."""
    vinted_sandbox.fault("getMyOrders", kind)
    command = stoflow.command(working.tab.site, "GET", ORDERS)
    stoflow.send(command)
    status = 403 if kind == "challenge" else 200
    assert stoflow.result_of(command)["status"] == status
    stoflow.until(lambda: bool(stoflow.challenges))
    assert stoflow.challenges == [
        {"command_id": command["command_id"], "site": working.tab.site, "status": status}
    ]
    refusal = stoflow.send(stoflow.command(working.tab.site, "GET", ORDERS))
    assert refusal["refused"] == "no_session"
    asked = vinted_sandbox.calls("getMyOrders")
    working.cut_off()
    stoflow.until(lambda: [each["state"] for each in stoflow.sessions][-1] == "challenged")
    working.solve_challenge()
    stoflow.until(lambda: [each["state"] for each in stoflow.sessions][-1] == "signed_in")
    assert vinted_sandbox.calls("getMyOrders") == asked == 1
    command = stoflow.command(working.tab.site, "GET", ORDERS)
    stoflow.send(command)
    assert stoflow.result_of(command)["status"] == 200


def test_what_stoflow_takes_no_note_of_is_told_again(
    stoflow: FakeStoflow, browser: HeadlessBrowser
) -> None:
    """D8: a shop that is being upgraded for a moment hears of the session all the same."""
    stoflow.problems["vinted_session_update"] = ["shop-being-upgraded"] * 2
    browser.start()
    stoflow.until(lambda: len(stoflow.sessions) >= 3)
    assert [each["state"] for each in stoflow.sessions] == ["signed_in"] * 3
    until(lambda: browser.status and browser.status["state"] == "connected")


def test_signing_out_and_in_at_vinted_is_told(
    stoflow: FakeStoflow, working: HeadlessBrowser
) -> None:
    """D5: with another account too."""
    working.sign_out()
    stoflow.until(lambda: stoflow.sessions[-1]["state"] == "signed_out")
    refusal = stoflow.send(stoflow.command(working.tab.site, "GET", ORDERS))
    assert refusal["refused"] == "no_session"
    working.sign_in("jonas", STANDARD_PASSWORD)
    stoflow.until(lambda: stoflow.sessions[-1]["state"] == "signed_in")
    assert stoflow.sessions[-1]["login"] == "jonas"


def test_an_ended_access_token_of_vinted_is_renewed_by_the_page(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D5: the command gets its 401, the next one goes well."""
    vinted_sandbox.control("members/camille/expire")
    command = stoflow.command(working.tab.site, "GET", ORDERS)
    stoflow.send(command)
    assert stoflow.result_of(command)["status"] == 401
    until(lambda: vinted_sandbox.calls("getCurrentUser") >= 3)
    command = stoflow.command(working.tab.site, "GET", ORDERS)
    stoflow.send(command)
    assert stoflow.result_of(command)["status"] == 200


def test_a_sign_out_elsewhere_is_noticed_at_the_next_command(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D5."""
    vinted_sandbox.fault("getMyOrders", "revoked_token")
    command = stoflow.command(working.tab.site, "GET", ORDERS)
    stoflow.send(command)
    assert stoflow.result_of(command)["status"] == 401
    stoflow.until(lambda: stoflow.sessions[-1]["state"] == "signed_out")


def test_paused_it_says_so_and_takes_nothing(
    stoflow: FakeStoflow, working: HeadlessBrowser, vinted_sandbox: VintedSite
) -> None:
    """D4: the button in the extension; who signs out meanwhile is seen when it goes on."""
    working.paused = True
    stoflow.until(lambda: stoflow.sessions[-1]["state"] == "paused")
    refusal = stoflow.send(stoflow.command(working.tab.site, "GET", ORDERS))
    assert refusal["refused"] == "paused"
    asked = vinted_sandbox.calls("getCurrentUser")
    working.sign_out()
    stoflow.hang_up()
    assert stoflow.until_back(2)["state"] == "paused"
    assert vinted_sandbox.calls("getCurrentUser") == asked
    working.paused = False
    stoflow.until(lambda: stoflow.sessions[-1]["state"] == "signed_out")


def test_a_challenge_that_only_stoflow_saw_ends_with_the_next_page(
    stoflow: FakeStoflow, working: HeadlessBrowser
) -> None:
    """D4: how the seller stands is told after every look, also when nothing has changed."""
    stoflow.tell("vinted_connection_status", {"state": "challenged", "executor": True})
    told = len(stoflow.sessions)
    working.solve_challenge()
    stoflow.until(lambda: len(stoflow.sessions) > told)
    assert stoflow.sessions[-1]["state"] == "signed_in"


def test_a_token_of_stoflow_is_renewed_on_the_open_line(
    stoflow: FakeStoflow, browser: HeadlessBrowser
) -> None:
    """K6: before it ends; the line stays."""
    stoflow.lives_s = 4
    browser.pair(stoflow.offer_code())
    browser.start()
    stoflow.until(lambda: stoflow.tokens_brought >= 2)
    assert len(stoflow.connects) == 1


def test_a_line_that_stoflow_ends_is_opened_again(
    stoflow: FakeStoflow, working: HeadlessBrowser
) -> None:
    """D7: with a new token where that was why."""
    stoflow.hang_up()
    stoflow.until(lambda: len(stoflow.connects) >= 2)
    old = stoflow.connects[-1]["token"]
    stoflow.tell("auth_expired", {"detail": "The token has ended."})
    stoflow.until(lambda: stoflow.tokens_brought >= 1)
    assert working.dismissed == ["auth_expired"]
    assert stoflow.connects[-1]["token"] == old


def test_a_late_command_is_not_begun(stoflow: FakeStoflow, working: HeadlessBrowser) -> None:
    """D8."""
    late = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    command = draft_command(stoflow, working, deadline=late)
    assert stoflow.send(command)["refused"] == "expired"
