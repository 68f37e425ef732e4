"""The shop's account at Vinted, commands for its owner's browser, choices for single products."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    DateTime,
    String,
    Table,
    Uuid,
    bindparam,
    delete,
    false,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from models.accounts.stopped_channels import StoppedChannel
from models.accounts.tenants import Lane
from models.selling.catalog import ProductImage
from models.selling.publishing import (
    LIVE_STATUSES,
    Channel,
    JobAction,
    JobBatch,
    JobStatus,
    MarketplaceJob,
)
from models.selling.vinted import (
    CommandState,
    VintedAccount,
    VintedCommand,
    VintedProductChoice,
)
from shared.database import TenantSession

_THE_ONE = 1


@dataclass(frozen=True, slots=True)
class AccountOutlook:
    """What decides whether anything may be sent now."""

    account: VintedAccount
    stopped: bool
    """By the operator, for all shops."""
    busy_until: datetime | None
    """When nobody waits any more for the answer that is due first; None: none is due."""


# Statements that each command needs are built once: building costs more than PostgreSQL's answer.
_MOMENT = bindparam("moment", type_=DateTime(timezone=True))
_COMMAND_ID = bindparam("command_id", type_=Uuid)
_READ_ANEW = {"populate_existing": True}

_STOPPED = select(StoppedChannel).where(StoppedChannel.channel == Channel.VINTED).exists()
_BUSY_UNTIL = (
    select(func.min(VintedCommand.lost_at))
    .where(VintedCommand.state == CommandState.SENT, VintedCommand.lost_at > _MOMENT)
    .scalar_subquery()
)
_OUTLOOK = select(VintedAccount, _STOPPED, _BUSY_UNTIL).execution_options(**_READ_ANEW)

_KEEP_PLACE = (
    update(VintedAccount)
    .where(VintedAccount.executor == bindparam("socket", type_=String))
    .values(executor_until=_MOMENT)
    .returning(VintedAccount.id)
    .execution_options(synchronize_session=False)
)


class VintedAccountRepository:
    """The one row of `vinted_accounts`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def get(self) -> VintedAccount | None:
        """The account, whatever its state."""
        return self._session.get(VintedAccount, _THE_ONE)

    def locked(self) -> VintedAccount | None:
        """The account, locked until the commit and read anew."""
        return self._session.scalar(
            select(VintedAccount).with_for_update().execution_options(populate_existing=True)
        )

    def outlook(self, now: datetime) -> AccountOutlook | None:
        """The account, read anew, and what else decides; None without an account."""
        row = self._session.execute(_OUTLOOK, {"moment": now}).one_or_none()
        return None if row is None else AccountOutlook(*row)

    def set_next_at(self, next_at: datetime | None) -> None:
        """Say when pacing allows the next command."""
        self._session.execute(update(VintedAccount).values(next_at=next_at))

    def keep_place(self, executor: str, until: datetime) -> bool:
        """Let this socket execute until then; False when it has no place."""
        kept = self._session.scalar(_KEEP_PLACE, {"socket": executor, "moment": until})
        return kept is not None

    def add_unless_there(self, values: Mapping[str, Any]) -> bool:
        """Store the account; False, changing nothing, when there is one."""
        added = self._session.scalar(
            insert(VintedAccount)
            .values(id=_THE_ONE, **values)
            .on_conflict_do_nothing()
            .returning(VintedAccount.id)
        )
        return added is not None


