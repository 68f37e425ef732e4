"""Vinted's rules about a product itself, whatever its category."""

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

from models.selling.catalog import Product, ProductImage, ProductStatus
from models.selling.vinted import VintedAccount
from shared.errors import FieldProblem

MAX_PHOTOS = 20
MAX_COLORS = 2

PACKAGE_SIZES = {1: "small", 2: "medium", 3: "large"}
"""Vinted's ids of parcels that every site has."""

_CURRENCIES = {
    "co.uk": "GBP",
    "pl": "PLN",
    "cz": "CZK",
    "hu": "HUF",
    "ro": "RON",
    "dk": "DKK",
    "se": "SEK",
    "com": "USD",
}
"""By the end of the site's host; all others sell in euros."""


def currency_in(account: VintedAccount) -> str:
    """What the account sells in: as its terms say, else by its site."""
    said = account.choices.get("currency")
    return str(said or _CURRENCIES.get(account.site.removeprefix("www.vinted."), "EUR"))


def account_gaps(account: VintedAccount | None) -> Sequence[FieldProblem]:
    """What keeps the whole account from listing. A browser that is away only makes jobs wait."""
    if account is None:
        message = "Pair a browser for Vinted first: install the extension and enter its code."
        return [FieldProblem("account", message, "not-connected")]
    if account.remote_user_id is None:
        message = "Sign in at Vinted once in the browser that has the extension."
        return [FieldProblem("account", message, "never-signed-in")]
    return []


def product_gaps(product: Product, currency: str | None, *, listed: bool) -> Sequence[FieldProblem]:
    """What Vinted would refuse. A product that is listed may have run out of stock."""
    return [
        *_about_text(product),
        *_about_photos(product.images),
        *_about_price(product, currency),
        *_about_units(product, listed=listed),
    ]


def size_scope(path: str | None) -> str | None:
    """The size group in which a category of Vinted's has its sizes, by the longest path known.

    None where it has none, and where we do not know.
    """
    known = [scope for prefix, scope in _scopes() if path and f"{path} >".startswith(f"{prefix} >")]
    return (known[0] or None) if known else None


@cache
def _scopes() -> Sequence[tuple[str, str]]:
    text = files(__package__).joinpath("size_scopes.csv").read_text(encoding="utf-8")
    found = [(row["path"], row["scope"]) for row in csv.DictReader(text.splitlines())]
    return sorted(found, key=lambda each: -len(each[0]))


def _about_text(product: Product) -> Iterator[FieldProblem]:
    if product.status is not ProductStatus.ACTIVE:
        yield FieldProblem("status", f"It is {product.status}; make it active.", "not-active")
    if not product.title.strip():
        yield FieldProblem("title", "Vinted needs a title.", "title-missing")
    if not product.description.strip():
        yield FieldProblem("description", "Vinted needs a description.", "description-missing")


def _about_photos(photos: Sequence[ProductImage]) -> Iterator[FieldProblem]:
    if not photos:
        yield FieldProblem("images", "Vinted needs at least one photo.", "photo-missing")
    if len(photos) > MAX_PHOTOS:
        message = f"Vinted takes {MAX_PHOTOS} photos; remove {len(photos) - MAX_PHOTOS}."
        yield FieldProblem("images", message, "too-many-photos")


def _about_price(product: Product, currency: str | None) -> Iterator[FieldProblem]:
    if currency is not None and product.currency != currency:
        message = f"Your Vinted sells in {currency}, not in {product.currency}."
        yield FieldProblem("currency", message, "currency-not-accepted")


def _about_units(product: Product, *, listed: bool) -> Iterator[FieldProblem]:
    if len(product.variants) > 1:
        message = "Vinted has no variants. Make a product of each one that you want to sell there."
        yield FieldProblem("variants", message, "variants-not-possible")
    elif product.quantity > 1:
        message = (
            "On Vinted each listing is one piece. Set the quantity to 1, or keep it off Vinted."
        )
        yield FieldProblem("variants.0.quantity", message, "one-piece-only")
    elif product.quantity == 0 and not listed:
        message = "None is in stock; set the quantity to 1."
        yield FieldProblem("variants.0.quantity", message, "out-of-stock")
