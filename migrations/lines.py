"""What distinguishes the two migration lines."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alembic.config import Config
from sqlalchemy import MetaData

from models.base import VERSION_TABLE
from models.registry import PLATFORM_METADATA, TENANT_METADATA

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Line:
    """One chain of revisions with its own version table."""

    name: str
    metadata: MetaData
    version_table: str
    version_schema: str | None
    """None: wherever the search_path points."""
    schemas: frozenset[str] | None
    further_folders: tuple[Path, ...] = ()
    """Where revisions beyond those of the product lie."""

    def continued_in(self, folder: Path) -> "Line":
        """The same line with the revisions of one more folder."""
        return replace(self, further_folders=(*self.further_folders, folder))

    def config(self, **attributes: Any) -> Config:
        """An Alembic configuration without any ini file."""
        config = Config()
        config.set_main_option("script_location", str(_FOLDER))
        folders = (_FOLDER / self.name / "versions", *self.further_folders)
        config.set_main_option("version_locations", os.pathsep.join(map(str, folders)))
        config.set_main_option("path_separator", "os")
        config.attributes["line"] = self
        config.attributes.update(attributes)
        return config

    def includes(self, name: str | None, kind: str, _parents: Any) -> bool:
        """Whether autogenerate looks at this object."""
        if kind == "schema" and self.schemas is not None:
            return name in self.schemas
        return name != self.version_table


PLATFORM = Line(
    name="platform",
    metadata=PLATFORM_METADATA,
    version_table="platform_schema_version",
    version_schema="public",
    schemas=frozenset({"public", "product_attributes"}),
)

TENANT = Line(
    name="tenant",
    metadata=TENANT_METADATA,
    version_table=VERSION_TABLE,
    version_schema=None,
    schemas=None,
)
