"""The whole browser: a person at Vinted, the extension, and what a test may do to both."""

import threading
from typing import Any

import httpx

from sandbox.vinted_browser.executor import Command, Executor
from sandbox.vinted_browser.journal import Journal
from sandbox.vinted_browser.line import Line
from sandbox.vinted_browser.stoflow import NotPairedError, StoflowAccount
from sandbox.vinted_browser.tab import Answer, VintedTab

LOOK_AFTER_S = 1.0
"""How soon a token that ends, or a result that nobody acknowledged, is looked after."""
MOST_HELD = 100
NOT_WANTED = frozenset({"lease-refused", "command-not-found", "bad-input"})
"""Problems that the same result would meet again, however often it is told."""


class HeadlessBrowser:
    """Speaks docs/extension-protocol.yaml to StoFlow and requests of the site to Vinted.

    Pair it, have a person sign in at Vinted, and start it. Everything is done in threads.
    """

    def __init__(
        self,
        stoflow_url: str,
        vinted_url: str,
        *,
        device: str = "Browser without a window",
        transport: str = "websocket",
    ) -> None:
        self._url, self._transport = stoflow_url, transport
        self.device = device
        self.account = StoflowAccount(stoflow_url)
        self.tab = VintedTab(vinted_url)
        self.journal = Journal()
        self._paused = False
        self.status: dict[str, Any] | None = None
        """The last vinted_connection_status."""
        self.refused: dict[str, Any] | None = None
        """The problem with which StoFlow refused the last connect."""
        self.dismissed: list[str] = []
        """Events that StoFlow ended a line with."""
        self._session: dict[str, Any] = {"state": "unreachable"}
        self._line: Line | None = None
        self._executor: Executor | None = None
        self._token = ""
        self._stopping = threading.Event()
        self._work = threading.Event()
        self._to_report = False
        self._to_look = False
        self._keeper: threading.Thread | None = None

    def pair(self, code: str) -> None:
        """Type a pairing code. Raises httpx.HTTPStatusError where it is refused."""
        self.account.pair(code, self.device)

    def start(self) -> None:
        """Connect, and work from now on."""
        self.journal.after_a_stop()
        self._stopping.clear()
        self._executor = Executor(
            self.journal, self.account, self.tab, self._unwilling, self._came_of_it
        )
        self._line = Line(self._url, self._transport, self._greeting, self._handlers())
        self._keeper = threading.Thread(target=self._look_after, daemon=True)
        self._keeper.start()
        self._line.start()

    def stop(self) -> None:
        """As when the browser is killed: nothing under way is answered, the line is torn."""
        self._stopping.set()
        self._work.set()
        if self._executor is not None:
            self._executor.stop()
        if self._line is not None:
            self._line.cut(stay_away=True)
            self._line.stop()
        if self._keeper is not None:
            self._keeper.join(timeout=5)
        self._line = self._executor = self._keeper = None

    def restart(self, *, with_memory: bool = True) -> None:
        """Kill and start it; without memory it knows of no command, as after a new installation."""
        self.stop()
        if not with_memory:
            self.journal = Journal()
        self.start()

    def close(self) -> None:
        """Stop, and let go of everything."""
        self.stop()
        self.tab.close()
        self.account.close()

    def cut_off(self, *, stay_away: bool = False) -> None:
        """Tear the line to StoFlow; it is opened again at once, or at `come_back`."""
        if self._line is not None:
            self._line.cut(stay_away=stay_away)

    def come_back(self) -> None:
        """Open a line that was cut to stay away."""
        if self._line is not None:
            self._line.come_back()

    @property
    def connected(self) -> bool:
        """Whether the line to StoFlow is open."""
        return self._line is not None and self._line.is_open

    @property
    def session(self) -> dict[str, Any]:
        """How the person stands at Vinted, as the extension knows it."""
        return dict(self._session)

    @property
    def paused(self) -> bool:
        """Whether the person has pressed the button in the extension."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._paused = paused
        if not paused and self._session["state"] != "challenged":
            self._to_look = True
        self._to_report = True
        self._work.set()

    # What the person does at Vinted; the extension sees the pages load.

    def sign_in(self, login: str, password: str) -> None:
        """Sign in at Vinted. Raises ValueError where it says no."""
        self.tab.sign_in(login, password)
        self._page_loaded()

    def sign_out(self) -> None:
        """Sign out at Vinted."""
        self.tab.sign_out()
        self._page_loaded()

    def solve_challenge(self) -> None:
        """Show Vinted that there is a person."""
        self.tab.solve_challenge()
        self._page_loaded()

    def _page_loaded(self) -> None:
        self._to_look = True
        self._work.set()

    # What the extension does.

    def _greeting(self) -> dict[str, Any]:
        self._token = self.account.token()
        return {"token": self._token, "client": "extension", "device": self.device}

    def _handlers(self) -> dict[str, Any]:
        return {
            "ready": self._ready,
            "execute_job": self._execute,
            "vinted_connection_status": self._heard,
            "connect_error": self._refused,
            "auth_expired": lambda *_: self._dismissed("auth_expired"),
            "signed_out": lambda *_: self._dismissed("signed_out"),
            "shop_closed": lambda *_: self._dismissed("shop_closed"),
            "evicted": lambda *_: self._dismissed("evicted"),
        }

    def _ready(self, _ready: Any) -> None:
        self.refused = None
        self._to_look = self._to_look or self._session["state"] != "challenged"
        self._to_report = True
        self._work.set()

    def _execute(self, command: Command) -> dict[str, Any]:
        executor = self._executor
        if executor is None:
            return {"refused": "busy", "detail": "The browser is closing."}
        ack = executor.take(command)
        self._work.set()
        return ack

    def _heard(self, status: Any) -> None:
        if isinstance(status, dict) and "state" in status:
            self.status = status

    def _refused(self, why: Any = None) -> None:
        problem = why.get("data") if isinstance(why, dict) else None
        self.refused = problem if isinstance(problem, dict) else {"detail": str(why)}
        if self.refused.get("code") == "signed-out":
            self.account.forget()
        elif self.refused.get("code") == "unauthenticated":
            self.account.distrust()

    def _dismissed(self, event: str) -> None:
        self.dismissed.append(event)
        if event == "auth_expired":
            self.account.distrust()
        elif event == "signed_out":
            self.account.forget()

    def _unwilling(self) -> tuple[str, str] | None:
        if self._paused:
            return "paused", "The seller has paused this browser."
        if self._session["state"] in ("challenged", "signed_out"):
            return "no_session", f"At Vinted the seller is {self._session['state']}."
        return None

    def _came_of_it(self, command: Command, answer: Answer) -> None:
        if answer.challenged:
            self._session = {**self._session, "state": "challenged"}
            self._tell_challenge(command, answer)
        elif answer.status == httpx.codes.UNAUTHORIZED:
            self._to_look = True
        self._work.set()

    def _tell_challenge(self, command: Command, answer: Answer) -> None:
        if self._line is not None:
            message = {
                "command_id": command["command_id"],
                "site": self.tab.site,
                "status": answer.status,
            }
            self._heard(self._line.call("datadome_detected", message))

    def _look_after(self) -> None:
        """Look at Vinted, report, bring tokens, send results: until the browser stops."""
        while not self._stopping.is_set():
            self._work.wait(LOOK_AFTER_S)
            self._work.clear()
            if self._to_look and not self._paused:
                self._to_look = False
                self._look()
            if self._line is not None and self._line.is_open:
                self._bring_token()
                self._report()
                self._deliver()

    def _look(self) -> None:
        found = self.tab.who_is_there()
        if found["state"] == "signed_out":
            # The access token may have ended, which loading a page mends.
            self.tab.reload()
            found = self.tab.who_is_there()
        self._session = found
        self._to_report = True

    def _report(self) -> None:
        if not self._to_report or self._line is None:
            return
        self._to_report = False
        update = {
            **self._session,
            **({"state": "paused"} if self._paused else {}),
            "site": self.tab.site,
            "holding": self.journal.holding()[-MOST_HELD:],
        }
        status = self._line.call("vinted_session_update", update)
        if not isinstance(status, dict) or "problem" in status:
            self._to_report = True
        self._heard(status)

    def _bring_token(self) -> None:
        try:
            token = self.account.token()
        except (httpx.HTTPError, NotPairedError):
            return
        if token != self._token and self._line is not None:
            self._token = token
            answer = self._line.call("authenticate", {"token": token})
            if isinstance(answer, dict) and "problem" in answer:
                self._line.cut()

    def _deliver(self) -> None:
        """Send every result that StoFlow has not acknowledged."""
        for result, asked in self.journal.unstored():
            if self._stopping.is_set() or self._line is None:
                return
            answer = self._line.call("job_result", result)
            if isinstance(answer, dict) and _is_done_with(answer):
                self.journal.stored(result["command_id"], asked)


def _is_done_with(answer: dict[str, Any]) -> bool:
    """Whether a result need not be told again."""
    return answer.get("stored") is True or answer.get("problem", {}).get("code") in NOT_WANTED
