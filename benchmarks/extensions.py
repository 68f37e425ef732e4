"""Many browsers in one process of their own, as lean as a client of the protocol can be.

`python -m benchmarks.extensions URL` reads one line of tokens from standard input, connects a
socket for each, says `connected` and in how many seconds when all execute or were refused, answers
every command at once. For each further line, a number, it says by the clock when so many results
were stored. When its standard input ends it tells in one JSON line when which was, and goes.
"""

import asyncio
import json
import sys
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from backend.garbage import collect_seldom

AT_ONCE = 40
"""Connects that are under way at the same time."""
SITE = "www.vinted.fr"
FIRST_ACK = 100


class Browser:
    """One socket that speaks Engine.IO and Socket.IO."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._line: ClientConnection | None = None
        self._ready = asyncio.Event()
        self.refused: str | None = None
        self.acked: dict[int, float] = {}
        """When the result of a job was stored, by the clock."""

    async def connect(self, url: str) -> None:
        """Until it executes, or was refused."""
        self._line = await connect(url, max_size=None, compression=None, ping_interval=None)
        hello = {"token": self._token, "client": "extension"}
        await self._line.recv()
        await self._line.send("40" + json.dumps(hello))
        self._reading = asyncio.create_task(self._read(self._line))
        await self._ready.wait()

    async def close(self) -> None:
        """Go."""
        if self._line is not None:
            await self._line.close()

    async def _read(self, line: ClientConnection) -> None:
        try:
            async for packet in line:
                await self._take(line, str(packet))
        except ConnectionClosed:
            pass
        finally:
            # Whoever waits for the welcome of a line that has ended waits in vain.
            self._ready.set()

    async def _take(self, line: ClientConnection, packet: str) -> None:
        if packet == "2":
            await line.send("3")
        elif packet.startswith("44"):
            self.refused = json.loads(packet[2:]).get("data", {}).get("code", "refused")
            self._ready.set()
        elif packet.startswith("40"):
            said = {
                "state": "signed_in",
                "site": SITE,
                "vinted_user_id": "4711",
                "login": "anna",
            }
            await line.send("421" + json.dumps(["vinted_session_update", said]))
        elif packet.startswith("431["):
            self._ready.set()
        elif packet.startswith("43"):
            number = int(packet[2:].partition("[")[0]) - FIRST_ACK
            self.acked[number] = time.time()
        elif packet.startswith("42"):
            await self._event(line, packet)

    async def _event(self, line: ClientConnection, packet: str) -> None:
        ack, _, body = packet[2:].partition("[")
        event, command = json.loads("[" + body)[:2]
        if event == "execute_job":
            await line.send(f'43{ack}[{{"taken":true}}]')
            result: dict[str, Any] = {
                "command_id": command["command_id"],
                "lease": command["lease"],
                "outcome": "answered",
                "status": 200,
                "content_type": "application/json",
                "body": '{"code":0}',
            }
            # The job's own number serves as that of the acknowledgement.
            number = FIRST_ACK + command["job_id"]
            await line.send(f"42{number}" + json.dumps(["job_result", result]))


async def main(url: str) -> None:
    """Connect all, stay until standard input ends."""
    loop = asyncio.get_running_loop()
    tokens = (await loop.run_in_executor(None, sys.stdin.readline)).split()
    browsers = [Browser(token) for token in tokens]
    some = asyncio.Semaphore(AT_ONCE)

    async def come(browser: Browser) -> None:
        async with some:
            await browser.connect(url)

    started = time.perf_counter()
    await asyncio.gather(*map(come, browsers))
    collect_seldom()
    print(f"connected {time.perf_counter() - started:.3f}", flush=True)
    while wanted := await loop.run_in_executor(None, sys.stdin.readline):
        while sum(len(each.acked) for each in browsers) < int(wanted):
            await asyncio.sleep(0.05)
        print(max(at for each in browsers for at in each.acked.values()), flush=True)
    acked = {
        f"{place}:{job}": at
        for place, each in enumerate(browsers)
        for job, at in each.acked.items()
    }
    refused = [each.refused for each in browsers if each.refused]
    print(json.dumps({"acked": acked, "refused": refused}), flush=True)
    await asyncio.gather(*(browser.close() for browser in browsers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
