"""Writes a chunk of planned products and their photos: one transaction, all bulk statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from models.selling.catalog import IMAGE_LIMIT, MissingImage, Product
from repositories.selling.catalog import ImageRepository, ProductRepository
from services.selling.catalog.drafts import (
    ProductDraft,
    apply,
    new_product,
    new_rows,
    touch,
)
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

    def note_further_errors(self) -> None:
        """Of a product that cannot come in, say also what else is wrong with it."""
        errors = self.product.errors
        named = {(issue.row, issue.column) for issue in errors}
        _, issues = merge(self.product, self.meaning, None, self.currency)
        errors += [issue for issue in issues if (issue.row, issue.column) not in named]

    def foresee(self, draft: ProductDraft, existing: Product | None) -> None:
        """Note what storing `draft` will do, photos apart."""
        if self.product.errors:
            self.outcome = None
        elif existing is None:
            self.outcome = Outcome.CREATED
        else:
            self.product_id = existing.id
            same = ProductDraft.of(existing) == draft
            self.outcome = Outcome.UNCHANGED if same else Outcome.UPDATED


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
            drafts = {plan.handle: _check(plan, existing.get(plan.handle)) for plan in chunk}
            if atomic and not dry_run:
                _refuse_errors(chunk)
            for plan in chunk:
                plan.foresee(drafts[plan.handle], existing.get(plan.handle))
            if not dry_run:
                self._change(chunk, drafts, existing)
                products.save()
                self._create(products, chunk, drafts)

    def _change(
        self,
        chunk: Sequence[Planned],
        drafts: Mapping[str, ProductDraft],
        existing: Mapping[str, Product],
    ) -> None:
        now = self._clock.now()
        for plan in chunk:
            product = existing.get(plan.handle)
            if product is None or plan.product.errors:
                continue
            changed = apply(drafts[plan.handle], product, now)
            if self._add_images(plan, product):
                plan.outcome = Outcome.UPDATED
                if not changed:
                    touch(product, now)

    def _create(
        self,
        products: ProductRepository,
        chunk: Sequence[Planned],
        drafts: Mapping[str, ProductDraft],
    ) -> None:
        now = self._clock.now()
        new = [plan for plan in chunk if plan.outcome is Outcome.CREATED]
        with_photos = [
            (plan, new_product(drafts[plan.handle], now)) for plan in new if plan.pictures
        ]
        for plan, product in with_photos:
            self._add_images(plan, product)
        products.add_all([product for _, product in with_photos])
        ids = {product.handle: product.id for _, product in with_photos}
        ids |= products.insert_all(
            [new_rows(drafts[plan.handle], now) for plan in new if not plan.pictures]
        )
        for plan in new:
            plan.product_id = ids[plan.handle]

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


def _forget_missing(product: Product, source: str) -> None:
    for missing in [it for it in product.missing_images if it.source == source]:
        product.missing_images.remove(missing)


def _warn(plan: Planned, image: ImportedImage, message: str, code: str) -> None:
    issue = Issue(image.row, image.column, f"{image.source[:120]}: {message}", code, plan.handle)
    plan.image_warnings.append(issue)
    plan.product.warnings.append(issue)
