"""What this browser knows of each command. One that is known is never executed again."""

import threading
from dataclasses import dataclass
from typing import Any

STOPPED = "The browser stopped meanwhile."


@dataclass
class Entry:
    """One command: taken; perhaps begun, so that Vinted may know of it; answered; stored."""

    command_id: str
    lease: str
    begun: bool = False
    result: dict[str, Any] | None = None
    stored: bool = False
    """StoFlow has acknowledged the result."""
    asked: int = 1
    """How often StoFlow has sent it; only an acknowledgement that came afterwards counts."""


class Journal:
    """Used by several threads."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()

    def after_a_stop(self) -> None:
        """What was open when the browser stopped gets its result now."""
        for entry in self._all():
            if entry.result is None:
                outcome = "lost" if entry.begun else "not_sent"
                self.answer(entry.command_id, {"outcome": outcome, "detail": STOPPED})

    def find(self, command_id: str) -> Entry | None:
        """The command, if it is known."""
        with self._lock:
            return self._entries.get(command_id)

    def take(self, command_id: str, lease: str) -> None:
        """A command has been accepted; nothing has been sent."""
        with self._lock:
            self._entries[command_id] = Entry(command_id, lease)

    def begin(self, command_id: str) -> None:
        """From now on Vinted may know of it."""
        with self._lock:
            self._entries[command_id].begun = True

    def answer(self, command_id: str, outcome: dict[str, Any]) -> None:
        """This came of it."""
        with self._lock:
            entry = self._entries[command_id]
            entry.result = {"command_id": command_id, "lease": entry.lease, **outcome}

    def tell_again(self, command_id: str, lease: str) -> None:
        """StoFlow asks for a command again: its result goes out again, with the new lease."""
        with self._lock:
            entry = self._entries[command_id]
            entry.lease, entry.stored = lease, False
            entry.asked += 1
            if entry.result is not None:
                entry.result["lease"] = lease

    def stored(self, command_id: str, asked: int) -> None:
        """StoFlow has its result, as it was told when it had asked so often."""
        with self._lock:
            entry = self._entries[command_id]
            entry.stored = entry.asked == asked

    def holding(self) -> list[str]:
        """Commands that StoFlow waits for."""
        return [entry.command_id for entry in self._all() if not entry.stored]

    def unstored(self) -> list[tuple[dict[str, Any], int]]:
        """Results that StoFlow has not acknowledged, the oldest first, and how often it asked."""
        return [
            (dict(entry.result), entry.asked)
            for entry in self._all()
            if entry.result is not None and not entry.stored
        ]

    def _all(self) -> list[Entry]:
        with self._lock:
            return list(self._entries.values())
