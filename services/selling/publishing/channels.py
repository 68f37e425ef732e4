"""What publishing must know of a channel before a job exists."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from models.selling.publishing import Channel, JobAction
from services.gateways.quotas import Quota
from services.selling.publishing.outlook import Outlook
from shared.database import TenantSession
from shared.errors import FieldProblem
from shared.money import Money


class Unit(StrEnum):
    """Of what a job has more or less, and so makes more or fewer calls."""

    LISTING = "listing"
    """Once a job, where the product has no variants."""
    GROUP = "group"
    """Once a job, where it has."""
    VARIANT = "variant"
    PACK = "pack"
    """So many variants as one call takes."""
    PHOTO = "photo"
    """One that the channel does not have yet."""
    CATEGORY = "category"
    """One whose rules the channel has not been asked for yet."""


JobSize = Mapping[Unit, int]
"""How many of each a job has to do with; what is absent is none."""

USUAL_SIZE: JobSize = {Unit.LISTING: 1, Unit.VARIANT: 1, Unit.PHOTO: 3}
"""What is assumed of a job that was not looked at: one variant with three photos."""


@dataclass(frozen=True, slots=True)
class CallCost:
    """A call that a job makes once for each of a unit, and what it counts against."""

    operation: str
    """In the channel's own words."""
    unit: Unit
    quotas: tuple[Quota, ...]


@dataclass(frozen=True, slots=True)
class Fee:
    """What a channel charges for a job that does what it should."""

    code: str
    message: str
    """When it is charged, for the seller."""
    each: Money | None
    """For one listing; None where only the channel knows."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A channel, declared as data."""

    costs: Mapping[JobAction, Sequence[CallCost]]
    """The calls of a job in which nothing goes wrong."""
    seconds_a_call: tuple[float, float] | None
    """At best and at worst: assumed of a shop whose own jobs have not been measured yet. None: the
    channel is worked on at a pace of its own, and `Preflight.outlook` says what comes of it.
    """
    fees: Mapping[JobAction, Sequence[Fee]] = field(default_factory=dict)
    """An action that is not here costs no fee."""
    shown_together: int = 1
    """Listings that one call shows when all of an account are compared."""

    def operations(self, action: JobAction, size: JobSize) -> Mapping[str, int]:
        """How often a job of this size calls what."""
        found: Counter[str] = Counter()
        for cost in self.costs.get(action, ()):
            found[cost.operation] += size.get(cost.unit, 0)
        return +found

    def quota_use(self, action: JobAction, size: JobSize) -> Counter[Quota]:
        """What a job of this size takes of each quota."""
        found: Counter[Quota] = Counter()
        for cost in self.costs.get(action, ()):
            for quota in cost.quotas:
                found[quota] += size.get(cost.unit, 0)
        return +found


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at a product found."""

    gaps: Sequence[FieldProblem] = ()
    """What must be mended first."""
    advice: Sequence[FieldProblem] = ()
    """What would serve the listing better; the channel takes it as it is."""


class Preflight(Protocol):
    """Says what a channel would refuse and what it would cost, without asking it."""

    @property
    def capabilities(self) -> Capabilities:
        """What the channel declares of itself."""
        ...

    def findings(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Findings]:
        """By product id; a product of which there is nothing to say has no entry."""
        ...

    def sizes(
        self, session: TenantSession, action: JobAction, product_ids: Sequence[int]
    ) -> Mapping[int, JobSize]:
        """How large the jobs of these products would be, in the order in which they run: what an
        earlier one brings to the channel is not counted again.
        """
        ...

    def outlook(
        self,
        session: TenantSession,
        action: JobAction,
        sizes: Sequence[JobSize],
        queued: int = 0,
    ) -> Outlook | None:
        """When jobs of these sizes would be done, `queued` of which are in the queue already; None:
        as soon as their calls are made.
        """
        ...


ChannelTable = Mapping[Channel, Preflight]
"""The channels of this installation."""
