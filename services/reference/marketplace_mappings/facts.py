"""What goes into the mapping and what comes out: values, or gaps with a name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

MAPPED_SITE = "EBAY_US"
"""The one site of eBay's whose categories our mapping knows: of no other is there a source."""


class GapKind(StrEnum):
    """Why a product cannot be listed as it is. Stable: clients may branch on it."""

    CATEGORY_MISSING = "category-missing"
    CATEGORY_NOT_MAPPED = "category-not-mapped"
    CATEGORY_UNKNOWN_ON_SITE = "category-unknown-on-site"
    DEPARTMENT_MISSING = "department-missing"
    CONDITION_MISSING = "condition-missing"
    CONDITION_NOT_ACCEPTED = "condition-not-accepted"
    REQUIREMENTS_UNKNOWN = "requirements-unknown"
    ASPECT_MISSING = "aspect-missing"
    ASPECT_VALUE_NOT_ACCEPTED = "aspect-value-not-accepted"
    ASPECT_TAKES_ONE_VALUE = "aspect-takes-one-value"
    ASPECT_CANNOT_VARY = "aspect-cannot-vary"
    VARIANTS_ALIKE = "variants-alike"
    VALUE_NOT_MAPPED = "value-not-mapped"


@dataclass(frozen=True)
class Gap:
    """One thing the seller has to settle, or, when not blocking, one that is left out."""

    kind: GapKind
    field: str
    """The product's field to change, such as `condition` or `attributes.size_type`."""
    message: str
    """For the seller."""
    choices: tuple[str, ...] = ()
    """What would be accepted, where that is a short list."""
    blocking: bool = True


@dataclass(frozen=True)
class ProductFacts:
    """What the mapping has to know of a product; independent of how it is stored."""

    category_code: str | None
    condition_code: str | None
    department_code: str | None
    brand: str | None
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Values by the name of our attribute or, for what only eBay knows, by eBay's own name."""
    option_names: Sequence[str] = ()
    variants: Sequence[Sequence[str]] = ((),)
    """Of each variant, its option values in the order of `option_names`."""
    ebay_category_id: str | None = None
    """A category of eBay's own that the seller chose; it goes before the mapping."""


@dataclass(frozen=True)
class AspectFacts:
    """Item specifics, and what is wrong with them."""

    shared: Mapping[str, tuple[str, ...]]
    """Values by aspect name, alike for all variants."""
    by_variant: tuple[Mapping[str, str], ...]
    """Of each variant, the aspects in which the variants differ; empty for a single variant."""
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class EbayResolution:
    """A product in eBay's words."""

    category_id: str | None
    category_path: str | None
    condition_id: int | None
    condition_enum: str | None
    aspects: Mapping[str, tuple[str, ...]]
    variant_aspects: tuple[Mapping[str, str], ...]
    gaps: tuple[Gap, ...]

    @property
    def is_complete(self) -> bool:
        """Whether eBay has everything it asks for, as far as its own answers tell."""
        return not any(gap.blocking for gap in self.gaps)
