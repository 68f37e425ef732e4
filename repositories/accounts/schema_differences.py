"""What distinguishes a shop's schema from the template, in words, and the SQL that undoes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from repositories.accounts.schema_catalog import Fact
from shared.database import TenantSchema
from shared.database.tenant_schema import quote_identifier

Facts = Mapping[Fact, str]

MENDED_ALONE = frozenset({"owner", "grants", "schema"})
"""Kinds of facts that `TenantMending` makes right."""

_COLUMN = re.compile(r"(?P<type>.+?)(?P<not_null> NOT NULL)?(?: DEFAULT (?P<default>.*))?")

_TEXT_CAST = re.compile(r"::(?:character varying|text)(?:\[\])?")
_BRACKETS = re.compile(r"(?<!\w)\((\w+|'[^']*'|ARRAY\[[^\[\]]*\])\)")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as in the template."""

    fact: Fact
    says: str
    repair: str | None
    """SQL for whoever decides that it should be as in the template; None where mending makes it
    right, or no single statement does."""


def differences(tenant: TenantSchema, found: Facts, wanted: Facts) -> list[Difference]:
    """Compare the facts of a shop with those of the template.

    What follows from another difference is not told: the columns of a table that is missing, the
    index behind a constraint.
    """
    return [
        Difference(
            fact,
            _in_words(fact, found.get(fact), wanted.get(fact)),
            _repair(tenant, fact, found.get(fact), wanted.get(fact)),
        )
        for fact in sorted(found.keys() | wanted.keys())
        if _plain(found.get(fact)) != _plain(wanted.get(fact)) and not _follows(fact, found, wanted)
    ]


def _plain(definition: str | None) -> str | None:
    """Without casts between texts and without brackets around a single thing.

    PostgreSQL says `x = ANY (ARRAY['a'::varchar]::text[])` as it was made, and with each value in
    a cast of its own once that sentence was read again, after a dump for instance.
    """
    if definition is None:
        return None
    plain, before = _TEXT_CAST.sub("", definition), ""
    while plain != before:
        plain, before = _BRACKETS.sub(r"\1", plain), plain
    return plain


def _follows(fact: Fact, found: Facts, wanted: Facts) -> bool:
    if fact.kind in {"table", "sequence", "view", "materialized view"}:
        return False
    if fact.kind == "index" and any(
        Fact("constraint", fact.name) in each for each in (found, wanted)
    ):
        return True
    holder = fact.name.partition(".")[0]
    return any(
        (Fact(kind, holder) in found) != (Fact(kind, holder) in wanted)
        for kind in ("table", "sequence", "view", "materialized view")
    )


def _in_words(fact: Fact, has: str | None, should: str | None) -> str:
    thing = f"{fact.kind} {fact.name}"
    if has is None:
        return f"{thing} is missing" + (f": {should}" if should else "")
    if should is None:
        return f"{thing} should not be there" + (f": {has}" if has else "")
    return f"{thing} is {has or 'nothing'} instead of {should or 'nothing'}"


def _repair(tenant: TenantSchema, fact: Fact, has: str | None, should: str | None) -> str | None:
    undone = _undo(fact) if should is None else _redo(fact, has, should)
    return undone and f"SET search_path TO {tenant.quoted}; {undone}"


def _undo(fact: Fact) -> str | None:
    """Take away what should not be there."""
    holder, name = _named(fact)
    match fact.kind:
        case "index":
            return f"DROP INDEX {name}"
        case "constraint" | "column":
            return f"ALTER TABLE {holder} DROP {fact.kind.upper()} {name}"
        case "trigger" | "policy" | "rule":
            return f"DROP {fact.kind.upper()} {name} ON {holder}"
        case "view" | "materialized view" | "sequence" | "table" | "type":
            return f"DROP {fact.kind.upper()} {holder}"
        case "function":
            return f"DROP ROUTINE {quote_identifier(fact.name.rpartition('/')[0])}"
        case _:
            return None


def _redo(fact: Fact, has: str | None, should: str) -> str | None:
    """Make what is missing or different."""
    holder, name = _named(fact)
    match fact.kind:
        case "index":
            return f"DROP INDEX IF EXISTS {name}; {should}"
        case "constraint":
            drop = "" if has is None else f"ALTER TABLE {holder} DROP CONSTRAINT {name}; "
            return f"{drop}ALTER TABLE {holder} ADD CONSTRAINT {name} {should}"
        case "column":
            change = f"ADD COLUMN {name} {should}" if has is None else _altered(name, has, should)
            return f"ALTER TABLE {holder} {change}"
        case "sequence owned by":
            owner, _, column = should.partition(".")
            owned = f"{quote_identifier(owner)}.{quote_identifier(column)}"
            return f"ALTER SEQUENCE {holder} OWNED BY {owned}"
        case _:
            return None


def _named(fact: Fact) -> tuple[str, str]:
    holder, _, name = fact.name.partition(".")
    return quote_identifier(holder), quote_identifier(name) if name else ""


def _altered(column: str, has: str, should: str) -> str:
    was, wanted = _COLUMN.fullmatch(has), _COLUMN.fullmatch(should)
    assert was is not None
    assert wanted is not None
    changes = []
    if was["type"] != wanted["type"]:
        kind = wanted["type"]
        changes.append(f"ALTER COLUMN {column} TYPE {kind} USING {column}::{kind}")
    if was["not_null"] != wanted["not_null"]:
        changes.append(f"ALTER COLUMN {column} {'SET' if wanted['not_null'] else 'DROP'} NOT NULL")
    if was["default"] != wanted["default"]:
        default = wanted["default"]
        changes.append(
            f"ALTER COLUMN {column} {f'SET DEFAULT {default}' if default else 'DROP DEFAULT'}"
        )
    return ", ".join(changes)
