"""Preflight: the complete draft of an item, or everything that is missing. Asks nobody."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from models.reference.marketplace_mappings import PlatformCategory, PlatformValue
from models.selling.catalog import Product
from models.selling.publishing import Channel
from models.selling.vinted import VintedAccount, VintedProductChoice
from repositories.selling.catalog import ProductRepository
from repositories.selling.publishing import ListingRepository
from repositories.selling.vinted import VintedAccountRepository, VintedChoiceRepository
from services.reference.marketplace_mappings.facts import Gap
from services.reference.marketplace_mappings.places import PlatformMapping
from services.selling.category_choices.places import mapping_for
from services.selling.content.linter import linter_of
from services.selling.publishing.channels import Findings
from services.selling.vinted.drafts import DraftPhoto, ListingDraft
from services.selling.vinted.rules import (
    MAX_COLORS,
    PACKAGE_SIZES,
    account_gaps,
    currency_in,
    product_gaps,
    size_scope,
)
from shared.database import TenantSession
from shared.errors import FieldProblem
from shared.money import Money

READ_TOGETHER = 250
"""Products held in memory at once while thousands are examined."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What goes to Vinted beside the product itself; None is missing."""

    catalog_id: int | None
    catalog_path: str | None
    """None where the seller chose a category that we do not know."""
    condition_id: int | None
    size_id: int | None
    color_ids: Sequence[int]
    material_ids: Sequence[int]
    brand_id: int | None
    package_size_id: int | None
    gaps: tuple[FieldProblem, ...] = field(default=())
    hints: tuple[FieldProblem, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Examined:
    """One product, examined."""

    product: Product
    facts: Facts
    gaps: tuple[FieldProblem, ...]
    """What the seller must mend first."""
    hints: tuple[FieldProblem, ...]
    """What is left out of the listing."""
    advice: tuple[FieldProblem, ...]
    """What Vinted takes, and what would serve the listing better."""
    draft: ListingDraft | None
    """There when nothing is missing."""


class VintedPreflight:
    """Examines products."""

    def findings(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Findings]:
        """By product id; a product of which there is nothing to say has no entry."""
        return {
            each.product.id: Findings(each.gaps, each.advice)
            for each in self._each(session, product_ids)
            if each.gaps or each.advice
        }

    def examine(self, session: TenantSession, product_ids: Sequence[int]) -> Mapping[int, Examined]:
        """Every product that exists, examined: a fixed number of statements."""
        account = VintedAccountRepository(session).get()
        return {
            each.product.id: replace(each, draft=_draft(each, account))
            for each in self._each(session, product_ids)
        }

    def _each(self, session: TenantSession, product_ids: Sequence[int]) -> Iterator[Examined]:
        account = VintedAccountRepository(session).get()
        shared_gaps = account_gaps(account)
        currency = currency_in(account) if account is not None else None
        choices = VintedChoiceRepository(session).by_products(product_ids)
        listed = ListingRepository(session).live([Channel.VINTED], product_ids)
        mapping = mapping_for(session, Channel.VINTED)
        paths = _paths_of(choices.values(), mapping)
        for start in range(0, len(product_ids), READ_TOGETHER):
            some = product_ids[start : start + READ_TOGETHER]
            products = ProductRepository(session).by_ids(some)
            mapping.read_brands(product.brand for product in products if product.brand)
            for product in products:
                choice = choices.get(product.id)
                place = _chosen_place(choice, paths)
                facts = _facts(product, account, choice, place, mapping)
                is_listed = (product.id, Channel.VINTED) in listed
                own = product_gaps(product, currency, listed=is_listed)
                linted = linter_of(Channel.VINTED).lint(product)
                gaps = (*shared_gaps, *own, *linted.gaps, *facts.gaps)
                yield Examined(product, facts, gaps, facts.hints, linted.advice, draft=None)


def _paths_of(
    choices: Iterable[VintedProductChoice], mapping: PlatformMapping
) -> Mapping[str, str]:
    chosen = {str(choice.catalog_id) for choice in choices if choice.catalog_id is not None}
    return mapping.paths_of(chosen) if chosen else {}


def _chosen_place(
    choice: VintedProductChoice | None, paths: Mapping[str, str]
) -> tuple[int, str | None] | None:
    if choice is None or choice.catalog_id is None:
        return None
    return choice.catalog_id, paths.get(str(choice.catalog_id))


def _facts(
    product: Product,
    account: VintedAccount | None,
    choice: VintedProductChoice | None,
    chosen_place: tuple[int, str | None] | None,
    mapping: PlatformMapping,
) -> Facts:
    gaps: list[FieldProblem] = []
    hints: list[FieldProblem] = []
    catalog_id, path = chosen_place or _mapped_place(product, mapping, gaps)
    general = account.choices if account is not None else {}
    package = choice.package_size_id if choice else None
    package = package if package is not None else general.get("package_size_id")
    if package is None:
        message = "Say how large the parcel is: for this product, or for all in Vinted's terms."
        words = tuple(f"{number}: {word}" for number, word in PACKAGE_SIZES.items())
        gaps.append(FieldProblem("package_size", message, "package-size-missing", words))
    return Facts(
        catalog_id=catalog_id,
        catalog_path=path,
        condition_id=_id_of(mapping.condition(product.condition_code), gaps),
        size_id=_size(product, choice, path, mapping, gaps),
        color_ids=_colors(product, choice, mapping, gaps, hints),
        material_ids=[
            found
            for word in product.attributes.get("material", [])
            if (found := _id_of(mapping.value("material", word), hints)) is not None
        ],
        brand_id=_id_of(mapping.brand(product.brand), []) if product.brand else None,
        package_size_id=package,
        gaps=tuple(gaps),
        hints=tuple(hints),
    )


def _mapped_place(
    product: Product, mapping: PlatformMapping, gaps: list[FieldProblem]
) -> tuple[int | None, str | None]:
    place = mapping.category(product.category_code, product.department_code)
    if isinstance(place, PlatformCategory):
        return int(place.remote_id), place.remote_path
    gaps.append(_problem(place))
    return None, None


def _size(
    product: Product,
    choice: VintedProductChoice | None,
    path: str | None,
    mapping: PlatformMapping,
    gaps: list[FieldProblem],
) -> int | None:
    """The seller's choice, else our word in the category's own size group.

    Of a category whose group is not known, Vinted itself says whether it wants a size.
    """
    if choice is not None and choice.size_id is not None:
        return choice.size_id
    scope = size_scope(path)
    if scope is None or len(product.variants) > 1:
        return None
    words = product.attributes.get("size", [])
    found = mapping.value("size", words[0], scope) if words else None
    if isinstance(found, PlatformValue):
        return int(found.remote_id)
    sizes = sorted(mapping.values_in("size", scope).items(), key=lambda each: int(each[0]))
    choices = tuple(f"{number}: {name}" for number, name in sizes)
    if found is None:
        message = "Vinted wants a size here: fill it in, or choose one of Vinted's sizes."
        gaps.append(FieldProblem("attributes.size", message, "size-missing", choices))
    else:
        gaps.append(replace(_problem(found), choices=choices))
    return None


def _colors(
    product: Product,
    choice: VintedProductChoice | None,
    mapping: PlatformMapping,
    gaps: list[FieldProblem],
    hints: list[FieldProblem],
) -> Sequence[int]:
    if choice is not None and choice.color_ids:
        return choice.color_ids[:MAX_COLORS]
    words = product.attributes.get("color", [])
    for word in words[MAX_COLORS:]:
        message = f"Vinted takes {MAX_COLORS} colours; “{word}” is left out."
        hints.append(FieldProblem("attributes.color", message, "color-left-out"))
    ids = (_id_of(mapping.value("color", word), gaps) for word in words[:MAX_COLORS])
    return [each for each in ids if each is not None]


def _id_of(found: PlatformValue | Gap, problems: list[FieldProblem]) -> int | None:
    if isinstance(found, PlatformValue):
        return int(found.remote_id)
    problems.append(_problem(found))
    return None


def _problem(gap: Gap) -> FieldProblem:
    return FieldProblem(gap.field, gap.message, gap.kind.value, gap.choices)


def _draft(examined: Examined, account: VintedAccount | None) -> ListingDraft | None:
    product, facts = examined.product, examined.facts
    catalog_id, condition_id = facts.catalog_id, facts.condition_id
    package_size_id = facts.package_size_id
    if (
        examined.gaps
        or account is None
        or catalog_id is None
        or condition_id is None
        or package_size_id is None
    ):
        return None
    [variant] = product.variants
    return ListingDraft(
        product_id=product.id,
        product_version=product.version,
        sku=variant.channel_key,
        title=product.title,
        description=product.description,
        photos=[
            DraftPhoto(image.sha256, image.object_key, image.content_type)
            for image in product.images
        ],
        price=Money(variant.price_minor, product.currency),
        quantity=variant.quantity,
        catalog_id=catalog_id,
        condition_id=condition_id,
        size_id=facts.size_id,
        material_ids=facts.material_ids,
        color_ids=facts.color_ids,
        brand_id=facts.brand_id,
        brand=product.brand or "",
        package_size_id=package_size_id,
        old_fields=account.choices.get("old_fields") is True,
    )
