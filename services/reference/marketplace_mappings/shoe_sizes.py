"""Reads a shoe size that says of which system it is. Never a guess: `8` alone is none."""

import re

from shared.text import fold

_SAID = re.compile(r"(?:(eu|uk) ?)?(\d{1,2})(?:[.,](5|0))?(?: ?(eu|uk))?")

_EU_FROM = 18
"""No British or American size is as large as that."""


def shoe_size_code(word: str) -> str | None:
    """`EU 42,5` and `42.5` are `eu_42_5`, `UK 8` is `uk_8`; anything else is not known."""
    said = _SAID.fullmatch(fold(word))
    if said is None:
        return None
    before, number, half, after = said.groups()
    if before and after:
        return None
    system = before or after or ("eu" if int(number) >= _EU_FROM else None)
    if system is None:
        return None
    return f"{system}_{int(number)}{'_5' if half == '5' else ''}"
