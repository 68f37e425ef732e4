"""A relay alone, in a process of its own, with two subscribers that take a moment.

python -m tests.concurrency.relay_process DATABASE_URL LEASE_SECONDS
"""

import sys
import threading
from datetime import timedelta

from backend.relay import Relay
from services.accounts.outbox import relaying
from services.accounts.outbox.relaying import OutboxRelay
from services.accounts.outbox.subscribing import Subscriptions
from shared.clock import SystemClock
from shared.database import Database, create_database_engine
from tests.fakes.subscribers import NotedDeliveries, writing

POLL = timedelta(milliseconds=50)
MOMENT_S = 0.01


def main(url: str, lease_s: float) -> None:
    """Run until killed."""
    relaying.LEASE = timedelta(seconds=lease_s)
    pause = threading.Event()

    def take_a_moment(_told: object) -> None:
        pause.wait(MOMENT_S)

    subscriptions = Subscriptions([writing("a", take_a_moment), writing("b", take_a_moment)])
    database = Database(create_database_engine(url))
    outbox = OutboxRelay(database, subscriptions, SystemClock(), NotedDeliveries())
    Relay(outbox, POLL).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
