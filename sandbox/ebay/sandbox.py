"""The sandbox as one object: state, time, faults, catalogue, pictures, and their keeping."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter

from sandbox.clock import SandboxClock
from sandbox.ebay.catalogue import Catalogue
from sandbox.ebay.state import EbayState, Keyset
from sandbox.faults import FaultBoard
from sandbox.snapshot import replace_file

_STATE = TypeAdapter(EbayState)
SAVE_EVERY_S = 0.2


@dataclass(frozen=True)
class Options:
    """How a sandbox is set up."""

    keyset: Keyset = field(default_factory=Keyset)
    data_folder: Path | None = None
    """Categories, aspects and conditions; None means the data that comes with the sandbox."""
    state_file: Path | None = None
    latency_s: float = 0.0
    """Time each call takes before its work begins."""


class EbaySandbox:
    """All that the operations work on. Touched only from the server's event loop."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.catalogue = Catalogue(options.data_folder)
        self.faults = FaultBoard()
        self.busy: set[str] = set()
        """Things being written right now; a second writer gets 25025."""
        self.recent_uploads: dict[str, deque[datetime]] = {}
        self._pictures: dict[str, bytes] = {}
        self._changed = asyncio.Event()
        self.state = self._remembered()
        self.clock = SandboxClock(timedelta(seconds=self.state.clock_offset_s))

    def reset(self) -> None:
        """Forget everything but the keysets."""
        keysets = self.state.keysets
        self.state = EbayState(keysets=keysets)
        self.clock.offset = timedelta(0)
        self.faults.clear()
        self.busy.clear()
        self.recent_uploads.clear()
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

    def picture(self, image_id: str) -> bytes | None:
        """A stored picture's bytes."""
        folder = self._picture_folder()
        if folder is None:
            return self._pictures.get(image_id)
        path = folder / image_id
        return path.read_bytes() if image_id in self.state.images and path.exists() else None

    async def save_while_running(self) -> None:
        """Write the state at most every `SAVE_EVERY_S` seconds after a change, until cancelled."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(SAVE_EVERY_S)
            self._changed.clear()
            if self.options.state_file is not None:
                content = _STATE.dump_json(self.state)
                await asyncio.to_thread(replace_file, self.options.state_file, content)

    def save(self) -> None:
        """Write the state now."""
        if self.options.state_file is not None:
            replace_file(self.options.state_file, _STATE.dump_json(self.state, indent=1))

    def _picture_folder(self) -> Path | None:
        file = self.options.state_file
        return None if file is None else file.with_name(file.name + ".pictures")

    def _remembered(self) -> EbayState:
        file = self.options.state_file
        state = EbayState()
        if file is not None and file.exists():
            state = _STATE.validate_json(file.read_bytes())
        state.keysets[self.options.keyset.client_id] = self.options.keyset
        return state
