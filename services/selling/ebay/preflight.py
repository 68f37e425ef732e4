"""Preflight: the complete draft of a listing, or everything that is missing. Asks nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from models.selling.catalog import Product, ProductVariant
from models.selling.ebay import EbayConnection, EbayProductChoice
from models.selling.publishing import Channel
from repositories.selling.catalog import ProductRepository
from repositories.selling.ebay import EbayChoiceRepository, EbayConnectionRepository
from repositories.selling.publishing import ListingRepository
from services.gateways.ebay.marketplaces import Marketplace
from services.reference.marketplace_mappings.ebay import EbayMapping
from services.reference.marketplace_mappings.facts import EbayResolution, Gap, GapKind, ProductFacts
from services.selling.category_choices.places import own_places
from services.selling.content.linter import linter_of
from services.selling.ebay.drafts import DraftPhoto, DraftVariant, ListingDraft
from services.selling.ebay.readiness import account_gaps, preferred_location, selling_policies
from services.selling.ebay.rules import product_gaps
from services.selling.ebay.sites import site_in, site_of
from services.selling.publishing.channels import Findings
from shared.database import TenantSession
from shared.errors import FieldProblem
from shared.money import Money

READ_TOGETHER = 250
"""Products held in memory at once while thousands are examined."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One product, examined."""

    product: Product
    resolution: EbayResolution
    gaps: tuple[FieldProblem, ...]
    """What the seller must mend first."""
    hints: tuple[FieldProblem, ...]
    """What is left out of the listing because eBay would not take it."""
    advice: tuple[FieldProblem, ...]
    """What eBay takes, and what would serve the listing better."""
    draft: ListingDraft | None
    """There when nothing is missing and eBay's rules for the category are known."""

    @property
    def category_to_learn(self) -> str | None:
        """The category whose rules eBay has not been asked for yet."""
        unknown = any(gap.kind is GapKind.REQUIREMENTS_UNKNOWN for gap in self.resolution.gaps)
        return self.resolution.category_id if unknown else None


class EbayPreflight:
    """Examines products."""

    def __init__(self, default: Marketplace) -> None:
        """`default` is the site of shops that chose none."""
        self._default = default

    def site(self, session: TenantSession) -> Marketplace:
        """The site that the shop sells on."""
        return site_in(session, self._default)

    def findings(
        self, session: TenantSession, product_ids: Sequence[int]
    ) -> Mapping[int, Findings]:
        """By product id; a product of which there is nothing to say has no entry.

        A category that eBay has not been asked about yet is no gap: the job asks first.
        """
        return {
            each.product.id: Findings(each.gaps, each.advice)
            for each in self.each(session, product_ids)
            if each.gaps or each.advice
        }

    def examine(self, session: TenantSession, product_ids: Sequence[int]) -> Mapping[int, Examined]:
        """Every product that exists, examined: a fixed number of statements for one category."""
        connection = EbayConnectionRepository(session).get()
        site = site_of(connection, self._default)
        return {
            each.product.id: replace(each, draft=_draft(each, connection, site))
            for each in self.each(session, product_ids)
        }

    def each(self, session: TenantSession, product_ids: Sequence[int]) -> Iterator[Examined]:
        """One after the other, without drafts, which only the one product sent next needs."""
        connection = EbayConnectionRepository(session).get()
        account, site = account_gaps(connection), site_of(connection, self._default)
        choices = EbayChoiceRepository(session).by_products(product_ids, site.id)
        listed = ListingRepository(session).live([Channel.EBAY], product_ids)
        mapping = EbayMapping.on(session, own_places(session, Channel.EBAY, site.id), site)
        for start in range(0, len(product_ids), READ_TOGETHER):
            some = product_ids[start : start + READ_TOGETHER]
            for product in ProductRepository(session).by_ids(some):
                resolution = mapping.resolve(_facts(product, choices.get(product.id)))
                is_listed = (product.id, Channel.EBAY) in listed
                own = product_gaps(product, site, listed=is_listed)
                yield _examined(product, (*account, *own), resolution)


def _examined(
    product: Product, gaps: Sequence[FieldProblem], resolution: EbayResolution
) -> Examined:
    told = [
        (gap, _told(gap)) for gap in resolution.gaps if gap.kind is not GapKind.REQUIREMENTS_UNKNOWN
    ]
    linted = linter_of(Channel.EBAY).lint(product)
    return Examined(
        product=product,
        resolution=resolution,
        gaps=(*gaps, *linted.gaps, *(problem for gap, problem in told if gap.blocking)),
        hints=tuple(problem for gap, problem in told if not gap.blocking),
        advice=linted.advice,
        draft=None,
    )


def _facts(product: Product, choice: EbayProductChoice | None) -> ProductFacts:
    return ProductFacts(
        category_code=product.category_code,
        condition_code=product.condition_code,
        department_code=product.department_code,
        brand=product.brand,
        attributes={**product.attributes, **(choice.aspects if choice else {})},
        option_names=product.option_names,
        variants=[variant.option_values for variant in product.variants],
        ebay_category_id=choice.category_id if choice else None,
    )


def _draft(
    examined: Examined, connection: EbayConnection | None, site: Marketplace
) -> ListingDraft | None:
    if examined.gaps or connection is None:
        return None
    product, resolution = examined.product, examined.resolution
    policies, location = selling_policies(connection), preferred_location(connection)
    if resolution.category_id is None or resolution.condition_enum is None:
        return None
    if policies is None or location is None:
        return None
    return ListingDraft(
        site=site,
        product_id=product.id,
        product_version=product.version,
        title=product.title,
        description=product.description,
        photos=[DraftPhoto(image.sha256, image.object_key) for image in product.images],
        category_id=resolution.category_id,
        condition=resolution.condition_enum,
        aspects=resolution.aspects,
        variants=[
            _variant(product, variant, place, resolution)
            for place, variant in enumerate(product.variants)
        ],
        policies=policies,
        location_key=location,
        group_key=_group_key(product) if resolution.variant_aspects else None,
    )


def _variant(
    product: Product, variant: ProductVariant, place: int, resolution: EbayResolution
) -> DraftVariant:
    own = resolution.variant_aspects[place] if resolution.variant_aspects else {}
    return DraftVariant(
        sku=variant.channel_key,
        price=Money(variant.price_minor, product.currency),
        quantity=variant.quantity,
        aspects=own,
        weight_grams=variant.weight_grams or None,
        barcode=variant.barcode,
    )


def _group_key(product: Product) -> str:
    """Never changes, and differs from what another installation gave the same account."""
    return f"SFG{product.id}X{int(product.created_at.timestamp())}"


def _told(gap: Gap) -> FieldProblem:
    return FieldProblem(gap.field, gap.message, gap.kind.value, gap.choices)
