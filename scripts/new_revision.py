"""Writes a migration: the difference between the models and a database that is up to date.

    python -m scripts.new_revision tenant "Remember where stock lies"

Needs nothing but the embedded PostgreSQL; works in a database of its own and drops it. Read what
it wrote before you commit it.
"""

import re
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from alembic import command
from sqlalchemy import Connection, text

from backend.embedded import EmbeddedPostgres
from migrations.lines import PLATFORM, TENANT, Line
from migrations.rendering import head_of
from migrations.runner import migrate
from shared.database import TEMPLATE_SCHEMA, create_database_engine
from shared.database.tenant_schema import quote_identifier


class LineName(StrEnum):
    """Which schemas change."""

    PLATFORM = "platform"
    TENANT = "tenant"


_LINES = {LineName.PLATFORM: PLATFORM, LineName.TENANT: TENANT}


def new_revision(
    line: Annotated[LineName, typer.Argument(help="platform: shared schemas; tenant: shops.")],
    message: Annotated[str, typer.Argument(help="What it does, as a sentence.")],
) -> None:
    """Write the next revision of a line from what changed in the models."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres", durable=False)
        engine = create_database_engine(server.ensure_database())
        try:
            migrate(engine)
            with engine.connect() as connection:
                _write(connection, _LINES[line], message)
        finally:
            engine.dispose()
            server.stop()


def _write(connection: Connection, line: Line, message: str) -> None:
    number = int(head_of(line).rpartition("_")[2]) + 1
    seen = TEMPLATE_SCHEMA if line is TENANT else "pg_catalog"
    connection.execute(text(f"SET search_path TO {quote_identifier(seen)}"))
    # Alembic leaves out the name of the default schema, which the dialect asked for earlier.
    connection.dialect.default_schema_name = seen
    config = line.config(connection=connection)
    slug = re.sub(r"\W+", "_", message.lower()).strip("_")[:40]
    config.set_main_option("file_template", f"{number:04}_{slug}")
    written = command.revision(
        config, message.rstrip("."), autogenerate=True, rev_id=f"{line.name}_{number:04}"
    )
    assert written is not None
    assert not isinstance(written, list)
    path = Path(written.path)
    kept = [each for each in path.read_text().splitlines(keepends=True) if "# ###" not in each]
    path.write_text("".join(kept))


if __name__ == "__main__":
    typer.run(new_revision)
