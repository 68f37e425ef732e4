"""One run over an installation: shared schemas, template, blueprint of new shops, all shops."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from migrations.lines import PLATFORM, TENANT, Line
from migrations.rendering import SchemaStep, head_of, revisions, tenant_steps
from migrations.runner import (
    InstallationState,
    alone,
    apart_from,
    has_reached,
    make_blueprint_current,
    move_template,
    state_of,
    upgrade_platform,
)
from repositories.accounts.tenant_migrations import TenantMigrationRepository
from services.accounts.tenants.migrating import (
    MigrationReport,
    Patience,
    ShopMigrations,
    ShopMoved,
    Shops,
)
from shared.clock import Clock
from shared.database import Database, EngineOptions, TenantSchema, create_database_engine
from shared.errors import BadInput, NotFound

JOBS = 4
"""Shops at a time, unless somebody says otherwise: see docs/adr/0015."""


SHOPS_PER_CONNECTION = 500
"""After which a backend is let go of: one that migrated a shop keeps some 15 kB of it, one that
served it ten times as much."""


class Watcher(Protocol):
    """Hears how a run goes; of shops from several threads."""

    def say(self, line: str) -> None:
        """Something other than a shop is done."""

    def begins(self, shops: int) -> None:
        """So many shops are next."""

    def moved(self, shop: ShopMoved) -> None:
        """One of them is dealt with."""


class Silent:
    """Watches nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def begins(self, shops: int) -> None:
        """Nothing."""

    def moved(self, shop: ShopMoved) -> None:
        """Nothing."""


@dataclass(frozen=True)
class MigrationWish:
    """What a run is asked to do."""

    to: str | None = None
    """A revision of the tenant line; None: the newest that this version knows."""
    only: tuple[TenantSchema, ...] = ()
    """Just these shops; template and blueprint then stay where they are."""
    canaries: int = 0
    """So many shops go first, and no other when one of them fails."""
    jobs: int = JOBS
    line: Line = TENANT
    patience: Patience = field(default_factory=Patience)
    shops_per_connection: int = SHOPS_PER_CONNECTION

    @property
    def target(self) -> str:
        """The revision to reach."""
        return self.to or head_of(self.line)


@dataclass(frozen=True)
class MigrationOutcome:
    """How a run ended."""

    target: str
    since: Counter[str] = field(default_factory=Counter)
    """How many shops set out from which revision."""
    shops: MigrationReport = field(default_factory=MigrationReport)
    stopped_by_canary: bool = False
    nothing_to_do: bool = False

    def plus(self, other: "MigrationOutcome") -> "MigrationOutcome":
        """Both, one after the other."""
        since, shops = self.since + other.since, self.shops.plus(other.shops)
        return replace(self, since=since, shops=shops)


@dataclass(frozen=True)
class MigrationPlan:
    """What a run would do."""

    target: str
    platform: str | None
    platform_target: str
    blueprint: str | None
    """The revision at which new shops are made now."""
    revisions: Mapping[str, int]
    """How many shops with a schema are at which revision."""
    moving: int
    steps: tuple[SchemaStep, ...]
    """What those go through, each from its own revision on."""


