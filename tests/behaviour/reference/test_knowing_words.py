"""Words of sellers mean one value of ours, or none."""

import pytest
from sqlalchemy import event

from services.reference.attributes.lookup import AttributeLookup
from shared.database import Database


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("New with tags", "new_with_tags"),
        ("  NWT ", "new_with_tags"),
        ("neuf avec étiquette", "new_with_tags"),
        ("new", "new"),
        ("Used - Good", "good"),
        ("used_good", "good"),
        ("pre-owned", "good"),
        ("Pre-owned \u2013 Excellent", "excellent"),
        ("like_new", "like_new"),
        ("mint-ish", None),
        ("", None),
    ],
)
def test_a_condition_is_known_by_its_words(
    lookup: AttributeLookup, word: str, code: str | None
) -> None:
    """ST10, C9."""
    assert lookup.condition(word) == code


@pytest.mark.parametrize(
    ("word", "code"),
    [("mens", "men"), ("Ladies", "women"), ("FEMME", "women"), ("kids", "unisex_kids")],
)
def test_a_department_is_known_by_its_words(lookup: AttributeLookup, word: str, code: str) -> None:
    """ST10."""
    assert lookup.department(word) == code


@pytest.mark.parametrize(
    ("gender", "age_group", "code"),
    [
        ("female", "adults", "women"),
        ("Male", "adult", "men"),
        ("Female", "kids", "girls"),
        ("unisex", "kids", "unisex_kids"),
        ("male", "toddler", "baby_boys"),
        ("female", None, None),
        (None, "adults", None),
        ("female", "all ages", None),
    ],
)
def test_gender_and_age_together_make_a_department(
    lookup: AttributeLookup, gender: str | None, age_group: str | None, code: str | None
) -> None:
    """C9: a gender alone is never taken for an age."""
    assert lookup.department_of(gender, age_group) == code


def test_a_gender_alone_is_no_department(lookup: AttributeLookup) -> None:
    """C9."""
    assert lookup.department("female") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Apparel & Accessories > Clothing > Clothing Tops > T-Shirts", "aa-1-13-8"),
        ("apparel & accessories > clothing > clothing tops > t-shirts", "aa-1-13-8"),
        ("T-Shirts", "aa-1-13-8"),
        ("Hoodie", "aa-1-13-13"),
        ("JEANS", "aa-1-12-4"),
        ("aa-1-4", "aa-1-4"),
        ("AA-1-4", "aa-1-4"),
        ("Apparel & Accessories > Clothing > Spacesuits", None),
        ("Outdoor", None),
        ("", None),
    ],
)
def test_a_category_is_known_by_path_code_or_word(
    lookup: AttributeLookup, text: str, code: str | None
) -> None:
    """ST10, C9."""
    category = lookup.category(text)
    assert (category.code if category else None) == code


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("Colour", "color"),
        ("color-pattern", "color"),
        ("Target gender", "gender"),
        ("skirt-dress-length-type", "dress_length"),
        ("condition_grade", "condition"),
        ("Blorp", None),
    ],
)
def test_columns_and_options_name_our_attributes(
    lookup: AttributeLookup, name: str, attribute: str | None
) -> None:
    """ST10."""
    assert lookup.attribute(name) == attribute


def test_a_thousand_words_cost_three_queries(
    lookup: AttributeLookup, worker_database: Database
) -> None:
    """ST10."""
    statements: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("SET LOCAL"):
            statements.append(statement)

    event.listen(worker_database.engine, "before_cursor_execute", count)
    try:
        lookup.learn_categories([f"Nonsense {number}" for number in range(500)] + ["Jeans"])
        for number in range(500):
            assert lookup.category(f"nonsense {number}") is None
            assert lookup.condition("used - good") == "good"
    finally:
        event.remove(worker_database.engine, "before_cursor_execute", count)
    assert len(statements) == 3
