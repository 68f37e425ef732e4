"""The sandbox eBay as one object: what it keeps, its catalogue, its recent uploads."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sandbox.ebay.catalogue import Catalogue, SiteCatalogue
from sandbox.ebay.state import EbayState, Keyset
from sandbox.ebay.values import HOME, SITES
from sandbox.keeping import KeptSandbox


@dataclass(frozen=True)
class Options:
    """How a sandbox is set up."""

    keyset: Keyset = field(default_factory=Keyset)
    data_folder: Path | None = None
    """Categories, aspects and conditions; None means the data that comes with the sandbox."""
    state_file: Path | None = None
    latency_s: float = 0.0
    """Time each call takes before its work begins."""


class EbaySandbox(KeptSandbox[EbayState]):
    """All that the operations work on. Touched only from the server's event loop."""

    def __init__(self, options: Options) -> None:
        super().__init__(EbayState(), options.state_file, options.latency_s)
        self.options = options
        home = Catalogue(options.data_folder)
        self._catalogues = {
            name: home if site is HOME else SiteCatalogue(home, site)
            for name, site in SITES.items()
        }
        self.recent_uploads: dict[str, deque[datetime]] = {}
        self.state.keysets[options.keyset.client_id] = options.keyset

    def catalogue_of(self, marketplace_id: str) -> Catalogue:
        """The categories of one of `SITES`."""
        return self._catalogues[marketplace_id]

    def reset(self) -> None:
        """Forget everything but the keysets."""
        self.recent_uploads.clear()
        self.begin_anew(EbayState(keysets=self.state.keysets))