class InstallationMigration:
    """Shared schemas first and alone, then the template, then canaries, then all other shops.

    New shops are made at the target as soon as the canaries are through, and only then is it
    asked which shops are left: none can appear at the old revision afterwards.
    """

    def __init__(self, database: Database, clock: Clock, wish: MigrationWish) -> None:
        self._database = database
        self._clock = clock
        self._wish = wish
        self._line = wish.line
        self._target = wish.target

    def plan(self) -> MigrationPlan:
        """Look, and change nothing. Raises as `run` does."""
        state = self._state()
        shops: Shops = ()
        counts: Mapping[str, int] = {}
        if state.blueprint is not None:
            shops = self._shops()
            with self._database.platform() as session:
                counts = TenantMigrationRepository(session, self._database).revisions()
        return MigrationPlan(
            target=self._target,
            platform=state.platform,
            platform_target=head_of(PLATFORM),
            blueprint=state.blueprint,
            revisions=counts,
            moving=len(shops),
            steps=self._steps_of(shops),
        )

    def run(self, watcher: Watcher) -> MigrationOutcome:
        """Do it. One query when there is nothing to do; waits while another run is at work.

        Raises `BadInput` for a revision that this version does not know and `NotFound` for a
        shop that does not exist, before any shop is touched.
        """
        if self._nothing_to_do(self._state()):
            return MigrationOutcome(self._target, nothing_to_do=True)
        engine = self._database.engine
        with alone(engine, watcher.say):
            upgrade_platform(engine, watcher.say)
            state = self._state()
            if self._nothing_to_do(state):
                return MigrationOutcome(self._target, nothing_to_do=True)
            if self._wish.only:
                return self._move(self._shops(), watcher)
            return self._move_all(state, watcher)

    def _move_all(self, state: InstallationState, watcher: Watcher) -> MigrationOutcome:
        engine, blueprint_moves = self._database.engine, state.blueprint != self._target
        if blueprint_moves:
            move_template(engine, self._target, self._line, watcher.say)
        canaries = self._move(self._shops()[: self._wish.canaries], watcher)
        if canaries.shops.failed:
            return replace(canaries, stopped_by_canary=True)
        if blueprint_moves:
            make_blueprint_current(engine, self._target, self._clock, self._line, watcher.say)
        return canaries.plus(self._move(self._shops(), watcher))

    def _move(self, shops: Shops, watcher: Watcher) -> MigrationOutcome:
        if not shops:
            return MigrationOutcome(self._target)
        watcher.begins(len(shops))
        with self._own_connections() as database:
            migrations = ShopMigrations(
                database,
                self._clock,
                self._way,
                jobs=self._wish.jobs,
                patience=self._wish.patience,
            )
            report = migrations.run(shops, watcher.moved)
        return MigrationOutcome(self._target, Counter(since for _, since in shops), report)

    @contextmanager
    def _own_connections(self) -> Iterator[Database]:
        """One for each job, whatever the pool of this process is made for."""
        options = EngineOptions(
            pool_size=self._wish.jobs,
            tenants_per_connection=self._wish.shops_per_connection,
            application_name="stoflow migrate",
        )
        url = self._database.engine.url.render_as_string(hide_password=False)
        engine = create_database_engine(url, options)
        try:
            yield Database(engine, tenant_roles=self._database.tenant_roles)
        finally:
            engine.dispose()

    def _state(self) -> InstallationState:
        """Where the installation is, if it can get to the target at all."""
        if self._target not in revisions(self._line):
            known = ", ".join(revisions(self._line))
            raise BadInput(f"There is no revision {self._target}. This version knows {known}.")
        state = state_of(self._database.engine, self._target, self._line)
        if self._wish.to is not None and self._is_newer(state):
            raise BadInput(
                f"New shops are made at {state.blueprint}, which this version does not know."
                " Go back with the version that knows it."
            )
        return state

    def _nothing_to_do(self, state: InstallationState) -> bool:
        if not has_reached(PLATFORM, state.platform):
            return False
        if self._wish.only:
            return not self._shops()
        if self._is_newer(state):
            return True
        return state.blueprint == self._target and not state.shops_elsewhere

    def _is_newer(self, state: InstallationState) -> bool:
        return state.blueprint is not None and state.blueprint not in revisions(self._line)

    def _shops(self) -> Shops:
        """Those that have to move."""
        only = self._wish.only
        with self._database.platform() as session:
            shops = TenantMigrationRepository(session, self._database)
            if unknown := shops.unknown(only):
                names = ", ".join(map(str, unknown))
                raise NotFound(f"There is no shop {names}; 'stoflow tenants list' shows all.")
            return shops.at(apart_from(self._target, self._line), only)

    def _way(self, since: str) -> tuple[SchemaStep, ...]:
        return tenant_steps(since, self._target, self._line)

    def _steps_of(self, shops: Shops) -> tuple[SchemaStep, ...]:
        """The ways of all shops laid on top of each other."""
        order = revisions(self._line).index
        steps = {step for since in {since for _, since in shops} for step in self._way(since)}
        up = [step for step in steps if not step.rows_first]
        down = [step for step in steps if step.rows_first]
        down.sort(key=lambda step: order(step.since), reverse=True)
        return (*sorted(up, key=lambda step: order(step.since)), *down)
