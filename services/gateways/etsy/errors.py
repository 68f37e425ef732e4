"""What Etsy's refusals mean. Etsy gives a status and a sentence: see `error_table.csv`.

A row speaks for a status when its words stand in the sentence, in any case, with `_` and `-`
read as spaces; rows without words are asked last.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from services.gateways.etsy.reading import optional_text
from shared.errors import EtsyError, FieldProblem, Remedy

_LONGEST_QUOTE = 300


class EtsyRefusal(EtsyError):
    """Etsy answered, and said no. `said` is its own sentence: for people, not to branch on."""

    code, title = "etsy-refused", "Etsy refused"

    def __init__(
        self,
        detail: str | None = None,
        *,
        http_status: int = 400,
        said: str = "",
        remedy: Remedy = Remedy.FIX_DATA,
        retry_after: float | None = None,
        fields: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(detail, remedy=remedy, retry_after=retry_after, fields=fields)
        self.http_status = http_status
        self.said = said


class EtsyGrantRefused(EtsyError):
    """The token endpoint refused; `reason` is OAuth's own word, such as `invalid_grant`."""

    code, title = "etsy-grant-refused", "Etsy did not give a token"

    def __init__(self, reason: str = "invalid_grant") -> None:
        super().__init__(
            "Etsy no longer accepts the connection. Connect the Etsy account again.",
            remedy=Remedy.RECONNECT,
            oauth_error=reason,
        )
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Entry:
    http_status: int
    words: str
    remedy: Remedy
    field: str
    sentence: str

    def speaks_for(self, http_status: int, said: str) -> bool:
        return self.http_status == http_status and self.words in said


@cache
def _table() -> Sequence[_Entry]:
    text = files(__package__).joinpath("error_table.csv").read_text(encoding="utf-8")
    entries = [
        _Entry(
            int(row["http_status"]),
            row["words"],
            Remedy(row["remedy"]),
            row["field"],
            row["sentence"],
        )
        for row in csv.DictReader(text.splitlines())
    ]
    return sorted(entries, key=lambda entry: not entry.words)


def refusal(http_status: int, body: Any, retry_after: float | None = None) -> EtsyRefusal:
    """The error that an answer other than 2xx stands for; `body` is its JSON, if it had any."""
    said = _said(body)
    folded = said.casefold().replace("_", " ").replace("-", " ")
    found = (entry for entry in _table() if entry.speaks_for(http_status, folded))
    entry = next(found, None) or _by_kind(http_status)
    return EtsyRefusal(
        _quoted(entry, said),
        http_status=http_status,
        said=said,
        remedy=entry.remedy,
        retry_after=retry_after,
        fields=_fields(entry, said, http_status),
    )


def _by_kind(http_status: int) -> _Entry:
    if http_status >= 500 or http_status < 400 or http_status == 408:
        sentence = "Etsy has a problem of its own; we try again."
        return _Entry(http_status, "", Remedy.WAIT, "", sentence)
    return _Entry(http_status, "", Remedy.FIX_DATA, "product", "Etsy does not accept a value.")


def _said(body: Any) -> str:
    both = (optional_text(body, "error"), optional_text(body, "error_description"))
    return ": ".join(part for part in both if part).strip()[:_LONGEST_QUOTE]


def _quoted(entry: _Entry, said: str) -> str:
    mendable = entry.remedy in (Remedy.FIX_DATA, Remedy.ASK_MARKETPLACE)
    return f"{entry.sentence} Etsy says: {said}" if mendable and said else entry.sentence


def _fields(entry: _Entry, said: str, http_status: int) -> Sequence[FieldProblem]:
    if not entry.field:
        return ()
    return (FieldProblem(entry.field, _quoted(entry, said), f"etsy-{http_status}"),)
