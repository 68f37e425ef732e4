"""Writes what has become of several jobs of one shop in few statements."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import ARRAY, BigInteger, Table, Update, any_, bindparam, insert, inspect, update
from sqlalchemy.orm.attributes import set_committed_value

from models.selling.publishing import JobStep, MarketplaceJob
from shared.database import TenantSession

_NEW = "new_"
"""Before a column's name: the parameter with its new value."""


class JobChanges:
    """Writes to `marketplace_jobs` and `job_steps`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def save(self, jobs: Sequence[MarketplaceJob]) -> None:
        """Write what was changed of these jobs: one statement for all that were changed alike."""
        alike: dict[str, tuple[dict[str, Any], list[MarketplaceJob]]] = {}
        for job in jobs:
            changes = _changes_of(job)
            if changes:
                alike.setdefault(repr(changes), (changes, []))[1].append(job)
        for changes, same in alike.values():
            values = {_NEW + name: value for name, value in changes.items()}
            self._session.connection().execute(
                _update_of(tuple(changes)), {"job_ids": [job.id for job in same], **values}
            )
            for job in same:
                for name, value in changes.items():
                    set_committed_value(job, name, value)

    def add_steps(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Append lines to stories, given by their columns."""
        self._session.connection().execute(_INSERT_STEPS, [dict(step) for step in steps])


_INSERT_STEPS = insert(JobStep)


@cache
def _update_of(names: tuple[str, ...]) -> Update:
    """Built once for each set of columns that change together."""
    table = cast(Table, MarketplaceJob.__table__)
    ids = bindparam("job_ids", type_=ARRAY(BigInteger))
    values = {name: bindparam(_NEW + name, type_=table.c[name].type) for name in names}
    return update(table).where(table.c.id == any_(ids)).values(values)


def _changes_of(job: MarketplaceJob) -> dict[str, Any]:
    """Its columns that differ from what the database has, by name."""
    state = inspect(job)
    before, now = state.committed_state, state.dict
    return {name: now[name] for name in sorted(before) if before[name] != now[name]}
