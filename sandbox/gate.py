"""What faults do to a call, whichever marketplace it is a call of."""

from starlette.types import Receive, Scope

from sandbox.faults import Fault, FaultKind
from sandbox.server import hang_up, hold

SPOILING = {
    FaultKind.HTTP_429: 429,
    FaultKind.HTTP_500: 500,
    FaultKind.HTTP_503: 503,
}


async def lost_before(fault: Fault | None, scope: Scope, receive: Receive) -> bool:
    """Commit the faults that keep the work from being done; whether one did."""
    if fault is None or fault.kind not in (FaultKind.DROP_CONNECTION, FaultKind.TIMEOUT_BEFORE):
        return False
    await hold(receive, fault.delay_s)
    await hang_up(scope, receive)
    return True


async def lost_after(fault: Fault | None, scope: Scope, receive: Receive) -> bool:
    """Withhold the answer to work that was done; whether that happened."""
    if fault is None or fault.kind not in (FaultKind.LOST_ANSWER, FaultKind.TIMEOUT_AFTER_SUCCESS):
        return False
    await hold(receive, fault.delay_s)
    await hang_up(scope, receive)
    return True


async def delay(latency_s: float, fault: Fault | None, receive: Receive) -> None:
    """The usual latency, and what a fault adds to it."""
    if fault is not None and fault.kind in (FaultKind.SLOW, *SPOILING):
        latency_s += fault.delay_s
    if latency_s > 0:
        await hold(receive, latency_s)


def spoiled_status(fault: Fault | None) -> int | None:
    """The HTTP status a fault answers with before any work is done; None when it does not."""
    return SPOILING.get(fault.kind) if fault is not None else None


def retry_after(fault: Fault | None) -> dict[str, str]:
    """The header a fault was told to send along."""
    seconds = fault.retry_after_s if fault is not None else None
    return {} if seconds is None else {"Retry-After": str(seconds)}
