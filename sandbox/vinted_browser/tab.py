"""A tab at Vinted: a person signs in and solves challenges there, the extension asks from there."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx

from sandbox.vinted_browser.authorities import trusted_authorities

PATIENCE_S = 60.0
LONGEST_BODY = 200_000
CSRF = re.compile(r'\\?"CSRF_TOKEN\\?":\\?"([0-9a-fA-F-]{36})')
WORD = re.compile(r'id="word">([^<]+)<')
ANSWER_GOES_TO = re.compile(r'<form id="captcha"[^>]*action="([^"]+)"')
CSRF_REFUSED = 106
Request = dict[str, Any]
"""As `Request` of docs/extension-protocol.yaml."""


@dataclass(frozen=True)
class Answer:
    """What came of a request. `status` is None where nobody answered."""

    sent: bool
    """False: nothing has left the browser."""
    status: int | None = None
    content_type: str | None = None
    retry_after: str | None = None
    body: str = ""
    detail: str | None = None

    @property
    def challenged(self) -> bool:
        """Whether it is a page for a person instead of an answer."""
        if self.status == httpx.codes.FORBIDDEN:
            html = "text/html" in (self.content_type or "")
            return html or "captcha-delivery" in self.body
        done = self.status is not None and httpx.codes.is_success(self.status)
        return done and bool(self.body.strip()) and not _is_json(self.body)

    def outcome(self) -> dict[str, Any]:
        """As the protocol's Result says it."""
        if not self.sent:
            return {"outcome": "not_sent", "detail": self.detail}
        if self.status is None:
            return {"outcome": "lost", "detail": self.detail}
        return {
            "outcome": "answered",
            "status": self.status,
            "content_type": self.content_type,
            "retry_after": self.retry_after,
            "body": self.body[:LONGEST_BODY],
            "truncated": len(self.body) > LONGEST_BODY,
            "challenged": self.challenged,
        }


class VintedTab:
    """One tab with its cookies. `url` is the site's address, such as `https://www.vinted.fr`."""

    def __init__(self, url: str) -> None:
        self.site = urlsplit(url).netloc
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_S, verify=trusted_authorities())
        self._csrf: str | None = None

    # What the person does.

    def sign_in(self, login: str, password: str) -> None:
        """Fill in the form. Raises ValueError where the site says no."""
        self._http.get("/member/login")
        form = {"login": login, "password": password, "ref_url": "/"}
        answer = self._http.post("/member/login", data=form)
        self._csrf = None
        if not answer.has_redirect_location:
            raise ValueError(f"Vinted did not let {login} in ({answer.status_code}).")

    def sign_out(self) -> None:
        """Press the button."""
        self._http.post("/member/logout", data={"csrf_token": self._token()})
        self._csrf = None

    def solve_challenge(self) -> None:
        """Type the word that the site asks for; nothing where it asks for none."""
        page = self._http.get("/", follow_redirects=True)
        word, form = WORD.search(page.text), ANSWER_GOES_TO.search(page.text)
        if word is not None and form is not None:
            self._http.post(form[1], data={"answer": unescape(word[1]), "back_to": "/"})

    def reload(self) -> None:
        """Load a page anew, which refreshes the session where that is possible."""
        self._http.get("/", follow_redirects=True)

    # What the extension does.

    def who_is_there(self) -> dict[str, Any]:
        """The session in the protocol's words."""
        answer = self.ask({"method": "GET", "path": "/api/v2/users/current"})
        if answer.challenged:
            return {"state": "challenged"}
        if answer.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return {"state": "signed_out"}
        if answer.status != httpx.codes.OK:
            return {"state": "unreachable"}
        user = json.loads(answer.body).get("user") or {}
        return {
            "state": "signed_in",
            "vinted_user_id": str(user.get("id")),
            "login": user.get("login"),
        }

    def photo(self, photo: dict[str, Any]) -> bytes:
        """The bytes of a photo. Raises ValueError in plain words, httpx.HTTPError."""
        content = (
            httpx.get(photo["url"], timeout=PATIENCE_S, verify=trusted_authorities())
            .raise_for_status()
            .content
        )
        if hashlib.sha256(content).hexdigest() != photo["sha256"]:
            raise ValueError("The photo is not the one expected.")
        return content

    def ask(
        self,
        request: Request,
        photo: bytes | None = None,
        late: Callable[[], bool] = lambda: False,
    ) -> Answer:
        """Make one request with the cookies of this tab, unless it is too `late` to send it."""
        try:
            headers = self._headers(request["method"])
        except (httpx.HTTPError, ValueError) as why:
            return Answer(sent=False, detail=str(why))
        if late():
            return Answer(sent=False, detail="It was too late to send it.")
        try:
            answer = self._http.request(
                request["method"],
                request["path"],
                params=request.get("query") or None,
                headers=headers,
                **_content(request, photo),
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as away:
            return Answer(sent=False, detail=f"Vinted cannot be reached: {away}")
        except httpx.HTTPError as lost:
            return Answer(sent=True, detail=f"No answer came: {lost!r}")
        return self._read(answer)

    def close(self) -> None:
        """Close the tab; what is under way is lost."""
        self._http.close()

    def _read(self, answer: httpx.Response) -> Answer:
        found = Answer(
            sent=True,
            status=answer.status_code,
            content_type=answer.headers.get("content-type"),
            retry_after=answer.headers.get("retry-after"),
            body=answer.text,
        )
        if answer.status_code == httpx.codes.FORBIDDEN and not found.challenged:
            self._csrf = None
        return found

    def _headers(self, method: str) -> dict[str, str]:
        headers = {"Accept": "application/json, text/plain, */*"}
        if method != "GET":
            headers |= {"X-CSRF-Token": self._token(), "Origin": str(self._http.base_url)}
        anon_id = self._http.cookies.get("anon_id")
        return {**headers, "X-Anon-Id": anon_id} if anon_id else headers

    def _token(self) -> str:
        """The token of the site's pages. Raises ValueError in plain words, httpx.HTTPError."""
        if self._csrf is None:
            page = self._http.get("/items/new", follow_redirects=True)
            found = CSRF.search(page.text)
            if found is None:
                raise ValueError("Vinted's page has no token.")
            self._csrf = found[1]
        return self._csrf


def _content(request: Request, photo: bytes | None) -> dict[str, Any]:
    if photo is not None:
        about = request["photo"]
        return {
            "data": about["fields"],
            "files": {"photo[file]": ("photo.jpg", photo, about["content_type"])},
        }
    return {} if request.get("json") is None else {"json": request["json"]}


def _is_json(body: str) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
