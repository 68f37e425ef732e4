"""Taxonomy API: the category tree, suggestions, item specifics."""

from typing import Any

from sandbox.answers import Answer
from sandbox.ebay.apis import ASPECTS_READ, PUBLIC, TAXONOMY
from sandbox.ebay.catalogue import MAX_ASPECT_VALUE, SEPARATOR, Aspect, Catalogue, ancestors
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.values import CATEGORY_TREES

VERSION = "119"
ROOT = {"categoryId": "0", "categoryName": "Root"}


def _heading(tree_id: str) -> dict[str, str]:
    return {"categoryTreeId": tree_id, "categoryTreeVersion": VERSION}


def _checked_tree(call: Call) -> str:
    tree_id = call.path["category_tree_id"]
    if tree_id not in CATEGORY_TREES.values():
        raise EbayError(404, error(62004, "The category tree ID was not found."))
    return tree_id


def _default_tree(call: Call) -> Answer:
    marketplace = call.query.get("marketplace_id")
    if not marketplace:
        raise EbayError(400, error(62002, "The marketplace ID is missing."))
    if marketplace not in CATEGORY_TREES:
        raise EbayError(400, error(62003, "The marketplace ID was not found."))
    return Answer(200, _heading(CATEGORY_TREES[marketplace]))


def _tree(call: Call) -> Answer:
    tree_id = _checked_tree(call)
    catalogue = call.sandbox.catalogue
    children = [_node(catalogue, path, call.base_url) for path in sorted(_children(catalogue, ""))]
    root = {"category": ROOT, "categoryTreeNodeLevel": 0, "childCategoryTreeNodes": children}
    body = {"applicableMarketplaceIds": ["EBAY_US"], "rootCategoryNode": root}
    return Answer(200, {**_heading(tree_id), **body})


def _subtree(call: Call) -> Answer:
    tree_id = _checked_tree(call)
    catalogue = call.sandbox.catalogue
    path = _checked_category(call)
    body = {"categorySubtreeNode": _node(catalogue, path, call.base_url)}
    return Answer(200, {**_heading(tree_id), **body})


def _checked_category(call: Call) -> str:
    category_id = call.query.get("category_id")
    catalogue = call.sandbox.catalogue
    if not category_id:
        raise EbayError(400, error(62006, "The category ID is missing."))
    if category_id == ROOT["categoryId"]:
        raise EbayError(400, error(62008, "The category ID is the root of the tree."))
    path = catalogue.leaves.get(category_id) or catalogue.branches.get(category_id)
    if path is None:
        raise EbayError(400, error(62005, "The category ID does not belong to the tree."))
    return path


def _suggestions(call: Call) -> Answer:
    tree_id = _checked_tree(call)
    query = call.query.get("q", "").strip()
    if not query:
        raise EbayError(400, error(62007, "The keyword 'q' is missing."))
    catalogue = call.sandbox.catalogue
    found = [_suggestion(catalogue, leaf, call.base_url) for leaf in catalogue.suggestions(query)]
    return Answer(200, {**_heading(tree_id), "categorySuggestions": found})


def _suggestion(catalogue: Catalogue, leaf: str, base_url: str) -> dict[str, Any]:
    path = catalogue.leaves[leaf]
    above = [
        {
            "categoryId": catalogue.branch_ids[branch],
            "categoryName": _name(branch),
            "categoryTreeNodeLevel": _level(branch),
            "categorySubtreeNodeHref": _href(base_url, catalogue.branch_ids[branch]),
        }
        for branch in reversed(ancestors(path))
    ]
    return {
        "category": {"categoryId": leaf, "categoryName": _name(path)},
        "categoryTreeNodeAncestors": above,
        "categoryTreeNodeLevel": _level(path),
    }


def _aspects(call: Call) -> Answer:
    _checked_tree(call)
    _checked_category(call)
    category_id = call.query["category_id"]
    if category_id not in call.sandbox.catalogue.leaves:
        raise EbayError(400, error(62009, "The category ID must be a leaf category."))
    found = call.sandbox.catalogue.aspects(category_id)
    return Answer(200, {"aspects": [_aspect(aspect) for aspect in found]})


def _aspect(aspect: Aspect) -> dict[str, Any]:
    return {
        "localizedAspectName": aspect.name,
        "aspectConstraint": {
            "aspectApplicableTo": ["ITEM" if aspect.variant else "PRODUCT"],
            "aspectDataType": "STRING" if aspect.cardinality == "SINGLE" else "STRING_ARRAY",
            "aspectEnabledForVariations": aspect.variant,
            "aspectMaxLength": MAX_ASPECT_VALUE,
            "aspectMode": aspect.mode,
            "aspectRequired": aspect.required,
            "aspectUsage": "RECOMMENDED",
            "itemToAspectCardinality": aspect.cardinality,
        },
        "aspectValues": [{"localizedValue": value} for value in aspect.values],
    }


def _node(catalogue: Catalogue, path: str, base_url: str) -> dict[str, Any]:
    node_id = catalogue.branch_ids.get(path)
    leaf = catalogue.leaf_ids.get(path)
    above = ancestors(path)
    node: dict[str, Any] = {
        "category": {"categoryId": node_id or leaf, "categoryName": _name(path)},
        "categoryTreeNodeLevel": _level(path),
    }
    if above:
        node["parentCategoryTreeNodeHref"] = _href(base_url, catalogue.branch_ids[above[-1]])
    if node_id is None:
        node["leafCategoryTreeNode"] = True
    else:
        node["childCategoryTreeNodes"] = [
            _node(catalogue, child, base_url) for child in _children(catalogue, path)
        ]
    return node


def _children(catalogue: Catalogue, path: str) -> list[str]:
    return catalogue.children.get(path, [])


def _name(path: str) -> str:
    return path.rsplit(SEPARATOR, 1)[-1]


def _level(path: str) -> int:
    return path.count(SEPARATOR) + 1


def _href(base_url: str, category_id: str) -> str:
    tree = f"{base_url}{TAXONOMY.base_path}/category_tree/{CATEGORY_TREES['EBAY_US']}"
    return f"{tree}/get_category_subtree?category_id={category_id}"


_TREE = "/category_tree/{category_tree_id}"

TAXONOMY_OPERATIONS = (
    Operation(
        "getDefaultCategoryTreeId", "GET", "/get_default_category_tree_id", TAXONOMY, PUBLIC,
        _default_tree,
    ),
    Operation("getCategoryTree", "GET", _TREE, TAXONOMY, PUBLIC, _tree),
    Operation(
        "getCategorySubtree", "GET", f"{_TREE}/get_category_subtree", TAXONOMY, PUBLIC, _subtree
    ),
    Operation(
        "getCategorySuggestions", "GET", f"{_TREE}/get_category_suggestions", TAXONOMY, PUBLIC,
        _suggestions,
    ),
    Operation(
        "getItemAspectsForCategory", "GET", f"{_TREE}/get_item_aspects_for_category", TAXONOMY,
        ASPECTS_READ, _aspects,
    ),
)  # fmt: skip
