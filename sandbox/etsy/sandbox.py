"""The sandbox Etsy as one object."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sandbox.etsy.shops import open_test_shops
from sandbox.etsy.state import App, EtsyState
from sandbox.etsy.taxonomy_data import Taxonomy
from sandbox.keeping import KeptSandbox


@dataclass(frozen=True)
class Options:
    """How a sandbox is set up."""

    app: App = field(default_factory=App)
    data_folder: Path | None = None
    """Taxonomy and properties; None means the data that comes with the sandbox."""
    state_file: Path | None = None
    latency_s: float = 0.0
    """Time each call takes before its work begins."""


class EtsySandbox(KeptSandbox[EtsyState]):
    """All that the operations work on. Touched only from the server's event loop."""

    def __init__(self, options: Options) -> None:
        super().__init__(EtsyState(), options.state_file, options.latency_s)
        self.options = options
        self.taxonomy = Taxonomy(options.data_folder)
        self.recent_calls: dict[str, deque[datetime]] = {}
        """Calls of the running second, by keystring."""
        self.state.apps[options.app.keystring] = options.app
        open_test_shops(self.state, self.clock.now())

    def reset(self) -> None:
        """Forget everything; the application it was set up with and the test sellers are there."""
        self.recent_calls.clear()
        self.begin_anew(EtsyState(apps={self.options.app.keystring: self.options.app}))
        open_test_shops(self.state, self.clock.now())
