"""A shop in a file that a person can read and another installation can take."""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from services.accounts.tenants.archives.manifest import Manifest, Progress, Purpose, silent
from services.accounts.tenants.archives.snapshot import ShopSnapshots
from shared.database import TenantSchema
from shared.errors import BadInput


class PlaceTaken(BadInput):
    """There is a file already."""

    code, title = "place-taken", "There is a file of this name already"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    tenant: TenantSchema
    file: Path
    bytes: int
    manifest: Manifest


class Exporting:
    """Writes exports; the shop goes on working meanwhile."""

    def __init__(self, snapshots: ShopSnapshots) -> None:
        self._snapshots = snapshots

    def export(self, tenant: TenantSchema, to: Path, progress: Progress = silent) -> Exported:
        """Write the file, whole or not at all.

        Raises `PlaceTaken`, `BadInput` without a folder to write to, and what snapshots raise.
        """
        if to.exists():
            raise PlaceTaken(f"{to} exists; name another file.")
        if not os.access(to.parent, os.W_OK | os.X_OK):
            raise BadInput(f"{to.parent} is no folder that can be written to.")
        with TemporaryDirectory(dir=to.parent, prefix=".stoflow-export-") as folder:
            file = Path(folder) / "shop.zip"
            manifest = self._snapshots.write(tenant, file, Purpose.EXPORT, progress)
            file.rename(to)
        return Exported(tenant, to, to.stat().st_size, manifest)
