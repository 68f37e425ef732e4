"""How a request gets to Vinted. A port: today the seller's browser, tomorrow Vinted's Pro API.

Vinted's answers differ in nothing from those that its own pages get; what they mean is said in
`errors.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class PhotoUpload:
    """A photo that goes with a request: straight from the object store, never through a socket."""

    object_key: str
    sha256: str
    content_type: str
    fields: Mapping[str, str]
    """Form fields beside the file."""


@dataclass(frozen=True, slots=True)
class VintedRequest:
    """One request to the private API of Vinted's site."""

    method: str
    path: str
    """Without query, beginning with `/`."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    photo: PhotoUpload | None = None

    @property
    def changes(self) -> bool:
        """Whether it may change something there."""
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class VintedAnswer:
    """What Vinted said, whatever it was."""

    status: int
    content_type: str
    body: str
    retry_after: str | None = None
    truncated: bool = False
    challenged: bool = False
    """Whether the browser, which sees the headers, took it for a check for a person."""
    answered_at: datetime | None = None
    """When it came, which may be long before it is read."""


class VintedTransport(Protocol):
    """Asks Vinted in a seller's name, within one job.

    The same `step` of a job is asked once: its answer is kept, also over a restart, and given again
    whenever the job goes through its steps from the top.
    """

    def ask(self, step: str, request: VintedRequest) -> VintedAnswer:
        """The answer to a step.

        Raises `AwaitingAnswer` while there is none: the job is parked and costs no thread.
        Raises `APITimeoutError` when it may have been done and nobody knows, and
        `APIConnectionError` when it was not sent; both until `again` is said.
        """
        ...

    def again(self, step: str) -> None:
        """Let the step be asked anew: its answer is used up, or it is known what became of it."""
        ...


class AwaitingAnswer(Exception):
    """Nobody has answered yet, which is no error: the job is parked until somebody has."""
