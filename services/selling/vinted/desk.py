"""What a job handler works with: Vinted in the seller's name, and the story that it tells.

A job goes through its steps from the top each time that its browser has answered one. What has been
answered is at hand, so that the same is told once and done once.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from services.gateways.calls import UnreadableAnswer
from services.gateways.vinted.client import VintedClient
from services.gateways.vinted.errors import VintedRefusal, VintedWantsAPerson
from services.gateways.vinted.transport import VintedAnswer, VintedTransport
from services.selling.publishing.desk import JobDesk
from services.selling.publishing.handlers import Journal, Parked
from services.selling.vinted.commands import parked
from services.selling.vinted.halting import VintedHalts
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import APITimeoutError

T = TypeVar("T")

_ASKED = "asked: "

TransportOf = Callable[[TenantSchema, int], VintedTransport]
"""The road to Vinted for one job of a shop."""


@dataclass(frozen=True, slots=True)
class JobKey:
    """Whose job it is."""

    tenant: TenantSchema
    job_id: int
    user_id: str
    """Vinted's number of the seller."""
    in_doubt: bool
    """Whether an earlier attempt broke off, so that its end is not known."""


@dataclass(frozen=True, slots=True)
class VintedWorkshop:
    """What all handlers of this room share."""

    database: Database
    transport_of: TransportOf
    halts: VintedHalts
    clock: Clock

    def desk(self, key: JobKey, journal: Journal) -> "VintedDesk":
        """A place to do one job."""
        return VintedDesk(self, key, journal)

    def parked(self) -> Parked:
        """How an attempt ends that waits for the browser."""
        return parked(self.clock)


class VintedDesk(JobDesk):
    """One attempt at one job."""

    def __init__(self, shop: VintedWorkshop, key: JobKey, journal: Journal) -> None:
        super().__init__(key.tenant, journal)
        self.shop = shop
        self.key = key
        transport = shop.transport_of(key.tenant, key.job_id)
        self.client = VintedClient(transport, self._halted, self.watch)
        if key.in_doubt and not self._is_under_way:
            # Every request is a row: what was not lost and is not done has not happened.
            journal.checkpoint("every request is accounted for", certain=True)

    def told(self, name: str) -> bool:
        """Whether the job's story has this line."""
        return name in self.journal.progress.get("told", [])

    def tell_once(self, name: str, **progress: Any) -> None:
        """A line of the story, unless it is there. Raises when the job must stop."""
        if not self.told(name):
            told = [*self.journal.progress.get("told", []), name]
            self.note(name, {"told": told, **progress})

    def deed(self, step: str, act: Callable[[str], T], look: Callable[[str], T | None]) -> T:
        """A change that is asked for once, and again only when it is proven not to have happened.

        `act` asks under the step's name; `look` finds out, under names that begin with the one it
        is given, what became of an answer that was lost: None, nothing.
        """
        return self._done(step, act, look, certain=True)

    def irrevocable(
        self, step: str, act: Callable[[str], T], look: Callable[[str], T | None], version: int
    ) -> T:
        """A deed after which cancelling comes too late, from the moment that it is asked for.

        `version` of the product is what it sends; it stays pinned until the deed is done.
        """
        asked = f"{_ASKED}{step}"
        if not self.told(asked):
            self.journal.checkpoint(f"about to ask: {step}", progress={"pinned": version})
            told = [*self.journal.progress.get("told", []), asked]
            self.journal.checkpoint(asked, progress={"told": told}, certain=False)
        try:
            return self._done(step, act, look, certain=None)
        except (VintedRefusal, VintedWantsAPerson):
            self.journal.checkpoint(f"refused: {step}", progress=self._without(step), certain=True)
            raise

    def _done(
        self,
        step: str,
        act: Callable[[str], T],
        look: Callable[[str], T | None],
        *,
        certain: bool | None,
    ) -> T:
        try:
            return act(step)
        except (APITimeoutError, UnreadableAnswer) as lost:
            if step not in self._open_losses:
                self._lose(step)
                raise APITimeoutError(lost.detail) from lost
        found = look(f"{step}, lost {self._losses[step]}")
        if found is not None:
            return found
        self.client.again(step)
        settled = {**self.journal.progress.get("settled", {}), step: self._losses[step]}
        self.journal.checkpoint(
            f"has not happened: {step}", progress={"settled": settled}, certain=certain
        )
        return act(step)

    def take_back(self, step: str, *proofs: str) -> None:
        """The deed was answered well and has not happened: it and its proofs are asked anew."""
        for each in (step, *proofs):
            self.client.again(each)
        self.journal.checkpoint(
            f"has not happened: {step}", progress=self._without(step), certain=True
        )

    def unpin(self, step: str) -> None:
        """The deed is done and proven: a later attempt sends the product as it is then."""
        self.note_too_late_to_cancel(f"done: {step}", self._without(step))

    def tell_late(self, name: str) -> None:
        """A line about what is done and cannot be cancelled any more, unless it is there."""
        if not self.told(name):
            told = [*self.journal.progress.get("told", []), name]
            self.note_too_late_to_cancel(name, {"told": told}, certain=False)

    def pinned(self, version: int) -> int:
        """The product's version that this job sends; a newer one waits until it has been sent."""
        pinned: int | None = self.journal.progress.get("pinned")
        return version if pinned is None else pinned

    def _without(self, step: str) -> dict[str, Any]:
        told = self.journal.progress.get("told", [])
        return {"told": [each for each in told if each != f"{_ASKED}{step}"], "pinned": None}

    @property
    def _is_under_way(self) -> bool:
        """Whether something was asked for of which it is not known that it did not happen."""
        told = self.journal.progress.get("told", [])
        return bool(self._open_losses) or any(each.startswith(_ASKED) for each in told)

    @property
    def _losses(self) -> dict[str, int]:
        return dict(self.journal.progress.get("lost", {}))

    @property
    def _open_losses(self) -> list[str]:
        settled = self.journal.progress.get("settled", {})
        return [step for step, count in self._losses.items() if count > settled.get(step, 0)]

    def _lose(self, step: str) -> None:
        lost = {**self._losses, step: self._losses.get(step, 0) + 1}
        self.note_too_late_to_cancel(f"no answer: {step}", {"lost": lost}, certain=False)

    def _halted(self, wanted: VintedWantsAPerson, answer: VintedAnswer) -> None:
        self.shop.halts.halt(self.key.tenant, answer.answered_at, challenged=wanted.challenged)


def without_asked(progress: Mapping[str, Any], steps: Collection[str]) -> dict[str, Any] | None:
    """A job's progress without the asking for these steps; None when something else that cannot be
    taken back was asked for.
    """
    told = progress.get("told", [])
    taken_back = {f"{_ASKED}{step}" for step in steps}
    if any(each.startswith(_ASKED) and each not in taken_back for each in told):
        return None
    return {**progress, "told": [each for each in told if each not in taken_back], "pinned": None}
