"""Executes commands, one at a time: looked at with suspicion, written down, sent once."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from sandbox.vinted_browser.allowed import is_allowed
from sandbox.vinted_browser.journal import Journal
from sandbox.vinted_browser.stoflow import LeaseRefusedError, NotPairedError, StoflowAccount
from sandbox.vinted_browser.tab import Answer, VintedTab

Command = dict[str, Any]
Ack = dict[str, Any]
TAKEN: Ack = {"taken": True}


class Executor:
    """Lives from one start of the browser to its stop. Used by several threads."""

    def __init__(
        self,
        journal: Journal,
        account: StoflowAccount,
        tab: VintedTab,
        unwilling: Callable[[], tuple[str, str] | None],
        came_of_it: Callable[[Command, Answer], None],
    ) -> None:
        """`unwilling` says why nothing is executed now; `came_of_it` is told of every answer."""
        self._journal = journal
        self._account = account
        self._tab = tab
        self._unwilling = unwilling
        self._came_of_it = came_of_it
        self._taking = threading.Lock()
        self._busy: str | None = None
        self._stopped = False

    def stop(self) -> None:
        """As when a browser is killed: what is under way is answered by nobody."""
        self._stopped = True

    def take(self, command: Command) -> Ack:
        """The acknowledgement of execute_job; a refusal means that nothing was or will be done."""
        command_id = str(command.get("command_id"))
        with self._taking:
            if self._journal.find(command_id) is not None:
                self._journal.tell_again(command_id, command["lease"])
                return TAKEN
            refusal = self._refusal(command)
            if refusal is not None:
                return {"refused": refusal[0], "detail": refusal[1][:500]}
            self._busy = command_id
            self._journal.take(command_id, command["lease"])
        threading.Thread(target=self._perform, args=(command,), daemon=True).start()
        return TAKEN

    def _refusal(self, command: Command) -> tuple[str, str] | None:
        request = command["request"]
        if self._busy is not None or self._stopped:
            return "busy", "One command at a time."
        if not is_allowed(request["method"], request["path"]):
            return "not_allowed", f"{request['method']} {request['path']} is not on the list."
        if request["site"] != self._tab.site:
            return "not_allowed", f"This browser works at {self._tab.site}."
        refusal = self._unwilling() or self._bad_lease(command)
        if refusal is None and _is_late(command):
            return "expired", "The deadline has passed."
        return refusal

    def _bad_lease(self, command: Command) -> tuple[str, str] | None:
        try:
            self._account.check_lease(command)
        except LeaseRefusedError as wrong:
            return wrong.reason, str(wrong)
        except (httpx.HTTPError, NotPairedError) as away:
            return "busy", f"The lease cannot be checked now: {away!r}"
        return None

    def _perform(self, command: Command) -> None:
        answer = self._answer(command)
        if self._stopped:
            return
        self._journal.answer(command["command_id"], answer.outcome())
        self._busy = None
        self._came_of_it(command, answer)

    def _answer(self, command: Command) -> Answer:
        request = command["request"]
        try:
            wanted = request.get("photo")
            photo = self._tab.photo(wanted) if wanted else None
        except (httpx.HTTPError, ValueError) as why:
            return Answer(sent=False, detail=f"The photo could not be fetched: {why}")
        if _is_late(command) or self._stopped:
            return Answer(sent=False, detail="The deadline has passed.")
        self._journal.begin(command["command_id"])
        return self._tab.ask(request, photo, lambda: _is_late(command))


def _is_late(command: Command) -> bool:
    return datetime.fromisoformat(command["deadline"]) <= datetime.now(UTC)
