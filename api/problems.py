"""The only place where an error becomes an answer: RFC 9457 `application/problem+json`.

Clients may branch on `code`, never on wording. `instance` is the request id, which is also in
the `X-Request-ID` header and in every log line of that request.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from slowapi.errors import RateLimitExceeded
from starlette.exceptions import HTTPException

from shared.database import reason_of, unavailable_in
from shared.errors import (
    BadInput,
    FieldProblem,
    Forbidden,
    MalformedRequest,
    MarketplaceError,
    NotFound,
    PayloadTooLarge,
    StoflowError,
    TooManyRequests,
    Unauthenticated,
)

MEDIA_TYPE = "application/problem+json"
MAX_FIELDS = 100
"""A file with ten thousand bad rows gets the first hundred named."""

_log = structlog.get_logger("stoflow.problems")


class MethodNotAllowed(StoflowError):
    """The address exists, but does not take this verb."""

    status, code, title = 405, "method-not-allowed", "This address does not take that method"


class UnsupportedMediaType(StoflowError):
    """The body is of a kind that this address does not read."""

    status, code, title = 415, "unsupported-media-type", "This kind of body is not read here"


_BY_STATUS: Mapping[int, type[StoflowError]] = {
    error.status: error
    for error in (
        MalformedRequest,
        Unauthenticated,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        PayloadTooLarge,
        UnsupportedMediaType,
        BadInput,
        TooManyRequests,
    )
}


class ProblemField(BaseModel):
    """One thing that is wrong."""

    field: str = Field(description="Dotted path, or a row and column of a file.")
    message: str
    code: str
    choices: list[str] = Field(description="What would be accepted, where that is a short list.")


class Problem(BaseModel):
    """What went wrong, after RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A name for the kind of problem; not meant to be opened.")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; branch on this.")
    fields: list[ProblemField]
    instance: str = Field(description="The request id.")


def problems(*errors: type[StoflowError]) -> dict[int | str, dict[str, Any]]:
    """What a route may answer when it fails, for OpenAPI."""
    by_status: dict[int | str, list[type[StoflowError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {status: _documented(kinds) for status, kinds in by_status.items()}


def problem_response(error: Exception, request_id: str) -> Response:
    """The answer to any exception. Unknown ones say nothing about their cause."""
    known, headers = _known(error)
    body = _body(known, request_id)
    headers |= _headers(known)
    return Response(
        json.dumps(body, ensure_ascii=False, default=str),
        status_code=body["status"],
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def install(app: FastAPI) -> None:
    """Answer every expected failure of the application with a problem."""
    for kind in (StoflowError, RequestValidationError, HTTPException, RateLimitExceeded):
        app.add_exception_handler(kind, _answer)


def report(error: Exception) -> None:
    """Log what an operator has to know: bugs with their traceback, refusals by the outside."""
    if isinstance(error, StoflowError):
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning(
                "request refused",
                problem=error.code,
                detail=error.detail,
                exc_info=error.__cause__,
            )
        return
    if (known := unavailable_in(error)) is not None:
        _log.warning("request refused", problem=known.code, because=reason_of(error))
    elif not isinstance(error, RequestValidationError | HTTPException):
        _log.error("unexpected error", exc_info=error)


async def _answer(request: Request, error: Exception) -> Response:
    report(error)
    return problem_response(error, request.scope.get("request_id", ""))


def _known(error: Exception) -> tuple[StoflowError, dict[str, str]]:
    match error:
        case StoflowError():
            return error, {}
        case RequestValidationError():
            return _of_validation(error.errors()), {}
        case RateLimitExceeded():
            return TooManyRequests(f"No more than {error.detail}."), {}
        case HTTPException():
            return _of_http(error), dict(error.headers or {})
        case _:
            return unavailable_in(error) or StoflowError(), {}


def _of_http(error: HTTPException) -> StoflowError:
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        return StoflowError()
    standard_phrase = HTTPStatus(error.status_code).phrase
    return kind(None if error.detail == standard_phrase else error.detail)


def _of_validation(errors: Sequence[Mapping[str, Any]]) -> StoflowError:
    if any(error["type"] == "json_invalid" for error in errors):
        return MalformedRequest("The body is not valid JSON.")
    fields = [
        FieldProblem(_path(error["loc"]), _sentence(error["msg"]), error["type"])
        for error in errors
    ]
    return BadInput(fields=fields)


def _path(location: Sequence[str | int]) -> str:
    """`("body", "variants", 0, "price")` → `variants.0.price`."""
    inner = location[1:] if location[0] in {"body", "query", "path", "header"} else location
    return ".".join(str(part) for part in inner) or str(location[0])


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def _body(error: StoflowError, request_id: str) -> dict[str, Any]:
    extra: dict[str, Any] = dict(error.extra)
    if isinstance(error, MarketplaceError):
        extra["remedy"] = error.remedy
    if len(error.fields) > MAX_FIELDS:
        extra["fields_in_total"] = len(error.fields)
    return extra | {
        "type": f"urn:stoflow:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "fields": [each.as_json() for each in error.fields[:MAX_FIELDS]],
        "instance": request_id,
    }


def _headers(error: StoflowError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    seconds = (
        error.retry_after if isinstance(error, MarketplaceError) else error.extra.get("retry_after")
    )
    if seconds is not None:
        headers["Retry-After"] = str(ceil(seconds))
    return headers


def _documented(kinds: Sequence[type[StoflowError]]) -> dict[str, Any]:
    return {
        "model": Problem,
        "description": ". ".join(dict.fromkeys(kind.title for kind in kinds)),
        "content": {
            MEDIA_TYPE: {
                "examples": {kind.code: {"value": _body(kind(), "4f0c…")} for kind in kinds}
            }
        },
    }
