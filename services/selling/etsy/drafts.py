"""A product ready for Etsy, and how it becomes a listing with its inventory."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.gateways.etsy.inventory import Inventory, ListingProperty, OfferedProduct
from services.gateways.etsy.listings import ItemSize, ListingText, NewDraft
from services.selling.etsy.readiness import ListingTerms
from shared.money import Money


@dataclass(frozen=True, slots=True)
class DraftPhoto:
    """A photo in our store."""

    sha256: str
    object_key: str
    alt_text: str


@dataclass(frozen=True, slots=True)
class DraftVariant:
    """One SKU."""

    sku: str
    price: Money
    quantity: int
    values: Sequence[str]
    """In the order of the draft's `varies_by`."""


@dataclass(frozen=True, slots=True)
class Making:
    """What Etsy asks of every thing: who made it and when, and whether it is a craft supply."""

    who: str
    when: str
    is_supply: bool


@dataclass(frozen=True, slots=True)
class ListingDraft:
    """Everything Etsy needs for one listing; complete, or it would not exist."""

    product_id: int
    product_version: int
    title: str
    description: str
    """Plain text."""
    photos: Sequence[DraftPhoto]
    """In the order buyers see them."""
    taxonomy_id: int
    making: Making
    tags: Sequence[str]
    properties: Sequence[ListingProperty]
    varies_by: Sequence[str]
    variants: Sequence[DraftVariant]
    terms: ListingTerms
    materials: Sequence[str] = ()
    weight_grams: int | None = None
    """Of the heaviest variant: a listing at Etsy has one weight."""
    size: ItemSize | None = None

    @property
    def skus(self) -> list[str]:
        """Of all variants, in order."""
        return [variant.sku for variant in self.variants]

    @property
    def quantity(self) -> int:
        """Units of all variants together."""
        return sum(variant.quantity for variant in self.variants)

    @property
    def words(self) -> ListingText:
        """What the listing says."""
        return self._words(self.description)

    def begun(self) -> NewDraft:
        """The listing to begin.

        A new draft has no SKU yet, so our key of the first variant ends its text, where it is
        found again if Etsy's answer is lost. Buyers never see it: going live replaces the text.
        """
        cheapest = min(self.variants, key=lambda variant: variant.price.minor)
        return NewDraft(
            self._words(f"{self.description}\n\n{self.skus[0]}"),
            cheapest.price,
            self.quantity,
            self.terms.processing_profile_id,
        )

    def inventory(self) -> Inventory:
        """What the listing offers."""
        products = [
            OfferedProduct(each.sku, each.price, each.quantity, each.values)
            for each in self.variants
        ]
        return Inventory(products, self.varies_by, self.terms.processing_profile_id)

    def _words(self, description: str) -> ListingText:
        return ListingText(
            title=self.title,
            description=description,
            taxonomy_id=self.taxonomy_id,
            who_made=self.making.who,
            when_made=self.making.when,
            is_supply=self.making.is_supply,
            shipping_profile_id=self.terms.shipping_profile_id,
            return_policy_id=self.terms.return_policy_id,
            tags=self.tags,
            materials=self.materials,
            weight_grams=self.weight_grams,
            size=self.size,
        )
