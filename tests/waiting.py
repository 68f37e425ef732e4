"""Waiting for what another thread or process does."""

import threading
from collections.abc import Callable
from time import monotonic

PATIENCE_S = 60.0
"""A slow machine gets there too."""

LOOK_EVERY_S = 0.02
"""Seldom enough to leave the machine to those who are waited for."""


def until(
    holds: Callable[[], object],
    patience_s: float = PATIENCE_S,
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Look until it holds."""
    deadline, pause = monotonic() + patience_s, threading.Event()
    while not holds():
        assert monotonic() < deadline, "it did not happen"
        pause.wait(look_every_s)
