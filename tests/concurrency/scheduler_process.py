"""A worker's scheduler alone, in a process of its own, with one fast tick that counts its runs.

python -m tests.concurrency.scheduler_process DATABASE_URL LEASE_SECONDS
"""

import sys
import threading
from datetime import timedelta

from prometheus_client import CollectorRegistry
from sqlalchemy import text

from backend.metrics import Meters
from backend.scheduler import Scheduler, worker_name
from services.accounts.schedule.running import TickRunner
from services.accounts.schedule.ticks import Did, Tick, Turn
from shared.clock import SystemClock
from shared.database import Database, create_database_engine
from shared.database.leadership import Leadership

EVERY = timedelta(seconds=0.2)


def main(url: str, lease_s: float) -> None:
    """Run until killed."""
    database, lease = Database(create_database_engine(url)), timedelta(seconds=lease_s)

    def count(_turn: Turn) -> Did:
        with database.platform() as session:
            session.execute(
                text("INSERT INTO counted.runs (runner) VALUES (:runner)"),
                {"runner": worker_name()},
            )
        return Did("counted")

    meters = Meters(CollectorRegistry())
    Scheduler(
        Leadership(database.engine, worker_name(), lease),
        [Tick("count", EVERY, count, "count")],
        TickRunner(database, SystemClock(), worker_name(), meters),
        meters,
        lease,
    ).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
