"""What Vinted's refusals mean: see `error_table.csv`, and for what asks for a person, below.

403 has three meanings: a challenge for a person, a form without its token or somebody else's item,
and an item of one's own that is sold. A page where JSON was asked for is a block, also with the
status of a good answer.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from services.gateways.calls import UnreadableAnswer, retry_after_seconds
from services.gateways.vinted.reading import number, rows, text
from services.gateways.vinted.transport import VintedAnswer, VintedRequest
from shared.errors import APITimeoutError, FieldProblem, Remedy, VintedError

_LONGEST_QUOTE = 300
_VALIDATION = 99
_MAY_BE_DONE = frozenset({500, 502, 504})
_CHALLENGE_MARK = "captcha-delivery"


class VintedRefusal(VintedError):
    """Vinted answered, and said no. `said` is its own sentence, in the language of its site."""

    code, title = "vinted-refused", "Vinted refused"

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


class VintedWantsAPerson(VintedError):
    """Nothing goes on before somebody has been there: to sign in, or to show that they can."""

    code, title = "vinted-wants-a-person", "Vinted asks for you"

    def __init__(self, *, challenged: bool) -> None:
        what = "shows a check that you are a person" if challenged else "asks you to sign in again"
        super().__init__(
            f"Vinted {what}. Open it in the browser that has the extension.",
            remedy=Remedy.RECONNECT,
        )
        self.challenged = challenged


class AnswerTooLong(UnreadableAnswer):
    """The browser passed on the beginning of an answer: the same request would bring no more."""

    code, title = "vinted-answer-too-long", "Vinted's answer is too long to be passed on"

    def __init__(self) -> None:
        super().__init__("Vinted's answer is longer than the extension passes on.")


@dataclass(frozen=True, slots=True)
class _Entry:
    http_status: int
    message_code: str
    said_of: str
    remedy: Remedy
    field: str
    sentence: str


@cache
def _table() -> Sequence[_Entry]:
    text_of = files(__package__).joinpath("error_table.csv").read_text(encoding="utf-8")
    return [
        _Entry(
            int(row["http_status"]),
            row["message_code"],
            row["said_of"],
            Remedy(row["remedy"]),
            row["field"],
            row["sentence"],
        )
        for row in csv.DictReader(text_of.splitlines())
    ]


def understood(request: VintedRequest, answer: VintedAnswer) -> Any:
    """The JSON of a good answer.

    Raises `VintedRefusal`; `AnswerTooLong`, of what changes nothing; `VintedWantsAPerson`, when
    nothing was done for certain; and, of what may have been done, `APITimeoutError`.
    """
    body, is_json = _json_of(answer)
    if answer.status == 401 or _is_challenge(answer):
        raise VintedWantsAPerson(challenged=answer.status != 401)
    if 200 <= answer.status < 300:
        return _good(request, answer, body, is_json=is_json)
    if request.changes and answer.status in _MAY_BE_DONE:
        raise APITimeoutError("Vinted had a problem of its own; what became of it is looked up.")
    raise _refusal(answer, body)


def _good(request: VintedRequest, answer: VintedAnswer, body: Any, *, is_json: bool) -> Any:
    if is_json or not answer.body.strip():
        return body
    if request.changes:
        raise APITimeoutError("Vinted's answer could not be read; what became of it is looked up.")
    if answer.truncated:
        raise AnswerTooLong
    raise VintedWantsAPerson(challenged=True)


def _is_challenge(answer: VintedAnswer) -> bool:
    """As extension/page.js has it, which also sees a check's headers and says so."""
    if answer.status != 403:
        return False
    return answer.challenged or "text/html" in answer.content_type or _CHALLENGE_MARK in answer.body


def _refusal(answer: VintedAnswer, body: Any) -> VintedRefusal:
    said = (text(body, "message") or "")[:_LONGEST_QUOTE]
    entry = _entry(answer.status, text(body, "message_code") or "")
    fields = list(_fields(body)) if number(body, "code") == _VALIDATION else []
    if not fields and entry.field:
        fields = [FieldProblem(entry.field, entry.sentence, f"vinted-{answer.status}")]
    first = fields[0].message if fields else entry.sentence
    return VintedRefusal(
        first if len(fields) < 2 else f"{first} And {len(fields) - 1} more.",
        http_status=answer.status,
        said=said,
        remedy=entry.remedy,
        retry_after=retry_after_seconds({"retry-after": answer.retry_after or ""}),
        fields=fields,
    )


def _entry(http_status: int, message_code: str, said_of: str = "") -> _Entry:
    for each in _table():
        speaks = (each.http_status, each.said_of) == (http_status, said_of)
        if speaks and each.message_code in ("", message_code):
            return each
    if http_status >= 500 or http_status < 400 or http_status == 408:
        sentence = "Vinted has a problem of its own; we try again."
        return _Entry(http_status, "", "", Remedy.WAIT, "", sentence)
    sentence = "Vinted does not accept a value."
    return _Entry(http_status, "", "", Remedy.FIX_DATA, "product", sentence)


def _fields(body: Any) -> Iterator[FieldProblem]:
    """What the form was refused for: known fields by our names, others under Vinted's own."""
    known = {each.said_of: each for each in _table() if each.said_of}
    for row in rows(body, "errors"):
        name = text(row, "field") or ""
        said = (text(row, "value") or "")[:_LONGEST_QUOTE]
        entry = known.get(name)
        sentence = entry.sentence if entry else f"Vinted does not accept “{name}”."
        yield FieldProblem(
            entry.field if entry else f"attributes.{name}" if name else "product",
            f"{sentence} Vinted says: {said}" if said else sentence,
            "vinted-99",
        )


def _json_of(answer: VintedAnswer) -> tuple[Any, bool]:
    try:
        return json.loads(answer.body), True
    except ValueError:
        return None, False
