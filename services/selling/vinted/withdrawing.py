"""Takes back requests that no browser knows of."""

from models.selling.publishing import MarketplaceJob
from models.selling.vinted import CommandState
from repositories.selling.vinted import VintedCommandRepository
from services.selling.vinted.desk import without_asked
from shared.database import TenantSession


def withdraw(session: TenantSession, job: MarketplaceJob) -> bool:
    """A `services.selling.publishing.withdrawing.Withdraw`.

    Not while a browser has one of the job's requests, nor when one was lost, nor after a deed that
    cannot be taken back.
    """
    commands = VintedCommandRepository(session)
    asked = [
        locked
        for each in commands.of_job(job.id)
        if (locked := commands.locked(each.id)) is not None and not locked.asked_again
    ]
    states = {each.state for each in asked}
    waiting = [each for each in asked if each.state is CommandState.WAITING]
    progress = without_asked(job.progress, {each.step for each in waiting})
    if not waiting or progress is None or states & {CommandState.SENT, CommandState.LOST}:
        return False
    for command in waiting:
        command.state = CommandState.WITHDRAWN
    job.progress = progress
    return True
