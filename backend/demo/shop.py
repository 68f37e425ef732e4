"""A seller at work: everything over the public API, as a dashboard would do it."""

import time
from collections.abc import Callable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

from shared.errors import StoflowError

BATCH_TIMEOUT_S = 600.0


class ShopError(StoflowError):
    """The API answered something that the demo did not expect."""

    code, title = "demo-api-refused", "The API refused a step of the demo"


class Shop:
    """One signed-in seller."""

    def __init__(self, api: str, email: str, password: str) -> None:
        self._http = httpx.Client(base_url=api, timeout=60)
        tokens = self.call(
            "POST", "/api/v1/auth/token", data={"username": email, "password": password}
        )
        self._http.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    @property
    def authorization(self) -> str:
        """The header that signs the seller in."""
        return self._http.headers["Authorization"]

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The decoded answer. Raises `ShopError` with the problem's own words."""
        answer = self._http.request(method, path, **options)
        if answer.is_error:
            raise ShopError(f"{method} {path}: {_words_of(answer)}")
        return answer.json() if answer.content else None

    def seen(self, path: str) -> Any:
        """What is there, or None where nothing is."""
        answer = self._http.get(path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return answer.raise_for_status().json()

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """All items of a list."""
        cursor = None
        while True:
            found = self.call(
                "GET", path, params={**query, **({"cursor": cursor} if cursor else {})}
            )
            yield from found["items"]
            cursor = found["next_cursor"]
            if cursor is None:
                return

    def connect(self, channel: str, user: str) -> Any:
        """The whole authorization-code flow: our page, the consent, back to our callback."""
        asked = self.call("POST", f"/api/v1/channels/{channel}/connect")
        with httpx.Client(follow_redirects=True, timeout=60) as browser:
            page = browser.get(asked["authorize_url"]).raise_for_status()
            form = _ConsentForm.read(page.text)
            fields = {**form.fields, "user": user, "decision": "agree"}
            answer = browser.post(urljoin(str(page.url), form.action), data=fields)
            if answer.is_error:
                raise ShopError(f"connecting {user} to {channel}: {_words_of(answer)}")
        return self.call("GET", f"/api/v1/channels/{channel}")

    def follow(
        self, batch_id: int, job_ids: Sequence[int], advance: Callable[[int, int], None]
    ) -> list[Any]:
        """Wait until every job of a batch has ended; returns the jobs."""
        deadline = time.monotonic() + BATCH_TIMEOUT_S
        while time.monotonic() < deadline:
            batch = self.call("GET", f"/api/v1/publications/{batch_id}")
            ended = sum(batch["by_status"].get(status, 0) for status in ("done", "cancelled"))
            advance(ended, batch["total"])
            if batch["finished"]:
                return [self.call("GET", f"/api/v1/jobs/{job_id}") for job_id in job_ids]
            time.sleep(0.2)
        raise ShopError(f"batch {batch_id} did not end within {BATCH_TIMEOUT_S:.0f} s")


class _ConsentForm(HTMLParser):
    """The first form of a page and its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    @classmethod
    def read(cls, page: str) -> "_ConsentForm":
        form = cls()
        form.feed(page)
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form" and not self.action:
            self.action = values.get("action") or ""
        elif tag == "input" and values.get("type") == "hidden" and values.get("name"):
            self.fields[str(values["name"])] = values.get("value") or ""


def _words_of(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return f"{answer.status_code} {answer.text[:200]}"
    fields = "; ".join(f"{each['field']}: {each['message']}" for each in problem.get("fields", []))
    return f"{answer.status_code} {problem.get('detail', '')} {fields}".strip()