_WITH_JOB = (
    select(MarketplaceJob, VintedCommand)
    .join(VintedCommand, VintedCommand.job_id == MarketplaceJob.id)
    .where(VintedCommand.id == _COMMAND_ID)
    .with_for_update(of=[MarketplaceJob, VintedCommand])
    .execution_options(**_READ_ANEW)
)
_TO_SEND = (
    select(MarketplaceJob, VintedAccount, VintedCommand)
    .join(VintedCommand, VintedCommand.job_id == MarketplaceJob.id)
    .join(VintedAccount, true())
    .where(VintedCommand.id == _COMMAND_ID)
    .with_for_update(of=[MarketplaceJob, VintedAccount, VintedCommand])
    .execution_options(**_READ_ANEW)
)
_LATEST = (
    select(VintedCommand)
    .where(
        VintedCommand.job_id == bindparam("job_id", type_=BigInteger),
        VintedCommand.step == bindparam("step_", type_=String),
    )
    .order_by(VintedCommand.round.desc())
    .limit(1)
    .with_for_update()
    .execution_options(**_READ_ANEW)
)
_WAITING = (
    select(VintedCommand, MarketplaceJob)
    .join(MarketplaceJob, MarketplaceJob.id == VintedCommand.job_id)
    .where(
        VintedCommand.state == CommandState.WAITING,
        MarketplaceJob.status == JobStatus.PARKED,
    )
    .order_by(MarketplaceJob.lane != Lane.REALTIME, MarketplaceJob.priority, MarketplaceJob.id)
    .limit(1)
)

_COMMANDS = cast(Table, VintedCommand.__table__)
_GIVEN = ("id", "job_id", "step", "round", "method", "path", "query", "body", "photo", "created_at")
_ADD = (
    insert(_COMMANDS)
    .from_select(
        ["site", "state", "asked_again", "truncated", "challenged", *_GIVEN],
        select(
            VintedAccount.site,
            literal(CommandState.WAITING, _COMMANDS.c.state.type),
            false(),
            false(),
            false(),
            *(bindparam(f"new_{name}", type_=_COMMANDS.c[name].type) for name in _GIVEN),
        ),
    )
    .returning(_COMMANDS.c.id)
)

_BEGUN = (CommandState.SENT, CommandState.ANSWERED, CommandState.LOST)


@dataclass(frozen=True, slots=True)
class JobsInFront:
    """Jobs that are alike."""

    action: JobAction
    photos: int
    """Of the product."""
    sent: int
    """Requests that each has made."""
    waiting: int
    """Requests of each that wait for the browser."""
    jobs: int


