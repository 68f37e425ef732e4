"""Categories, item specifics and conditions at the sandbox eBay."""

from typing import Any

import pytest

from sandbox.ebay.catalogue import Catalogue
from tests.contracts.ebay_shop import Sandbox, error_ids

TREE = "/commerce/taxonomy/v1/category_tree/0"
CONDITIONS = "/sell/metadata/v1/marketplace/EBAY_US/get_item_condition_policies"


def test_the_tree_leads_from_its_root_to_every_leaf(sandbox: Sandbox) -> None:
    """C9: leaves carry eBay's ids; branches can be asked for on their own."""
    app = sandbox.application()
    heading = app.call(
        "GET", "/commerce/taxonomy/v1/get_default_category_tree_id?marketplace_id=EBAY_US"
    ).json()
    assert heading["categoryTreeId"] == "0"
    tree = app.call("GET", TREE).json()
    assert sorted(leaves(tree["rootCategoryNode"])) == ["15687", "20625", "57990", "63861"]
    clothing = tree["rootCategoryNode"]["childCategoryTreeNodes"][0]
    path = f"{TREE}/get_category_subtree?category_id={clothing['category']['categoryId']}"
    assert app.call("GET", path).json()["categorySubtreeNode"] == clothing


def leaves(node: dict[str, Any]) -> list[str]:
    """Ids of the leaves below a node."""
    if node.get("leafCategoryTreeNode"):
        return [node["category"]["categoryId"]]
    return [leaf for child in node["childCategoryTreeNodes"] for leaf in leaves(child)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("men's t-shirt", "15687"),
        ("mugs for the kitchen", "20625"),
        ("women dress", "63861"),
        ("casual shirts", "57990"),
    ],
)
def test_suggestions_share_words_with_the_query(sandbox: Sandbox, query: str, first: str) -> None:
    """C9: plural or not, the best leaf comes first, with its way up."""
    path = f"{TREE}/get_category_suggestions"
    answer = sandbox.application().call("GET", path, params={"q": query}).json()
    best = answer["categorySuggestions"][0]
    assert best["category"]["categoryId"] == first
    assert best["categoryTreeNodeAncestors"][-1]["categoryTreeNodeLevel"] == 1


def test_even_nonsense_gets_a_suggestion(sandbox: Sandbox) -> None:
    """C9: as in the real sandbox, which answers filler; so suggestions decide nothing."""
    path = f"{TREE}/get_category_suggestions?q=zzzz"
    assert len(sandbox.application().call("GET", path).json()["categorySuggestions"]) == 1


def test_item_specifics_say_what_is_required(sandbox: Sandbox) -> None:
    """C6: aspectRequired decides; values, mode and cardinality come along."""
    path = f"{TREE}/get_item_aspects_for_category?category_id=15687"
    found = {
        aspect["localizedAspectName"]: aspect
        for aspect in sandbox.application().call("GET", path).json()["aspects"]
    }
    assert list(found) == ["Brand", "Size", "Fit", "Features"]
    size = found["Size"]
    assert size["aspectConstraint"]["aspectRequired"] is True
    assert size["aspectConstraint"]["aspectEnabledForVariations"] is True
    assert [value["localizedValue"] for value in size["aspectValues"]] == ["S", "M", "L"]
    assert found["Fit"]["aspectConstraint"]["aspectMode"] == "SELECTION_ONLY"
    assert found["Features"]["aspectConstraint"]["itemToAspectCardinality"] == "MULTI"


@pytest.mark.parametrize(
    ("category_id", "error_id"),
    [("", 62006), ("0", 62008), ("1", 62005), ("90000000", 62009)],
)
def test_only_leaves_have_item_specifics(sandbox: Sandbox, category_id: str, error_id: int) -> None:
    """C9: missing, root, unknown and branch are told apart."""
    path = f"{TREE}/get_item_aspects_for_category?category_id={category_id}"
    answer = sandbox.application().call("GET", path)
    assert (answer.status_code, error_ids(answer)) == (400, [error_id])


def test_conditions_are_asked_for_by_category(sandbox: Sandbox) -> None:
    """C9: apparel has its own words; unknown categories are a warning, not an error."""
    query = {"filter": "categoryIds:{15687|20625|1}"}
    body = sandbox.application().call("GET", CONDITIONS, params=query).json()
    found = {
        row["categoryId"]: [one["conditionId"] for one in row["itemConditions"]]
        for row in body["itemConditionPolicies"]
    }
    assert found == {
        "15687": ["1000", "1500", "2990", "3000", "3010"],
        "20625": ["1000", "3000"],
    }
    assert [warning["errorId"] for warning in body["warnings"]] == [46003]


def test_without_a_filter_all_categories_come(sandbox: Sandbox) -> None:
    """C9: and a filter that cannot be read is a warning."""
    app = sandbox.application()
    assert len(app.call("GET", CONDITIONS).json()["itemConditionPolicies"]) == 4
    odd = app.call("GET", CONDITIONS, params={"filter": "categories:1"}).json()
    assert odd["itemConditionPolicies"] == []
    assert [warning["errorId"] for warning in odd["warnings"]] == [46002]


def test_the_data_that_comes_with_the_sandbox_is_whole() -> None:
    """C9: thousands of leaves; every scope, condition and specific in it makes sense."""
    catalogue = Catalogue()
    assert len(catalogue.leaves) > 16_000
    assert not set(catalogue.leaves) & set(catalogue.branches)
    for leaf in ("15687", "20625"):
        assert any(aspect.required for aspect in catalogue.aspects(leaf))
        assert catalogue.allowed_conditions(leaf)
    for leaf in catalogue.leaves:
        assert catalogue.allowed_conditions(leaf), leaf
