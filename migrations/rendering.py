"""Renders the tenant line to SQL, once a process and direction, cut at its revisions.

The rendered list is what provisioning replays for a new shop, what a run over all shops applies to
existing ones and what brings a restored archive up to date, so all come from the same revisions.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TextIO, cast

from alembic import command
from alembic.runtime.migration import MigrationInfo
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

from migrations.lines import TENANT, Line

BASE = "base"
"""The revision of an empty schema."""

RowStep = Callable[[Connection], None]
"""Python that a revision runs on the rows of an existing shop: its `fill` or `unfill`."""

_alembic_at_work = threading.RLock()
"""Alembic speaks to revision files through module globals."""


@dataclass(frozen=True)
class SchemaScript:
    """SQL that brings a tenant schema to `revision`; statements name no schema."""

    revision: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class SchemaStep:
    """One revision, up or down: what it does to a tenant schema at `since`."""

    since: str
    until: str
    statements: tuple[str, ...]
    """They name no schema."""
    rows: RowStep | None
    rows_first: bool
    """A downgrade undoes in the opposite order."""


@cache
def revisions(line: Line) -> tuple[str, ...]:
    """All revisions of a line that this version knows, oldest first."""
    with _alembic_at_work:
        scripts = ScriptDirectory.from_config(line.config()).walk_revisions()
        return tuple(reversed([script.revision for script in scripts]))


def head_of(line: Line) -> str:
    """The newest revision of a line."""
    return revisions(line)[-1]


def tenant_steps(since: str, until: str = "head", line: Line = TENANT) -> tuple[SchemaStep, ...]:
    """The revisions between two points of the tenant line, up or down, in the order to apply them.

    Raises `ValueError` on a revision that this version does not know, and on a way to the base.
    """
    known = (BASE, *revisions(line))
    until = head_of(line) if until == "head" else until
    if not {since, until} <= set(known):
        raise ValueError(f"no way from {since} to {until}: not both are known here")
    start, end = known.index(since), known.index(until)
    if end == 0 and start > 0:
        raise ValueError("a schema is not migrated to nothing: drop it")
    if start <= end:
        return _steps(line, True)[start:end]
    ways_down = _steps(line, False)
    return ways_down[len(ways_down) - start : len(ways_down) - end]


@cache
def tenant_script(since: str = BASE, until: str = "head", line: Line = TENANT) -> SchemaScript:
    """The statements of `tenant_steps` as one list, for schemas that have no rows to fill."""
    steps = tenant_steps(since, until, line)
    revision = steps[-1].until if steps else since
    return SchemaScript(revision, tuple(each for step in steps for each in step.statements))


@cache
def _steps(line: Line, upwards: bool) -> tuple[SchemaStep, ...]:
    with _alembic_at_work:
        rendering = _Rendering()
        config = line.config(buffer=cast(TextIO, rendering), on_step=rendering.end_step)
        if upwards:
            command.upgrade(config, f"{BASE}:{head_of(line)}", sql=True)
        else:
            command.downgrade(config, f"{head_of(line)}:{BASE}", sql=True)
        return tuple(rendering.steps)


class _Rendering:
    """Receives what Alembic would print, a statement a call, and is told where a step ends."""

    def __init__(self) -> None:
        self.steps: list[SchemaStep] = []
        self._statements: list[str] = []

    def write(self, printed: str) -> None:
        lines = (line for line in printed.splitlines() if not line.startswith("--"))
        statement = "\n".join(lines).strip().removesuffix(";")
        if statement:
            self._statements.append(statement)

    def flush(self) -> None:
        """Nothing is held back."""

    def end_step(self, *, step: MigrationInfo, **_rest: Any) -> None:
        """Alembic's `on_version_apply`."""
        assert isinstance(step.up_revision, Script)
        module = step.up_revision.module
        below, above = _one_of(step.down_revision_ids), step.up_revision.revision
        up = step.is_upgrade
        self.steps.append(
            SchemaStep(
                since=below if up else above,
                until=above if up else below,
                statements=tuple(self._statements),
                rows=getattr(module, "fill" if up else "unfill", None),
                rows_first=not up,
            )
        )
        self._statements = []


def _one_of(revision_ids: Sequence[str]) -> str:
    return revision_ids[0] if revision_ids else BASE
