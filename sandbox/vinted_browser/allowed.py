"""The only requests this browser makes at Vinted, whatever it is asked."""

import json
import re
from functools import cache
from pathlib import Path


@cache
def allowed_requests() -> tuple[tuple[str, str], ...]:
    """(method, regular expression of the path) of each."""
    rows = json.loads((Path(__file__).parent / "allowed.json").read_text(encoding="utf-8"))
    return tuple((row["method"], row["path"]) for row in rows)


def is_allowed(method: str, path: str) -> bool:
    """Whether a request is on the list."""
    return any(
        method == known and re.fullmatch(pattern, path, re.ASCII) is not None
        for known, pattern in allowed_requests()
    )