class VintedCommandRepository:
    """Rows of `vinted_commands`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def get(self, command_id: uuid.UUID) -> VintedCommand | None:
        """One command."""
        return self._session.get(VintedCommand, command_id)

    def locked(self, command_id: uuid.UUID) -> VintedCommand | None:
        """One command, locked and read anew. Lock its job before it."""
        return self._session.scalar(
            select(VintedCommand)
            .where(VintedCommand.id == command_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def locked_with_job(self, command_id: uuid.UUID) -> tuple[MarketplaceJob, VintedCommand] | None:
        """Its job and the command, locked in this order and read anew."""
        row = self._session.execute(_WITH_JOB, {"command_id": command_id}).one_or_none()
        return None if row is None else (row[0], row[1])

    def locked_to_send(
        self, command_id: uuid.UUID
    ) -> tuple[MarketplaceJob, VintedAccount, VintedCommand] | None:
        """Its job, the account and the command, locked in this order and read anew."""
        row = self._session.execute(_TO_SEND, {"command_id": command_id}).one_or_none()
        return None if row is None else (row[0], row[1], row[2])

    def latest(self, job_id: int, step: str) -> VintedCommand | None:
        """The last time that a job asked for a step, locked."""
        return self._session.scalar(_LATEST, {"job_id": job_id, "step_": step})

    def of_job(self, job_id: int) -> Sequence[VintedCommand]:
        """All that a job has asked, in order."""
        return self._session.scalars(
            select(VintedCommand)
            .where(VintedCommand.job_id == job_id)
            .order_by(VintedCommand.created_at, VintedCommand.round, VintedCommand.step)
        ).all()

    def add(self, values: Mapping[str, Any]) -> bool:
        """Store a new command for the account's site, which is not among its `values`; False,
        changing nothing, without an account.
        """
        given = {f"new_{name}": value for name, value in values.items()}
        return self._session.connection().scalar(_ADD, given) is not None

    def waiting(self) -> tuple[VintedCommand, MarketplaceJob] | None:
        """The next command to send, and its parked job; both unlocked.

        Realtime work first, then by priority and in the order in which sellers asked.
        """
        row = self._session.execute(_WAITING).one_or_none()
        return None if row is None else (row[0], row[1])

    def under_way(self) -> Sequence[VintedCommand]:
        """Those that were sent and not answered, the oldest first."""
        return self._session.scalars(
            select(VintedCommand)
            .where(VintedCommand.state == CommandState.SENT)
            .order_by(VintedCommand.sent_at)
        ).all()

    def sent_since(self, moment: datetime) -> Sequence[tuple[datetime, str, str]]:
        """When which requests (method, path) were sent since, oldest first."""
        rows = self._session.execute(
            select(VintedCommand.sent_at, VintedCommand.method, VintedCommand.path)
            .where(VintedCommand.sent_at >= moment)
            .order_by(VintedCommand.sent_at)
        )
        return [(sent_at, method, path) for sent_at, method, path in rows if sent_at is not None]

    def in_front(self, *, urgent: bool, priority: int) -> Sequence[JobsInFront]:
        """What goes before work that is asked for now at this priority: of `urgent` work only what
        is urgent too. Jobs of paused batches that do not run wait for nobody.
        """
        job = MarketplaceJob
        photos = select(func.count()).where(ProductImage.product_id == job.product_id)
        own = select(func.count()).where(VintedCommand.job_id == job.id)
        begun = own.where(VintedCommand.state.in_(_BEGUN)).scalar_subquery()
        waiting = own.where(VintedCommand.state == CommandState.WAITING).scalar_subquery()
        kind = (job.action, photos.scalar_subquery(), begun, waiting)
        paused = select(JobBatch.id).where(JobBatch.paused_at.is_not(None))
        held = (job.status == JobStatus.PENDING) & job.batch_id.in_(paused)
        goes_first = job.lane == Lane.REALTIME
        if not urgent:
            goes_first |= job.priority <= priority
        each = (
            select(*(column.label(name) for name, column in zip("abcd", kind, strict=True)))
            .where(
                job.channel == Channel.VINTED,
                job.status.in_(LIVE_STATUSES),
                held.is_not(True),
                goes_first,
            )
            .subquery()
        )
        rows = self._session.execute(select(each, func.count()).group_by(*each.c))
        return [JobsInFront(*row) for row in rows]

    def live_jobs(self) -> int:
        """How many jobs on Vinted have not ended."""
        live = (MarketplaceJob.channel == Channel.VINTED, MarketplaceJob.status.in_(LIVE_STATUSES))
        return self._session.scalar(select(func.count()).where(*live)) or 0

    def forget_ended_before(self, moment: datetime) -> int:
        """Delete what was asked before a moment by jobs that have ended; returns how much."""
        live = select(MarketplaceJob.id).where(MarketplaceJob.status.in_(LIVE_STATUSES))
        gone = self._session.scalars(
            delete(VintedCommand)
            .where(VintedCommand.created_at < moment, VintedCommand.job_id.not_in(live))
            .returning(VintedCommand.id)
        )
        return len(gone.all())

    def number_waiting(self) -> int:
        """How many commands no browser knows of yet."""
        return (
            self._session.scalar(
                select(func.count()).where(VintedCommand.state == CommandState.WAITING)
            )
            or 0
        )


class VintedChoiceRepository:
    """Rows of `vinted_product_choices`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def by_products(self, product_ids: Collection[int]) -> dict[int, VintedProductChoice]:
        """Choices by product id; most products have none."""
        rows = self._session.scalars(
            select(VintedProductChoice).where(VintedProductChoice.product_id.in_(product_ids))
        )
        return {choice.product_id: choice for choice in rows}

    def put(self, product_id: int, values: Mapping[str, Any]) -> None:
        """Set the choice for a product."""
        statement = insert(VintedProductChoice).values(product_id=product_id, **values)
        changed = {name: statement.excluded[name] for name in values}
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[VintedProductChoice.product_id], set_=changed
            )
        )
