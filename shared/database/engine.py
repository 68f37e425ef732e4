"""The engine: one pool for a process, its size chosen by whoever starts the process."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from shared.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Pool settings of one process."""

    pool_size: int = 5
    max_overflow: int = 10
    pool_timeout: timedelta = timedelta(seconds=10)
    recycle: timedelta = timedelta(hours=1)
    application_name: str = "stoflow"


def create_database_engine(url: str, options: EngineOptions | None = None) -> Engine:
    """Open a pool on `url`. `postgres://` is understood; anything but PostgreSQL is refused."""
    options = options or EngineOptions()
    parsed = make_url(_with_known_scheme(url))
    if parsed.get_backend_name() != "postgresql":
        raise Misconfigured("DATABASE_URL must point at PostgreSQL 15 or newer.")
    if not parsed.database:
        raise Misconfigured("DATABASE_URL must name a database.")
    return create_engine(
        parsed.set(drivername="postgresql+psycopg2"),
        pool_size=options.pool_size,
        max_overflow=options.max_overflow,
        pool_timeout=options.pool_timeout.total_seconds(),
        pool_recycle=int(options.recycle.total_seconds()),
        pool_pre_ping=True,
        connect_args={"application_name": options.application_name, "connect_timeout": 10},
        hide_parameters=True,
    )


def _with_known_scheme(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql{separator}{rest}" if scheme == "postgres" else url
