"""A process of many browsers that its maker steers; see `benchmarks.extensions`."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


class Browsers:
    """The maker's end."""

    def __init__(self, process: "subprocess.Popen[str]", tokens: Sequence[Sequence[str]]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._in, self._out = process, process.stdin, process.stdout
        # One round after the other: a browser of each shop, then the next of each.
        self._in.write(" ".join(chain.from_iterable(zip(*tokens, strict=True))) + "\n")
        self._in.flush()
        self._shops = len(tokens)
        self.acked: dict[str, float] = {}
        self.refused: Sequence[str] = ()

    def connected_s(self) -> float:
        """Wait until all are there or were refused; returns how long it took."""
        return float(self._out.readline().split()[1])

    def wait_for(self, results: int) -> float:
        """Wait until so many results were stored; returns when the last was, by the clock."""
        self._in.write(f"{results}\n")
        self._in.flush()
        return float(self._out.readline())

    def end(self) -> None:
        """Have them tell what they did, and go."""
        self._in.close()
        told = json.loads(self._out.readline())
        for key, at in told["acked"].items():
            place, _, job = key.partition(":")
            self.acked[f"{int(place) % self._shops}:{job}"] = at
        self.refused = told["refused"]
        self._process.wait(30)


@contextmanager
def browsers_at(url: str, tokens: Sequence[Sequence[str]]) -> Iterator[Browsers]:
    """Many browsers of a process of their own; `tokens` of the browsers of each shop."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.extensions", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    browsers = Browsers(process, tokens)
    try:
        yield browsers
        browsers.end()
    finally:
        process.kill()
        process.wait()
