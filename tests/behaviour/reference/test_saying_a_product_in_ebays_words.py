"""A product becomes category, condition and item specifics of eBay, or gaps with names."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from services.reference.marketplace_mappings.ebay import EbayMapping
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from services.reference.marketplace_mappings.facts import EbayResolution, GapKind, ProductFacts
from shared.database import PlatformSession
from tests.factories.reference import A_SHIRT, shirt_with, shirt_without

MENS_T_SHIRTS = "15687"

ASKED = [MENS_T_SHIRTS, "53159", "175521", "155199", "163543", "101415", "11483"]
"""The eBay categories that the products below lead to."""


@pytest.fixture(autouse=True)
def ebay_was_asked(refresh: EbayRefresh) -> None:
    refresh.run(ASKED)


def kinds(resolution: EbayResolution) -> list[tuple[GapKind, str]]:
    return [(gap.kind, gap.field) for gap in resolution.gaps]


def test_a_complete_product_has_no_gaps(mapping: EbayMapping) -> None:
    """C6."""
    found = mapping.resolve(A_SHIRT)
    assert found.gaps == ()
    assert found.is_complete
    assert found.category_id == MENS_T_SHIRTS
    assert found.category_path is not None
    assert found.category_path.endswith("Men's Clothing > Shirts > T-Shirts")
    assert (found.condition_id, found.condition_enum) == (3000, "USED_EXCELLENT")
    assert found.aspects == {
        "Brand": ("Patagonia",),
        "Color": ("Blue",),
        "Department": ("Men",),
        "Size": ("M",),
        "Size Type": ("Regular",),
        "Sleeve Length": ("Short Sleeve",),
        "Type": ("T-Shirt",),
    }
    assert found.variant_aspects == ()


def test_all_that_is_missing_is_said_at_once(mapping: EbayMapping) -> None:
    """C6."""
    bare = replace(A_SHIRT, brand=None, condition_code=None, attributes={"size": [" "]})
    found = mapping.resolve(bare)
    assert sorted(kinds(found)) == [
        (GapKind.ASPECT_MISSING, "attributes.color"),
        (GapKind.ASPECT_MISSING, "attributes.size"),
        (GapKind.ASPECT_MISSING, "attributes.size_type"),
        (GapKind.ASPECT_MISSING, "attributes.sleeve_length"),
        (GapKind.ASPECT_MISSING, "brand"),
        (GapKind.CONDITION_MISSING, "condition"),
    ]
    assert not found.is_complete


def test_a_gap_offers_what_ebay_accepts(mapping: EbayMapping) -> None:
    """C6."""
    (gap,) = mapping.resolve(shirt_without("size_type")).gaps
    assert gap.choices == ("Regular", "Big & Tall")
    assert "Size Type" in gap.message


@pytest.mark.parametrize(
    ("department", "ebay_id"),
    [("men", "15687"), ("women", "53159"), ("boys", "175521"), ("unisex_kids", "155199")],
)
def test_the_department_chooses_the_category(
    mapping: EbayMapping, department: str, ebay_id: str
) -> None:
    """C9."""
    found = mapping.resolve(replace(A_SHIRT, department_code=department))
    assert found.category_id == ebay_id


def test_without_a_department_there_is_no_category(mapping: EbayMapping) -> None:
    """C9: nothing is guessed."""
    found = mapping.resolve(replace(A_SHIRT, department_code=None))
    assert found.category_id is None
    (gap,) = found.gaps
    assert (gap.kind, gap.field) == (GapKind.DEPARTMENT_MISSING, "department")
    assert {"men", "women", "boys", "girls"} <= set(gap.choices)


@pytest.mark.parametrize(
    ("category", "department", "kind", "field"),
    [
        (None, "men", GapKind.CATEGORY_MISSING, "category"),
        ("sg-1", "men", GapKind.CATEGORY_NOT_MAPPED, "category"),
        ("aa", "men", GapKind.CATEGORY_NOT_MAPPED, "category"),
        ("no-such-code", "men", GapKind.CATEGORY_NOT_MAPPED, "category"),
        ("aa-1-4", "men", GapKind.CATEGORY_NOT_MAPPED, "department"),
        ("aa-1-12-5", "men", GapKind.CATEGORY_NOT_MAPPED, "department"),
    ],
)
def test_an_unmapped_category_is_a_gap_and_never_a_neighbour(
    mapping: EbayMapping, category: str | None, department: str, kind: GapKind, field: str
) -> None:
    """C9."""
    found = mapping.resolve(replace(A_SHIRT, category_code=category, department_code=department))
    assert kinds(found) == [(kind, field)]
    assert (found.category_id, found.condition_id, found.aspects) == (None, None, {})


def test_a_category_below_a_mapped_one_goes_where_its_parent_goes(mapping: EbayMapping) -> None:
    """C9: only where the mapping says that it covers what is below."""
    beanie = ProductFacts("aa-2-17-2", "fair", "unisex_adults", "Unbranded")
    found = mapping.resolve(beanie)
    assert found.category_id == "163543"
    assert found.aspects["Style"] == ("Beanie",)


def test_the_sellers_own_ebay_category_goes_before_the_mapping(mapping: EbayMapping) -> None:
    """C9."""
    chosen = replace(A_SHIRT, ebay_category_id="101415", category_code=None)
    found = mapping.resolve(chosen)
    assert (found.category_id, found.condition_id) == ("101415", 3000)
    assert kinds(found) == [(GapKind.ASPECT_MISSING, "attributes.type")]


def test_a_category_that_ebay_does_not_split_needs_no_department(mapping: EbayMapping) -> None:
    """C9."""
    vase = ProductFacts("hg-3-67", "good", None, "Unbranded")
    found = mapping.resolve(vase)
    assert (found.category_id, found.gaps) == ("101415", ())
    assert found.aspects == {"Brand": ("Unbranded",), "Type": ("Vase",)}


@pytest.mark.parametrize(
    ("grade", "category", "department", "ebay_condition"),
    [
        ("new_with_tags", "aa-1-13-8", "men", 1000),
        ("new", "aa-1-13-8", "men", 1500),
        ("new_with_defects", "aa-1-13-8", "men", 1750),
        ("like_new", "aa-1-13-8", "men", 2990),
        ("very_good", "aa-1-13-8", "men", 3000),
        ("fair", "aa-1-13-8", "men", 3010),
        ("excellent", "hg-3-67", None, 3000),
        ("fair", "hg-3-67", None, 3000),
    ],
)
def test_the_first_accepted_condition_is_taken(
    mapping: EbayMapping, grade: str, category: str, department: str | None, ebay_condition: int
) -> None:
    """C9."""
    found = mapping.resolve(
        replace(A_SHIRT, category_code=category, department_code=department, condition_code=grade)
    )
    assert found.condition_id == ebay_condition


@pytest.mark.parametrize("grade", ["for_parts", "no_such_grade"])
def test_a_condition_that_ebay_refuses_is_named_with_those_it_takes(
    mapping: EbayMapping, grade: str
) -> None:
    """C6, C9."""
    found = mapping.resolve(replace(A_SHIRT, condition_code=grade))
    (gap,) = found.gaps
    assert (gap.kind, gap.field) == (GapKind.CONDITION_NOT_ACCEPTED, "condition")
    assert "good" in gap.choices
    assert "for_parts" not in gap.choices
    assert found.condition_id is None


@pytest.mark.parametrize(
    ("attribute", "said", "aspect", "ebays_word"),
    [
        ("color", "grey", "Color", "Gray"),
        ("color", "NAVY", "Color", "Blue"),
        ("color", "Teal", "Color", "Teal"),
        ("size", "Medium (M)", "Size", "M"),
        ("size", "xxl", "Size", "2XL"),
        ("size_type", "regular", "Size Type", "Regular"),
        ("size_type", "big and tall", "Size Type", "Big & Tall"),
        ("sleeve_length", "long", "Sleeve Length", "Long Sleeve"),
        ("material", "faux-leather", "Material", "Faux Leather"),
    ],
)
def test_values_are_said_in_ebays_words(
    mapping: EbayMapping, attribute: str, said: str, aspect: str, ebays_word: str
) -> None:
    """C6."""
    found = mapping.resolve(shirt_with(**{attribute: [said]}))
    assert found.aspects[aspect] == (ebays_word,)
    assert found.gaps == ()


def test_what_the_seller_says_goes_before_what_the_category_implies(mapping: EbayMapping) -> None:
    """C6."""
    assert mapping.resolve(shirt_with(type=["Henley"])).aspects["Type"] == ("Henley",)


def test_ebays_own_names_may_be_used_for_what_we_do_not_know(
    mapping: EbayMapping,
) -> None:
    """C6."""
    product = replace(A_SHIRT, category_code="aa-1-12-4")
    product = replace(
        product, attributes={**product.attributes, "Fabric Wash": ["dark"], "Style": ["slim"]}
    )
    found = mapping.resolve(product)
    assert found.aspects["Fabric Wash"] == ("Dark",)
    assert found.aspects["Style"] == ("Slim",)
    assert kinds(found) == [(GapKind.ASPECT_MISSING, "attributes.inseam")]


def test_a_value_outside_a_closed_list_is_refused_and_not_sent(mapping: EbayMapping) -> None:
    """C6."""
    found = mapping.resolve(shirt_with(size_type=["Gigantic"]))
    (gap,) = found.gaps
    assert (gap.kind, gap.blocking) == (GapKind.ASPECT_VALUE_NOT_ACCEPTED, True)
    assert "Gigantic" in gap.message
    assert gap.choices == ("Regular", "Big & Tall")
    assert "Size Type" not in found.aspects


def test_two_values_where_one_is_taken_are_refused(mapping: EbayMapping) -> None:
    """C6."""
    found = mapping.resolve(shirt_with(color=["Blue", "White"], material=["cotton", "linen"]))
    assert kinds(found) == [(GapKind.ASPECT_TAKES_ONE_VALUE, "attributes.color")]
    assert found.aspects["Material"] == ("Cotton", "Linen")


def test_a_refused_value_of_an_optional_aspect_is_left_out_and_said(mapping: EbayMapping) -> None:
    """C6: the product can still be listed."""
    found = mapping.resolve(shirt_with(pattern=["x" * 66]))
    (gap,) = found.gaps
    assert (gap.field, gap.blocking) == ("attributes.pattern", False)
    assert "Pattern" not in found.aspects
    assert found.is_complete


def test_variants_carry_what_they_differ_in(mapping: EbayMapping) -> None:
    """C6."""
    product = replace(shirt_without("size"), option_names=["Size"], variants=[["Medium"], ["L"]])
    found = mapping.resolve(product)
    assert found.gaps == ()
    assert found.variant_aspects == ({"Size": "M"}, {"Size": "L"})
    assert "Size" not in found.aspects


def test_the_option_of_a_single_variant_describes_the_product(mapping: EbayMapping) -> None:
    """C6."""
    product = replace(shirt_without("size"), option_names=["Size"], variants=[["Medium"]])
    found = mapping.resolve(product)
    assert (found.aspects["Size"], found.variant_aspects) == (("M",), ())
    assert found.gaps == ()


def test_an_option_that_only_the_seller_knows_keeps_its_name(mapping: EbayMapping) -> None:
    """C6."""
    product = replace(A_SHIRT, option_names=["Monogram"], variants=[["A"], ["B"]])
    found = mapping.resolve(product)
    assert found.variant_aspects == ({"Monogram": "A"}, {"Monogram": "B"})
    assert found.gaps == ()


def test_variants_may_not_differ_where_ebay_forbids_it(mapping: EbayMapping) -> None:
    """C6."""
    product = replace(
        shirt_without("size_type"),
        option_names=["Size type"],
        variants=[["Regular"], ["Big & Tall"]],
    )
    found = mapping.resolve(product)
    assert (GapKind.ASPECT_CANNOT_VARY, "option_names") in kinds(found)
    assert not found.is_complete


def test_variants_that_ebay_cannot_tell_apart_are_refused(mapping: EbayMapping) -> None:
    """C6."""
    product = replace(shirt_without("size"), option_names=["Size"], variants=[["L"], ["Large"]])
    assert kinds(mapping.resolve(product)) == [(GapKind.VARIANTS_ALIKE, "variants")]


def test_before_ebay_was_asked_nothing_is_promised(
    mapping: EbayMapping, session: PlatformSession
) -> None:
    """C6: no empty list of requirements is taken for "nothing required"."""
    session.execute(text("DELETE FROM product_attributes.ebay_category_refreshes"))
    found = mapping.resolve(A_SHIRT)
    assert kinds(found) == [(GapKind.REQUIREMENTS_UNKNOWN, "category")]
    assert not found.is_complete
    assert found.aspects == {}
