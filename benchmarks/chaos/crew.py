"""Worker processes that are killed without a word and replaced, as a platform does it."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_STOP_TIMEOUT_S = 40.0


class Crew:
    """So many `stoflow worker` processes at any time; `kills` counts the murdered."""

    def __init__(self, size: int, environment: Mapping[str, str], log: Path) -> None:
        self._size, self._environment, self._log = size, environment, log
        self._workers: list[subprocess.Popen[bytes]] = []
        self.kills = 0

    def __enter__(self) -> Self:
        self.replace_the_dead()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self._workers:
            try:
                worker.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def replace_the_dead(self) -> None:
        """Start as many as are missing."""
        self._workers = [worker for worker in self._workers if worker.poll() is None]
        while len(self._workers) < self._size:
            self._workers.append(self._started())

    def kill_the_oldest(self) -> None:
        """SIGKILL the worker that has been at work longest; the next one takes its place."""
        victim = self._workers.pop(0)
        victim.kill()
        victim.wait()
        self.kills += 1
        self.replace_the_dead()

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "backend.cli", "worker"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
