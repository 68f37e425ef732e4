"""The sites that Vinted has, one a country; an account belongs to one of them."""

from collections.abc import Collection

from shared.errors import BadInput, FieldProblem

_COUNTRIES = (
    *("fr", "be", "de", "es", "it", "nl", "pt", "pl", "lt", "cz", "at", "lu", "sk", "hu", "ro"),
    *("dk", "se", "fi", "gr", "hr", "ie", "co.uk", "com", "ee", "lv", "si"),
)


SITES = tuple(f"www.vinted.{each}" for each in _COUNTRIES)


class UnknownVintedSite(BadInput):
    """No site of Vinted's has this host."""

    code, title = "unknown-vinted-site", "Vinted has no such site"


def checked_site(site: str | None, sites: Collection[str]) -> str | None:
    """The host itself. Raises `UnknownVintedSite`."""
    if site is None or site in sites:
        return site
    message = "Not a site of Vinted."
    raise UnknownVintedSite(
        f"{site[:60]!r} is not a site of Vinted.",
        fields=[FieldProblem("site", message, "unknown", tuple(sites))],
    )
