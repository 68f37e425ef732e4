"""Preflight: the complete draft of a listing, or everything that is missing. Asks nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from models.reference.marketplace_mappings import PlatformCategory, PlatformValue
from models.selling.catalog import Product
from models.selling.etsy import EtsyAccount, EtsyProductChoice
from models.selling.publishing import Channel
from repositories.selling.catalog import ProductRepository
from repositories.selling.etsy import EtsyAccountRepository, EtsyChoiceRepository
from repositories.selling.publishing import ListingRepository
from services.gateways.etsy.inventory import ListingProperty
from services.reference.marketplace_mappings.facts import Gap
from services.reference.marketplace_mappings.places import PlatformMapping
from services.selling.category_choices.places import mapping_for
from services.selling.content.linter import linter_of
from services.selling.etsy.account import WHO_MADE
from services.selling.etsy.drafts import DraftPhoto, DraftVariant, ListingDraft, Making
from services.selling.etsy.measures import heaviest, size_of, usable_materials
from services.selling.etsy.readiness import account_gaps, listing_terms
from services.selling.etsy.rules import left_out_tags, product_gaps, usable_tags
from services.selling.publishing.channels import Findings
from shared.database import TenantSession
from shared.errors import FieldProblem
from shared.money import Money

READ_TOGETHER = 250
"""Products held in memory at once while thousands are examined."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What goes to Etsy beside the product itself; None is missing."""

    taxonomy_id: int | None
    """Etsy's category: the seller's own choice, else where our category belongs."""
    taxonomy_path: str | None
    who_made: str | None
    when_made: str | None
    is_supply: bool | None
    properties: Sequence[ListingProperty]
    gap: Gap | None
    """Why there is no category."""

    @property
    def making(self) -> Making | None:
        """Who made it and when, if all of it is known."""
        if self.who_made is None or self.when_made is None or self.is_supply is None:
            return None
        return Making(self.who_made, self.when_made, self.is_supply)


@dataclass(frozen=True, slots=True)
class Examined:
    """One product, examined."""

    product: Product
    facts: Facts
    gaps: tuple[FieldProblem, ...]
    """What the seller must mend first."""
    hints: tuple[FieldProblem, ...]
    """What is left out of the listing because Etsy would not take it."""
    advice: tuple[FieldProblem, ...]
    """What Etsy takes, and what would serve the listing better."""
    draft: ListingDraft | None
    """There when nothing is missing."""


class EtsyPreflight:
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
        account = EtsyAccountRepository(session).get()
        return {
            each.product.id: replace(each, draft=_draft(each, account))
            for each in self._each(session, product_ids)
        }

    def _each(self, session: TenantSession, product_ids: Sequence[int]) -> Iterator[Examined]:
        """Without drafts, which only the one product that is sent next needs."""
        account = EtsyAccountRepository(session).get()
        shared_gaps = account_gaps(account)
        choices = EtsyChoiceRepository(session).by_products(product_ids)
        listed = ListingRepository(session).live([Channel.ETSY], product_ids)
        terms = listing_terms(account) if account is not None else None
        mapping = mapping_for(session, Channel.ETSY)
        for start in range(0, len(product_ids), READ_TOGETHER):
            some = product_ids[start : start + READ_TOGETHER]
            for product in ProductRepository(session).by_ids(some):
                facts = _facts(product, account, choices.get(product.id), mapping)
                is_listed = (product.id, Channel.ETSY) in listed
                own = product_gaps(product, terms.currency if terms else None, listed=is_listed)
                linted = linter_of(Channel.ETSY).lint(product)
                yield Examined(
                    product=product,
                    facts=facts,
                    gaps=(*shared_gaps, *own, *linted.gaps, *_missing(facts)),
                    hints=tuple(left_out_tags(product.tags)),
                    advice=linted.advice,
                    draft=None,
                )


def _facts(
    product: Product,
    account: EtsyAccount | None,
    choice: EtsyProductChoice | None,
    mapping: PlatformMapping,
) -> Facts:
    """What is chosen for the product goes before its attributes, and these before the account."""
    general = account.choices if account is not None else {}
    decade = _decade(product, mapping)
    own = {
        name: value
        for name in ("who_made", "when_made", "is_supply")
        if choice is not None and (value := getattr(choice, name)) is not None
    }
    said = {**general, **({"when_made": decade} if decade else {}), **own}
    chosen = choice.taxonomy_id if choice else None
    place = mapping.category(product.category_code, product.department_code)
    mapped = place if chosen is None and isinstance(place, PlatformCategory) else None
    return Facts(
        taxonomy_id=int(mapped.remote_id) if mapped else chosen,
        taxonomy_path=mapped.remote_path if mapped else None,
        who_made=said.get("who_made"),
        when_made=said.get("when_made"),
        is_supply=said.get("is_supply"),
        properties=[ListingProperty.of(each) for each in (choice.properties if choice else [])],
        gap=place if chosen is None and isinstance(place, Gap) else None,
    )


def _decade(product: Product, mapping: PlatformMapping) -> str | None:
    words = product.attributes.get("decade", [])
    found = mapping.value("decade", words[0]) if words else None
    return found.remote_name if isinstance(found, PlatformValue) else None


def _missing(facts: Facts) -> Iterator[FieldProblem]:
    where = "for this product, or for all products in the terms of the Etsy channel."
    if facts.gap is not None:
        gap = facts.gap
        yield FieldProblem(gap.field, gap.message, gap.kind.value, gap.choices)
    if facts.who_made is None:
        yield FieldProblem("who_made", f"Say who made it, {where}", "who-made-missing", WHO_MADE)
    if facts.when_made is None:
        yield FieldProblem("when_made", f"Say when it was made, {where}", "when-made-missing")
    if facts.is_supply is None:
        message = f"Say whether it is a craft supply, {where}"
        yield FieldProblem("is_supply", message, "is-supply-missing", ("true", "false"))


def _draft(examined: Examined, account: EtsyAccount | None) -> ListingDraft | None:
    product, facts, making = examined.product, examined.facts, examined.facts.making
    terms = listing_terms(account) if account is not None else None
    if examined.gaps or terms is None or making is None or facts.taxonomy_id is None:
        return None
    return ListingDraft(
        product_id=product.id,
        product_version=product.version,
        title=product.title,
        description=product.description,
        photos=[
            DraftPhoto(image.sha256, image.object_key, image.alt_text) for image in product.images
        ],
        taxonomy_id=facts.taxonomy_id,
        making=making,
        tags=usable_tags(product.tags),
        properties=facts.properties,
        varies_by=product.option_names,
        variants=[
            DraftVariant(
                sku=variant.channel_key,
                price=Money(variant.price_minor, product.currency),
                quantity=variant.quantity,
                values=variant.option_values,
            )
            for variant in product.variants
        ],
        terms=terms,
        materials=usable_materials(product.attributes.get("material", ())),
        weight_grams=heaviest(product),
        size=size_of(product.attributes),
    )
