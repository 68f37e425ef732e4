"""Prepares a database with the Citus extension for shops that live on several nodes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from repositories.accounts.citus import CitusRepository, CitusStep, steps_for
from shared.database import Database, TenantSchema
from shared.errors import Conflict, Misconfigured

OLDEST_CITUS = 12
"""Schema-based sharding came with it."""


@dataclass
class Preparation:
    """What was, or would be, told to Citus."""

    done: list[CitusStep] = field(default_factory=list)
    known_before: list[CitusStep] = field(default_factory=list)
    to_move: Sequence[TenantSchema] = ()


class CitusPreparation:
    """Tells Citus of the shared tables; moves no shop. Safe to repeat and to break off."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self) -> Preparation:
        """What is to be told, whether or not Citus is there."""
        with self._database.platform() as session:
            citus = CitusRepository(session)
            here = citus.version() is not None
            steps = steps_for(self._database.name)
            known = [step for step in steps if here and citus.is_done(step)]
            moving = citus.shops_to_move(citus_is_here=here)
        return Preparation([step for step in steps if step not in known], known, moving)

    def run(self, report: Callable[[str], None] = lambda _line: None) -> Preparation:
        """Tell Citus, a transaction a step.

        Raises `Misconfigured` without Citus or with roles of shops on, `Conflict` when shared
        tables are not as Citus needs them.
        """
        self._refuse_unprepared()
        prepared = Preparation()
        for step in steps_for(self._database.name):
            with self._database.platform() as session:
                citus = CitusRepository(session)
                if citus.is_done(step):
                    prepared.known_before.append(step)
                    continue
                citus.tell(step)
            prepared.done.append(step)
            report(step.sql)
        with self._database.platform() as session:
            prepared.to_move = CitusRepository(session).shops_to_move(citus_is_here=True)
        return prepared

    def _refuse_unprepared(self) -> None:
        with self._database.platform() as session:
            citus = CitusRepository(session)
            version = citus.version()
            obstacles = citus.obstacles()
        if version is None:
            raise Misconfigured(
                "Citus is not installed in this database. On its coordinator and every node say"
                " CREATE EXTENSION citus, then run this again; --dry-run shows what it will do."
            )
        if int(version.partition(".")[0]) < OLDEST_CITUS:
            raise Misconfigured(f"Citus {version} is too old; {OLDEST_CITUS} is the oldest.")
        if self._database.tenant_roles:
            raise Misconfigured(
                "Shops' transactions must not change roles on Citus: set"
                " STOFLOW_DATABASE_TENANT_ROLES=false for every process, then run this again."
            )
        if obstacles:
            raise Conflict(f"Citus cannot take the shared tables: {'; '.join(obstacles)}.")
