"""What PostgreSQL says unasked: a notification, or that a connection has ended."""

import select

from sqlalchemy.engine.interfaces import DBAPIConnection


def has_spoken(connection: DBAPIConnection, within_s: float = 0.0) -> bool:
    """Whether something is there to be read, or comes within that time.

    However many files are open: `select.select` takes none beyond the first thousand.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(within_s * 1000))
