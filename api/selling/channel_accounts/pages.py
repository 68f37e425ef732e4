"""The small pages a seller's browser sees after a marketplace's consent page."""

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse

from shared.errors import FieldProblem, StoflowError

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title} | StoFlow</title></head>
<body><h1>{title}</h1>{body}</body>
</html>
"""

_CONFIRM = """<p>The StoFlow shop of <strong>{email}</strong> wants to connect the
{marketplace} account you just agreed with, and to sell with it.</p>
<p>If this is not your StoFlow account, close this page.</p>
<form method="post" action="?{query}">
<input type="hidden" name="code" value="{code}"><button type="submit">Connect</button>
</form>"""

_CONFIRM_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

_SCRIPTED = frozenset({"cors", "same-origin"})
"""Fetch modes whose answers the asking page may read, so that it is not led through the
redirect: no marketplace lets another site read it."""


def wants_page(accept: str) -> bool:
    """Whether a browser asks for a page, rather than a program."""
    return "text/html" in accept


def sent_by_browser(headers: Mapping[str, str]) -> bool:
    """Whether a browser may have been led here: for a page, or for a picture on somebody's page."""
    mode = headers.get("sec-fetch-mode")
    return wants_page(headers.get("accept", "")) or (mode is not None and mode not in _SCRIPTED)


def confirmation_page(marketplace: str, email: str, state: str, code: str) -> HTMLResponse:
    """Ask whether the connection is meant for the shop of this account; may be asked again."""
    query = urlencode({"state": state})
    body = _CONFIRM.format(
        marketplace=marketplace, email=escape(email), query=escape(query), code=escape(code)
    )
    page = _page(200, f"Connect this {marketplace} account?", body)
    page.headers["Content-Security-Policy"] = _CONFIRM_CSP
    return page


def connected_page(marketplace: str, account: str, gaps: Sequence[FieldProblem]) -> HTMLResponse:
    """It worked; what is still to be done."""
    items = "".join(f"<li>{escape(gap.message)}</li>" for gap in gaps)
    todo = f"<p>Before you can list:</p><ul>{items}</ul>" if items else ""
    body = f"<p>Account: {escape(account)}</p>{todo}"
    return _last_page(200, f"{marketplace} is connected", body)


def refused_page(error: StoflowError) -> HTMLResponse:
    """It did not work; why."""
    return _last_page(error.status, error.title, f"<p>{escape(error.detail)}</p>")


def _last_page(status: int, title: str, body: str) -> HTMLResponse:
    return _page(status, title, f"{body}<p>You can close this page.</p>")


def _page(status: int, title: str, body: str) -> HTMLResponse:
    content = _PAGE.format(title=escape(title), body=body)
    return HTMLResponse(content, status_code=status)
