"""How much memory does a PostgreSQL backend take that has served 2,000 shops?

Real lists through the real sessions on one connection, retired as in production (`bounded`) and
never retired (`unbounded`), in turn for each shop. The memory is what belongs to the backend alone,
read where the server runs; shared buffers do not count. `every_table_mb` is what a backend of the
longest life would take if each of its shops used every table there is.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.answer import Answer
from benchmarks.installation import address_of, empty_installation
from benchmarks.shops import open_shops, shown
from models.base import TenantBase
from repositories.selling.catalog_pages import ProductFilter, ProductPageRepository
from shared.database import Database, EngineOptions, TenantSchema, create_database_engine

SHOPS = 2_000
LOOK_EVERY = 10
"""Shops between two looks at the backend's memory."""

_NEVER = 10**9


@dataclass
class Backend:
    """Whatever backend a pool of one connection has at the moment."""

    database: Database
    milliseconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    def list_products(self, shop: TenantSchema) -> None:
        """A shop's first page."""
        started = time.perf_counter()
        with self.database.tenant(shop) as session:
            page = ProductPageRepository(session).page(ProductFilter(), None, 50)
        self.milliseconds.append((time.perf_counter() - started) * 1000)
        if len(page) != 50:
            raise RuntimeError(f"{shop} does not list 50 products.")

    def touch_every_table(self, shop: TenantSchema) -> None:
        """One query a table."""
        with self.database.tenant(shop) as session:
            for table in TenantBase.metadata.sorted_tables:
                if table.schema is None:
                    session.execute(select(func.count()).select_from(table))

    def look(self) -> None:
        """Note what the backend takes now."""
        with self.database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            backend = int(driver.info.backend_pid)
        self.seen.add(backend)
        self.megabytes.append(private_megabytes(backend))

    def within(self, part: float) -> float:
        """The time in which this part of the lists came."""
        return round(sorted(self.milliseconds)[int(len(self.milliseconds) * part)], 3)


def measure() -> Answer:
    """Serve all shops once on each kind of connection; then every table of a few."""
    with empty_installation(durable=False) as database, ExitStack() as stack:
        shops = open_shops(database, SHOPS)
        limit = EngineOptions().tenants_per_connection
        bounded = stack.enter_context(_backend(database, limit))
        unbounded = stack.enter_context(_backend(database, _NEVER))
        for shop in shown("pages brought into memory", shops, SHOPS):
            bounded.list_products(shop)
        bounded.milliseconds.clear()
        _serve_in_turn(shops, bounded, unbounded)
        every_table = stack.enter_context(_backend(database, _NEVER))
        for shop in shops[:limit]:
            every_table.list_products(shop)
            every_table.touch_every_table(shop)
        every_table.look()
    return _answer(limit, bounded, unbounded, every_table)


def private_megabytes(backend: int) -> float:
    """The memory that is this process's own, shared buffers left out.

    Raises `RuntimeError` where it cannot be read: the server must run on this machine, and whoever
    asks must be root or the user it runs as.
    """
    try:
        lines = Path(f"/proc/{backend}/smaps").read_text().splitlines()
    except OSError as error:
        raise RuntimeError("The memory of PostgreSQL's backends cannot be read here.") from error
    kilobytes, own = 0, False
    for line in lines:
        words = line.split()
        if not words[0].endswith(":"):
            own = words[1].endswith("p")
        elif own and words[0] in {"Private_Clean:", "Private_Dirty:"}:
            kilobytes += int(words[1])
    return kilobytes / 1024


@contextmanager
def _backend(database: Database, limit: int) -> Iterator[Backend]:
    options = EngineOptions(pool_size=1, tenants_per_connection=limit)
    engine = create_database_engine(address_of(database), options)
    try:
        yield Backend(Database(engine))
    finally:
        engine.dispose()


def _serve_in_turn(shops: Sequence[TenantSchema], *backends: Backend) -> None:
    for number, shop in enumerate(shown("shops served", shops, len(shops)), start=1):
        for backend in backends:
            backend.list_products(shop)
        if number % LOOK_EVERY == 0:
            for backend in backends:
                backend.look()


def _answer(limit: int, bounded: Backend, unbounded: Backend, every_table: Backend) -> Answer:
    figures = {
        "shops": float(SHOPS),
        "shops_a_connection": float(limit),
        "connections_used": float(len(bounded.seen)),
        "bounded_mb": round(max(bounded.megabytes), 1),
        "unbounded_mb": round(max(unbounded.megabytes), 1),
        "every_table_mb": round(max(every_table.megabytes), 1),
        "bounded_p50_ms": bounded.within(0.5),
        "unbounded_p50_ms": unbounded.within(0.5),
        "bounded_p99_ms": bounded.within(0.99),
        "unbounded_p99_ms": unbounded.within(0.99),
    }
    ratios = {
        "memory_to_unbounded": round(figures["bounded_mb"] / figures["unbounded_mb"], 3),
        "p50_to_unbounded": round(figures["bounded_p50_ms"] / figures["unbounded_p50_ms"], 3),
        "p99_to_unbounded": round(figures["bounded_p99_ms"] / figures["unbounded_p99_ms"], 3),
    }
    return Answer(figures, ratios)
