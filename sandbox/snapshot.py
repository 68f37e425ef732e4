"""Keeping a sandbox's state in one JSON file, replaced as a whole."""

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Write `content` so that a reader, or a crash, finds the old file or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
