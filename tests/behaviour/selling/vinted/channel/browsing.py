"""A browser that takes commands from their rows, as the bridge hands them out, and is cut off."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from models.selling.publishing import MarketplaceJob
from models.selling.vinted import CommandState, VintedCommand
from repositories.selling.vinted import VintedCommandRepository
from services.gateways.vinted.transport import PhotoUpload, VintedAnswer, VintedRequest
from services.selling.publishing.answering import JobAnswers
from shared.errors import APITimeoutError
from tests.behaviour.selling.vinted.channel.conftest import Shop
from tests.fakes.vinted_transport import answered


@dataclass
class RowBrowser:
    """Does one command at a time; `perform` may be replaced to answer otherwise."""

    shop: Shop
    perform: Callable[[VintedRequest], VintedAnswer]

    def take(self) -> VintedCommand | None:
        """The next command, sent to this browser by now."""
        with self.shop.container.database.tenant(self.shop.tenant) as session:
            found = VintedCommandRepository(session).waiting()
            if found is None:
                return None
            command, _job = found
            now = self.shop.clock.now()
            command.state, command.sent_at = CommandState.SENT, now
            command.lost_at = now + timedelta(minutes=3)
            return command

    def do(self, command: VintedCommand) -> None:
        """Make the request and bring the answer; a lost one is told as lost."""
        photo = command.photo
        request = VintedRequest(
            command.method,
            command.path,
            command.query,
            command.body,
            None
            if photo is None
            else PhotoUpload(
                photo["object_key"], photo["sha256"], photo["content_type"], photo["fields"]
            ),
        )
        now = self.shop.clock.now()
        try:
            told = answered(self.perform(request), now)
        except APITimeoutError:
            told = {"state": CommandState.LOST, "lost_at": now}
        answers = JobAnswers(self.shop.clock, "bridge-1")
        with self.shop.container.database.tenant(self.shop.tenant) as session:
            job = answers.locked(session, command.job_id)
            stored = VintedCommandRepository(session).locked(command.id)
            assert job is not None
            assert stored is not None
            for name, value in told.items():
                setattr(stored, name, value)
            session.flush()
            answers.answer(session, job)

    def work(self, job_id: int, most: int = 40) -> MarketplaceJob:
        """Worker and browser in turns until the job has ended or nobody can go on."""
        for _ in range(most):
            job = self.shop.job(job_id)
            if not job.is_live:
                return job
            command = self.take()
            if command is not None:
                self.do(command)
                continue
            self.shop.clock.advance(max(timedelta(0), job.due_at - self.shop.clock.now()))
            if self.shop.turn(job.lane) is None:
                return self.shop.job(job_id)
        raise AssertionError(f"job {job_id} does not end: {self.shop.story(job_id)}")

    def steps(self, job_id: int) -> list[tuple[str, CommandState]]:
        """What the job has asked, and how that stands."""
        with self.shop.container.database.tenant(self.shop.tenant) as session:
            rows = VintedCommandRepository(session).of_job(job_id)
            return [(row.step, row.state) for row in rows]
