"""Writes a chunk of planned products and their photos: one transaction, all bulk statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from models.selling.catalog import IMAGE_LIMIT, MissingImage, Product
from repositories.selling.catalog import ImageRepository, ProductRepository
from services.selling.catalog.drafts import ProductDraft, apply, new_product, touch
from services.selling.catalog.images import Transactions, append_photo
from services.selling.catalog.importing.merging import merge
from services.selling.catalog.importing.pictures import (
    Missing,
    Picture,
    PictureSource,
    is_url,
)
from services.selling.catalog.importing.products import ImportedImage, ImportedProduct
from services.selling.catalog.importing.report import Issue, refused
from services.selling.catalog.importing.words import Meaning
from shared.clock import Clock


class Outcome(StrEnum):
    """What became of a product."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(slots=True)
class Planned:
    """A product of the file on its way into the shop."""

    product: ImportedProduct
    meaning: Meaning
    currency: str
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    outcome: Outcome | None = None
    product_id: int | None = None
    images_added: int = 0
    images_missing: int = 0
    image_warnings: list[Issue] = field(default_factory=list)

    @property
    def handle(self) -> str:
        """The product's handle."""
        return self.product.handle


class ChunkWriter:
    """Knows how a chunk becomes rows. A chunk may be written again after a failure."""

    def __init__(self, transactions: Transactions, pictures: PictureSource, clock: Clock) -> None:
        self._transactions = transactions
        self._pictures = pictures
        self._clock = clock

    def fetch_photos(self, chunk: Sequence[Planned], *, atomic: bool) -> None:
        """Get the photos that the shop lacks. No transaction is open while bytes travel.

        Raises `ImportRefused` like `write`, before anything is fetched.
        """
        named = {image.source for plan in chunk for image in plan.product.images}
        if not any(self._pictures.wants(source) for source in named):
            return
        with self._transactions() as session:
            existing = ProductRepository(session).by_handles([plan.handle for plan in chunk])
            elsewhere = ImageRepository(session).by_sources({it for it in named if is_url(it)})
        for plan in chunk:
            _check(plan, existing.get(plan.handle))
        if atomic:
            _refuse_errors(chunk)
        lacking = {plan.handle: _lacking(plan, existing.get(plan.handle)) for plan in chunk}
        wanted = [
            source
            for sources in lacking.values()
            for source in sources
            if source not in elsewhere and self._pictures.wants(source)
        ]
        found = {**elsewhere, **self._pictures.get_all(wanted)}
        for plan in chunk:
            plan.pictures = {it: found[it] for it in lacking[plan.handle] if it in found}

    def write(self, chunk: Sequence[Planned], *, dry_run: bool, atomic: bool) -> None:
        """Store the chunk, or with `dry_run` only find out what that would do.

        Raises `ImportRefused` when `atomic` and one of them cannot come in.
        """
        with self._transactions() as session:
            products = ProductRepository(session)
            if not dry_run:
                products.wait_for_turn()
            handles = [plan.handle for plan in chunk]
            existing = products.by_handles(handles, lock=not dry_run)
            new: dict[str, Product] = {}
            for plan in chunk:
                self._prepare(plan, existing.get(plan.handle), new, dry_run=dry_run)
            if atomic and not dry_run:
                _refuse_errors(chunk)
            if not dry_run:
                products.save()
                products.add_all(list(new.values()))
            for plan in chunk:
                stored = existing.get(plan.handle) or new.get(plan.handle)
                plan.product_id = stored.id if stored is not None else None

    def _prepare(
        self,
        plan: Planned,
        existing: Product | None,
        new: dict[str, Product],
        *,
        dry_run: bool,
    ) -> None:
        draft = _check(plan, existing)
        if plan.product.errors:
            return
        if dry_run:
            plan.outcome = _foreseen(draft, existing)
            return
        now = self._clock.now()
        if existing is None:
            product = new[plan.handle] = new_product(draft, now)
            self._add_images(plan, product)
            plan.outcome = Outcome.CREATED
            return
        changed = apply(draft, existing, now)
        if self._add_images(plan, existing) and not changed:
            touch(existing, now)
            changed = True
        plan.outcome = Outcome.UPDATED if changed else Outcome.UNCHANGED

    def _add_images(self, plan: Planned, product: Product) -> bool:
        """Append what was fetched and remember what was not; whether photos were added."""
        plan.images_added = plan.images_missing = 0
        hashes = {image.sha256 for image in product.images}
        for warning in plan.image_warnings:
            plan.product.warnings.remove(warning)
        plan.image_warnings = []
        for image in plan.product.images:
            picture = plan.pictures.get(image.source)
            if isinstance(picture, Missing):
                self._remember_missing(plan, product, image, picture)
                continue
            if picture is not None:
                _forget_missing(product, image.source)
            if picture is not None and picture.sha256 not in hashes:
                if len(product.images) >= IMAGE_LIMIT:
                    _warn(plan, image, f"a product has at most {IMAGE_LIMIT} photos", "too-many")
                    break
                hashes.add(picture.sha256)
                append_photo(product, picture, alt_text=image.alt_text, source=image.source)
                plan.images_added += 1
        return plan.images_added > 0

    def _remember_missing(
        self, plan: Planned, product: Product, image: ImportedImage, missing: Missing
    ) -> None:
        plan.images_missing += 1
        _warn(plan, image, missing.problem, "image-missing")
        known = next((it for it in product.missing_images if it.source == image.source), None)
        if known is None:
            known = MissingImage(source=image.source)
            product.missing_images.append(known)
        known.problem = missing.problem
        known.tried_at = self._clock.now()


def _check(plan: Planned, existing: Product | None) -> ProductDraft:
    """The product as it shall be; what speaks against it is noted once."""
    draft, issues = merge(plan.product, plan.meaning, existing, plan.currency)
    if not plan.product.errors:
        plan.product.errors += issues
    return draft


def _refuse_errors(chunk: Sequence[Planned]) -> None:
    errors = [issue for plan in chunk for issue in plan.product.errors]
    if errors:
        raise refused("Not all products can be imported, so none was.", errors)


def _lacking(plan: Planned, existing: Product | None) -> list[str]:
    if plan.product.errors:
        return []
    had = {image.source for image in existing.images} if existing is not None else set()
    return [image.source for image in plan.product.images if image.source not in had]


def _foreseen(draft: ProductDraft, existing: Product | None) -> Outcome:
    if existing is None:
        return Outcome.CREATED
    return Outcome.UNCHANGED if ProductDraft.of(existing) == draft else Outcome.UPDATED


def _forget_missing(product: Product, source: str) -> None:
    for missing in [it for it in product.missing_images if it.source == source]:
        product.missing_images.remove(missing)


def _warn(plan: Planned, image: ImportedImage, message: str, code: str) -> None:
    issue = Issue(image.row, image.column, f"{image.source[:120]}: {message}", code, plan.handle)
    plan.image_warnings.append(issue)
    plan.product.warnings.append(issue)
