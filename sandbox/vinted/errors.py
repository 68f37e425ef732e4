"""Vinted's refusals: JSON with a code, HTML where there is nothing, a challenge for a person."""

import secrets
from collections.abc import Iterable
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.pages import html_page

DATADOME = {"x-datadome": "protected"}
CHALLENGE_PATH = "/geo.captcha-delivery.com/captcha/"
"""On the real site a host; here a path, so that a browser stays inside the sandbox."""


class VintedError(Exception):
    """A refusal: the HTTP status, the body, more headers. A body of None is an HTML page."""

    def __init__(
        self, status: int, body: dict[str, Any] | None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, headers or {}

    def response(self) -> Response:
        """The HTTP answer."""
        if self.body is None:
            title = "Page introuvable" if self.status == 404 else "Erreur"
            return HTMLResponse(html_page(title, ""), self.status, self.headers)
        return JSONResponse(self.body, self.status, self.headers)


def invalid_token() -> VintedError:
    """401: no access token, or one that has ended."""
    return VintedError(
        401,
        {
            "code": 100,
            "message": "Jeton d'authentification invalide",
            "message_code": "invalid_authentication_token",
        },
    )


def access_denied() -> VintedError:
    """403: the CSRF token is missing or wrong, or the thing is not yours."""
    return VintedError(
        403, {"code": 106, "message": "Accès refusé", "message_code": "access_denied"}
    )


def validation_error(errors: Iterable[tuple[str, str]]) -> VintedError:
    """400: the form is refused; (field, sentence) of everything that is wrong with it."""
    rows = [{"field": field, "value": sentence} for field, sentence in errors]
    return VintedError(
        400,
        {
            "code": 99,
            "message": "Certaines informations sont manquantes ou incorrectes",
            "message_code": "validation_error",
            "errors": rows,
        },
    )


def gone() -> VintedError:
    """404 with a page: it is no more, or the route is not for you."""
    return VintedError(404, None)


def captcha_url(origin: str) -> str:
    """Where a person answers the challenge."""
    cid, digest = secrets.token_urlsafe(48), secrets.token_hex(15).upper()
    return f"{origin}{CHALLENGE_PATH}?initialCid={cid}&hash={digest}&cid={cid}"


def challenged(origin: str) -> VintedError:
    """403: a person must show that they are one."""
    return VintedError(403, {"url": captcha_url(origin)}, DATADOME)
