"""Etsy's refusals: `{"error": text}`, and for tokens an `error_description` beside it."""

from typing import Any

from sandbox.answers import Answer


class EtsyError(Exception):
    """A refusal: the HTTP status and what the body says."""

    def __init__(
        self,
        status: int,
        error: str,
        description: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, error, description)
        self.status, self.error, self.description = status, error, description
        self.headers = headers or {}

    def answer(self) -> Answer:
        """The HTTP answer."""
        body: dict[str, Any] = {"error": self.error}
        if self.description is not None:
            body["error_description"] = self.description
        return Answer(self.status, body, self.headers)


def bad_request(text: str) -> EtsyError:
    """400: what was sent cannot be accepted."""
    return EtsyError(400, text)


def not_found(what: str) -> EtsyError:
    """404."""
    return EtsyError(404, f"{what} not found.")


def conflict(text: str) -> EtsyError:
    """409: not in this state."""
    return EtsyError(409, text)


def invalid_token(description: str = "access token is invalid") -> EtsyError:
    """401; only the description tells an expired token from a dead one."""
    return EtsyError(401, "invalid_token", description)


def insufficient_scope(scope: str) -> EtsyError:
    """403: the token was not granted `scope`."""
    return EtsyError(403, "insufficient_scope", f"the access token lacks the scope {scope}")


def too_many_requests(retry_after_s: int) -> EtsyError:
    """429: the second's or the day's calls are spent."""
    text = "Too many requests: the rate limit of this application is exceeded."
    return EtsyError(429, text, headers={"Retry-After": str(retry_after_s)})
