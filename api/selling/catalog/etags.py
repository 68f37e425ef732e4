"""Versions as strong entity tags: `"7"` is the seventh version of a product."""

import re
from typing import Annotated

from fastapi import Depends, Header

from services.selling.catalog.products import AcceptsVersion
from shared.errors import MalformedRequest, PreconditionRequired

_TAG = re.compile(r'(?P<weak>W/)?"(?P<name>[\x21\x23-\x7e]*)"(?=\s*(?:,|$))')
"""Never begins with white space: a header full of it would be read from every blank anew."""


def etag(version: int | str) -> str:
    """The header's value."""
    return f'"{version}"'


def names_current(header: str | None, current: int | str) -> bool:
    """Whether `If-None-Match` names what there is, so that it need not be sent again."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    return any(name == str(current) for _, name in _tags(header))


async def _based_on(
    if_match: Annotated[
        str | None,
        Header(description='The ETag you read, such as `"3"`, or `*` to change it regardless.'),
    ] = None,
) -> AcceptsVersion:
    if if_match is None:
        raise PreconditionRequired("Send If-Match with the ETag you read, or * to go ahead anyway.")
    return versions_named_by(if_match)


def versions_named_by(if_match: str) -> AcceptsVersion:
    """Which versions an `If-Match` accepts. Raises `MalformedRequest`."""
    if if_match.strip() == "*":
        return lambda _version: True
    tags = _tags(if_match)
    if not tags:
        raise MalformedRequest('If-Match holds entity tags in double quotes, such as "3".')
    strong = {name for weak, name in tags if not weak}
    return lambda version: str(version) in strong


BasedOn = Annotated[AcceptsVersion, Depends(_based_on)]
"""Which versions the caller's `If-Match` names; the route refuses a request without one."""


def _tags(header: str) -> list[tuple[bool, str]]:
    return [(bool(match["weak"]), match["name"]) for match in _TAG.finditer(header)]
