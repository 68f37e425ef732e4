"""The sandbox's own time, which can be moved forward."""

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Real UTC time plus an offset, so that a test may let tokens expire at once."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """The sandbox's present moment, aware, UTC."""
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> datetime:
        """Move time forward by `seconds` and return the new moment."""
        self.offset += timedelta(seconds=seconds)
        return self.now()


def wire_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as eBay writes times."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    )
