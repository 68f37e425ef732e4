"""A line of things to do for several threads, where what did not work goes to the back."""

import heapq
import threading
from collections import deque
from collections.abc import Iterable
from time import monotonic
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class WaitingLine(Generic[Thing]):
    """Hands out each thing until it is done. A thread sleeps only when nothing else can be done."""

    def __init__(self, things: Iterable[Thing]) -> None:
        self._ready = deque(things)
        self._later: list[tuple[float, int, Thing]] = []
        self._put_back = 0
        self._in_hand = 0
        self._closed = False
        self._changed = threading.Condition()

    def take(self) -> Thing | None:
        """The next thing, waited for if need be; None when all is done or the line is closed."""
        with self._changed:
            while not self._closed:
                self._move_what_is_due()
                if self._ready:
                    self._in_hand += 1
                    return self._ready.popleft()
                if not self._in_hand and not self._later:
                    break
                self._changed.wait(self._until_next())
            return None

    def done(self) -> None:
        """A thing that was taken will not come back."""
        with self._changed:
            self._in_hand -= 1
            self._changed.notify_all()

    def put_back(self, thing: Thing, seconds: float) -> None:
        """A thing that was taken has to be tried again, but not before that long."""
        with self._changed:
            self._in_hand -= 1
            self._put_back += 1
            heapq.heappush(self._later, (monotonic() + seconds, self._put_back, thing))
            self._changed.notify_all()

    def close(self) -> None:
        """Hand out nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _move_what_is_due(self) -> None:
        while self._later and self._later[0][0] <= monotonic():
            self._ready.append(heapq.heappop(self._later)[2])

    def _until_next(self) -> float | None:
        return max(0.0, self._later[0][0] - monotonic()) if self._later else None
