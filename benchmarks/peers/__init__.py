"""Other people's software on the same tables, in an environment of its own below the data folder.

`django_shop` is a minimal django-tenants project with Django REST framework: the same
tables in each shop's schema (django keeps versions in one of its own), no sign-in.
`queues` are procrastinate and PGQueuer with jobs that do nothing.
"""

import hashlib
import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine

from backend.settings import Settings
from benchmarks.installation import empty_database_beside
from benchmarks.processes import running
from shared.database import Database

HERE = Path(__file__).parent
THREADS = 16
"""Of gunicorn's one process: one for each client. With 4 it lists as fast, with 1 more slowly."""

_INSTALL_TIMEOUT_S = 300


def installed() -> "DjangoTenants | None":
    """django-tenants, installed if need be; None, said plainly, when that cannot be done."""
    python = environment_with("peers", HERE / "requirements.txt", "django-tenants")
    return None if python is None else DjangoTenants(python)


def queue(program: str, url: str, *arguments: int) -> dict[str, Any] | None:
    """What a program of `queues` found on an empty database; None, said plainly, without it."""
    pinned = HERE / "queues" / "requirements.txt"
    python = environment_with("queues", pinned, "procrastinate and PGQueuer")
    if python is None:
        return None
    done = subprocess.run(
        [python, "-m", f"queues.{program}", *map(str, arguments)],
        env={**os.environ, "BENCH_DATABASE_URL": url},
        cwd=HERE,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def environment_with(name: str, pinned: Path, what: str) -> Path | None:
    """The Python of an environment of their own with what is pinned."""
    folder = (Settings().data_dir / "bench" / name).resolve()
    stamp, digest = folder / "installed", hashlib.sha256(pinned.read_bytes()).hexdigest()
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"Installing {what} beside us …", flush=True)
        try:
            venv.create(folder, with_pip=True, clear=True)
            command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(pinned)]
            subprocess.run(
                command, check=True, timeout=_INSTALL_TIMEOUT_S, capture_output=True, text=True
            )
        except (subprocess.SubprocessError, OSError) as error:
            said = getattr(error, "stderr", None) or str(error)
            print(f"Left out: {what} could not be installed.\n{said}", file=sys.stderr)
            return None
        stamp.write_text(digest)
    return python


@dataclass(frozen=True)
class DjangoTenants:
    """django-tenants, ready to run."""

    python: Path

    @contextmanager
    def shops(self, database: Database) -> Iterator["DjangoShops"]:
        """An installation without shops, on the server of `database`; gone at the end."""
        with empty_database_beside(database) as url:
            environment = {
                **os.environ,
                "BENCH_DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "django_shop.settings",
            }
            subprocess.run(
                [self.python, "-m", "django", "migrate_schemas", "--shared", "-v", "0"],
                env=environment,
                cwd=HERE,
                check=True,
            )
            with subprocess.Popen(
                [self.python, "-m", "django_shop.opening"],
                env=environment,
                cwd=HERE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as opening:
                yield DjangoShops(self.python, url, environment, opening)


@dataclass(frozen=True)
class DjangoShops:
    """One installation of `django_shop`."""

    python: Path
    url: str
    environment: dict[str, str]
    opening: subprocess.Popen[str]

    def open(self, name: str) -> str:
        """Open a shop as django-tenants does; returns its host name."""
        assert self.opening.stdin is not None
        assert self.opening.stdout is not None
        print(name, file=self.opening.stdin, flush=True)
        host = self.opening.stdout.readline().strip()
        if not host:
            raise RuntimeError("django-tenants could not open a shop.")
        return host

    def open_and_stock(self, numbers: range, stock: Callable[[Connection, int], None]) -> list[str]:
        """A shop for each number, filled; their host names."""
        engine = create_engine(self.url)
        hosts = []
        for number in numbers:
            hosts.append(self.open(f"shop{number}"))
            with engine.begin() as connection:
                connection.exec_driver_sql(f"SET LOCAL search_path TO shop{number}")
                stock(connection, number)
        engine.dispose()
        return hosts

    def migrate(self, to: str, executor: str = "standard") -> float:
        """Migrate all shops with django-tenants' own command; seconds, Django's start left out."""
        done = subprocess.run(
            [self.python, "-m", "django_shop.migrating", executor, to],
            env={**self.environment, "BENCH_MIGRATIONS": "django_shop.shop.next.migrations"},
            cwd=HERE,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return float(done.stdout)

    @contextmanager
    def serving(self, port: int) -> Iterator[None]:
        """One gunicorn process with threads; connections stay open."""
        command = [str(self.python), "-m", "gunicorn", "django_shop.wsgi", "--log-level", "warning"]
        command += ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
        command += ["--workers", "1", "--threads", str(THREADS), "--keep-alive", "60"]
        with running(command, port, self.environment, HERE):
            yield
