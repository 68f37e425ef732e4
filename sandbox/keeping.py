"""A sandbox as one object: state, time, faults, pictures, and their keeping."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter
from starlette.applications import Starlette

from sandbox.clock import SandboxClock
from sandbox.faults import FaultBoard
from sandbox.snapshot import replace_file
from sandbox.state import SandboxState

State = TypeVar("State", bound=SandboxState)
SAVE_EVERY_S = 0.2


class KeptSandbox(Generic[State]):
    """All that operations work on. Touched only from the server's event loop.

    Raises ValueError when `state_file` exists and is not such a sandbox's state.
    """

    def __init__(self, fresh: State, state_file: Path | None, latency_s: float) -> None:
        self.latency_s = latency_s
        self.faults = FaultBoard()
        self.busy: set[str] = set()
        """Things being written right now, which a second writer must not touch."""
        self._adapter = TypeAdapter(type(fresh))
        self._file = state_file
        self._pictures: dict[str, bytes] = {}
        self._changed = asyncio.Event()
        self.state = self._remembered(fresh)
        self.clock = SandboxClock(timedelta(seconds=self.state.clock_offset_s))

    def begin_anew(self, fresh: State) -> None:
        """Forget everything: `fresh` is what is remembered from now on."""
        self.state = fresh
        self.clock.offset = timedelta(seconds=fresh.clock_offset_s)
        self.faults.clear()
        self.busy.clear()
        self._pictures.clear()
        self.changed()

    def changed(self) -> None:
        """Have the state written soon, where a state file was asked for."""
        self._changed.set()

    def advance(self, seconds: float) -> datetime:
        """Move the sandbox's time forward and remember by how much."""
        moment = self.clock.advance(seconds)
        self.state.clock_offset_s = self.clock.offset.total_seconds()
        self.changed()
        return moment

    def keep_picture(self, image_id: str, content: bytes) -> None:
        """Store a picture's bytes: in memory, or beside the state file."""
        folder = self._picture_folder()
        if folder is None:
            self._pictures[image_id] = content
        else:
            replace_file(folder / image_id, content)

    def lose_picture(self, image_id: str) -> None:
        """Forget a picture's bytes, as a host of pictures does."""
        folder = self._picture_folder()
        self._pictures.pop(image_id, None)
        if folder is not None:
            (folder / image_id).unlink(missing_ok=True)

    def picture(self, image_id: str) -> bytes | None:
        """The bytes of a picture that the state knows; `image_id` must be one of its own."""
        folder = self._picture_folder()
        if folder is None:
            return self._pictures.get(image_id)
        path = folder / image_id
        return path.read_bytes() if path.exists() else None

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Keep the state written while the application runs, and once more at its end."""
        saver = asyncio.create_task(self._save_while_running())
        try:
            yield
        finally:
            saver.cancel()
            with suppress(asyncio.CancelledError):
                await saver
            self._save()

    async def _save_while_running(self) -> None:
        """Write at most every `SAVE_EVERY_S` seconds after a change, until cancelled."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(SAVE_EVERY_S)
            self._changed.clear()
            if self._file is not None:
                content = self._adapter.dump_json(self.state)
                await asyncio.to_thread(replace_file, self._file, content)

    def _save(self) -> None:
        if self._file is not None:
            replace_file(self._file, self._adapter.dump_json(self.state, indent=1))

    def _picture_folder(self) -> Path | None:
        return None if self._file is None else self._file.with_name(self._file.name + ".pictures")

    def _remembered(self, fresh: State) -> State:
        if self._file is None or not self._file.exists():
            return fresh
        return self._adapter.validate_json(self._file.read_bytes())
