"""What an operation answers, and its HTTP form."""

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; a body of None is no body at all."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


NO_CONTENT = Answer(204)


def as_response(answer: Answer) -> Response:
    """The HTTP form; without a body there is no content type either."""
    if answer.body is None:
        return Response(status_code=answer.status, headers=answer.headers)
    return JSONResponse(answer.body, status_code=answer.status, headers=answer.headers)
