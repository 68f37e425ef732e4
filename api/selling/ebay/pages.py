"""The small page a seller's browser ends on after eBay's consent page."""

from html import escape

from fastapi.responses import HTMLResponse

from services.selling.ebay.account import EbayAccountView
from shared.errors import StoflowError

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title} | StoFlow</title></head>
<body><h1>{title}</h1>{body}<p>You can close this page.</p></body>
</html>
"""


def wants_page(accept: str) -> bool:
    """Whether a browser asks, rather than a program."""
    return "text/html" in accept


def connected_page(view: EbayAccountView) -> HTMLResponse:
    """It worked; what is still to be done."""
    username = view.connection.username if view.connection else ""
    items = "".join(f"<li>{escape(gap.message)}</li>" for gap in view.gaps)
    todo = f"<p>Before you can list:</p><ul>{items}</ul>" if items else ""
    return _page(200, "eBay is connected", f"<p>Account: {escape(username)}</p>{todo}")


def refused_page(error: StoflowError) -> HTMLResponse:
    """It did not work; why."""
    return _page(error.status, error.title, f"<p>{escape(error.detail)}</p>")


def _page(status: int, title: str, body: str) -> HTMLResponse:
    content = _PAGE.format(title=escape(title), body=body)
    return HTMLResponse(content, status_code=status)
