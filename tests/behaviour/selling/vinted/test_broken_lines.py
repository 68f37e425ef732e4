"""Lines break all the time; each request is made once, and none is forgotten."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from models.selling.publishing import JobStatus
from models.selling.vinted import CommandState
from services.gateways.vinted.transport import VintedRequest
from shared.clock import MovableClock
from shared.database import Database
from tests.behaviour.selling.vinted.conftest import Desk, MakeExtension
from tests.fakes.extension import Memory, fine, pair
from tests.serving import Seller
from tests.waiting import until

COMMANDS, DISCONNECTS = 200, 50


@contextmanager
def counting() -> Iterator[tuple[str, Counter[str]]]:
    """Something that counts what is really sent to it, over HTTP."""
    counted: Counter[str] = Counter()

    class Counting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            counted[self.path] += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"code":0}')

        def log_message(self, *_words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", counted
    finally:
        server.shutdown()
        server.server_close()


def test_nothing_is_lost_or_done_twice_however_often_the_line_breaks(
    seller: Seller, database: Database, clock: MovableClock, extension: MakeExtension
) -> None:
    """ST27, A2: 50 disconnects, at any moment, during 200 commands."""
    chance, memory = random.Random(7), Memory()
    desk, laptop = Desk(database, seller.tenant, clock), pair(seller.http)
    with counting() as (address, counted), httpx.Client(base_url=address) as site:

        def vinted(request: dict[str, Any]) -> dict[str, Any]:
            answer = site.post(request["path"])
            return {**fine(request), "status": answer.status_code, "body": answer.text}

        def connected() -> Any:
            browser = extension(laptop, vinted=vinted, memory=memory).connect()
            browser.say(holding=list(memory.done)[-1:])
            return browser

        connected().drop()
        jobs = [
            desk.ask(VintedRequest("POST", f"/api/v2/items/{number}/delete"))
            for number in range(COMMANDS)
        ]
        for _ in range(DISCONNECTS):
            browser = connected()
            browser.until("execute_job", chance.randint(1, 3))
            threading.Event().wait(chance.random() * 0.02)
            browser.drop()
        connected()
        until(lambda: desk.command(jobs[-1]).state is CommandState.ANSWERED)
        until(lambda: all(desk.job(each).status is JobStatus.PENDING for each in jobs))
    assert set(counted.values()) == {1}
    assert len(counted) == COMMANDS
    assert {desk.command(each).state for each in jobs} == {CommandState.ANSWERED}
