"""Making, changing and deleting products."""

import re
import unicodedata
from collections.abc import Callable

from models.selling.catalog import Product
from repositories.selling.catalog import CatalogClash, Holds, ProductRepository
from services.selling.catalog.checks import problems_of
from services.selling.catalog.drafts import ProductDraft, apply, new_product, touch
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import BadInput, Conflict, FieldProblem, NotFound, PreconditionFailed

_ATTEMPTS = 3
"""Tries to store a handle made here while others take the same one."""

_HANDLE_LENGTH = 80
"""Longest handle made from a title; leaves room for a number."""

AcceptsVersion = Callable[[int], bool]
"""Whether the caller based its change on this version."""


class ProductNotFound(NotFound):
    """No such product, or it was deleted."""

    code, title = "product-not-found", "There is no such product"


class ProductInvalid(BadInput):
    """The product cannot be stored like this; the fields say why."""

    code, title = "product-invalid", "This product cannot be stored like this"


class HandleTaken(Conflict):
    """Another product has this handle."""

    code, title = "handle-taken", "Another product has this handle"


class VersionMismatch(PreconditionFailed):
    """The product was changed since it was read."""

    code, title = "product-changed", "The product was changed since you read it"


class ProductInUse(Conflict):
    """Listed somewhere, or work on it is under way."""

    code, title = "product-in-use", "This product cannot be deleted now"


class ProductCatalog:
    """The products of one shop."""

    def __init__(self, session: TenantSession, clock: Clock) -> None:
        self._products = ProductRepository(session)
        self._clock = clock

    def get(self, product_id: int) -> Product:
        """One product. Raises `ProductNotFound`."""
        return _found(self._products.get(product_id))

    def version_of(self, product_id: int) -> int:
        """The version of a product. Raises `ProductNotFound`."""
        version = self._products.version_of(product_id)
        if version is None:
            raise ProductNotFound
        return version

    def create(self, draft: ProductDraft) -> Product:
        """Store a new product. Raises `ProductInvalid` and `HandleTaken`."""
        draft = draft.cleaned()
        self._refuse_invalid(draft)
        if draft.handle:
            return self._store(draft, draft.handle, attempts=1)
        return self._store(draft, handle_of(draft.title), attempts=_ATTEMPTS)

    def change(
        self,
        product_id: int,
        accepts: AcceptsVersion,
        edit: Callable[[ProductDraft], ProductDraft],
    ) -> Product:
        """Store what `edit` makes of the product.

        A new version only when something differs. Raises `ProductNotFound`, `VersionMismatch`,
        `ProductInvalid` and `HandleTaken`.
        """
        product = self._locked(product_id, accepts)
        draft = edit(ProductDraft.of(product)).cleaned()
        self._refuse_invalid(draft)
        _refuse_strangers(draft, product)
        self._refuse_taken(draft.handle, product)
        apply(draft, product, self._clock.now())
        self._products.save()
        return product

    def delete(self, product_id: int, accepts: AcceptsVersion) -> None:
        """Hide the product for good. Raises `ProductInUse` while it is listed or worked on."""
        product = self._locked(product_id, accepts)
        holds = self._products.holds(product_id)
        if holds:
            raise ProductInUse(_what_to_do(holds))
        now = self._clock.now()
        touch(product, now)
        product.deleted_at = now
        self._products.save()

    def _locked(self, product_id: int, accepts: AcceptsVersion) -> Product:
        product = _found(self._products.locked(product_id))
        if not accepts(product.version):
            raise VersionMismatch(
                f"The product is at version {product.version} now. Read it again, then repeat "
                "your change with its new ETag."
            )
        return product

    def _refuse_invalid(self, draft: ProductDraft) -> None:
        known = self._products.known_codes([draft.category], [draft.condition], [draft.department])
        problems = problems_of(draft, known)
        if problems:
            raise ProductInvalid(fields=problems)

    def _refuse_taken(self, handle: str, product: Product) -> None:
        if handle != product.handle and self._products.by_handles([handle]):
            raise _taken(handle)

    def _store(self, draft: ProductDraft, wanted: str, *, attempts: int) -> Product:
        from_title = not draft.handle
        for _ in range(attempts):
            handle = self._free_handle(wanted) if from_title else wanted
            product = new_product(draft, self._clock.now())
            product.handle = handle
            try:
                self._products.add_all([product])
            except CatalogClash:
                continue
            return product
        raise _taken(wanted)

    def _free_handle(self, wanted: str) -> str:
        taken = self._products.handles_starting(wanted)
        if wanted not in taken:
            return wanted
        number = 2
        while f"{wanted}-{number}" in taken:
            number += 1
        return f"{wanted}-{number}"


def handle_of(title: str) -> str:
    """A handle in the manner of shops: `Blue Shirt (été)` gives `blue-shirt-ete`."""
    plain = unicodedata.normalize("NFKD", title)
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    words = re.findall(r"[^\W_]+", letters.casefold())
    return "-".join(words)[:_HANDLE_LENGTH].strip("-") or "product"


def _found(product: Product | None) -> Product:
    if product is None:
        raise ProductNotFound
    return product


def _taken(handle: str) -> HandleTaken:
    return HandleTaken(
        f"Another product has the handle {handle!r}.",
        fields=[FieldProblem("handle", "another product has it", "taken")],
    )


def _refuse_strangers(draft: ProductDraft, product: Product) -> None:
    own = {variant.id for variant in product.variants}
    named = [variant.id for variant in draft.variants]
    problems = [
        FieldProblem(f"variants.{number}.id", "this product has no such variant", "unknown")
        for number, variant_id in enumerate(named)
        if variant_id is not None and variant_id not in own
    ]
    problems += [
        FieldProblem(f"variants.{number}.id", "named twice", "repeated")
        for number, variant_id in enumerate(named)
        if variant_id is not None and variant_id in named[:number]
    ]
    if problems:
        raise ProductInvalid(fields=problems)


def _what_to_do(holds: Holds) -> str:
    if holds.listed_on:
        places = " and ".join(holds.listed_on)
        return f"It is for sale on {places}. Take it down there first, then delete it."
    job_id, channel, action = holds.jobs[0]
    return (
        f"Job {job_id} ({action} on {channel}) has not ended. "
        "Wait for it or cancel it, then delete the product."
    )
