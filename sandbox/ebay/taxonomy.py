"""Taxonomy API: the category tree, suggestions, item specifics."""

from dataclasses import dataclass
from typing import Any

from sandbox.answers import Answer
from sandbox.ebay.apis import ASPECTS_READ, PUBLIC, TAXONOMY
from sandbox.ebay.catalogue import MAX_ASPECT_VALUE, SEPARATOR, Aspect, Catalogue, ancestors
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.values import SITES, SITES_BY_TREE, Site

VERSION = "119"
ROOT = {"categoryId": "0", "categoryName": "Root"}


def _heading(site: Site) -> dict[str, str]:
    return {"categoryTreeId": site.tree_id, "categoryTreeVersion": VERSION}


@dataclass(frozen=True)
class _Tree:
    """One site's tree, and the address that leads to parts of it."""

    site: Site
    catalogue: Catalogue
    base_url: str

    @property
    def heading(self) -> dict[str, str]:
        return _heading(self.site)

    def href(self, category_id: str) -> str:
        tree = f"{self.base_url}{TAXONOMY.base_path}/category_tree/{self.site.tree_id}"
        return f"{tree}/get_category_subtree?category_id={category_id}"


def _checked_tree(call: Call) -> _Tree:
    site = SITES_BY_TREE.get(call.path["category_tree_id"])
    if site is None:
        raise EbayError(404, error(62004, "The category tree ID was not found."))
    return _Tree(site, call.sandbox.catalogue_of(site.marketplace_id), call.base_url)


def _default_tree(call: Call) -> Answer:
    marketplace = call.query.get("marketplace_id")
    if not marketplace:
        raise EbayError(400, error(62002, "The marketplace ID is missing."))
    if marketplace not in SITES:
        raise EbayError(400, error(62003, "The marketplace ID was not found."))
    return Answer(200, _heading(SITES[marketplace]))


def _tree(call: Call) -> Answer:
    tree = _checked_tree(call)
    children = [_node(tree, path) for path in sorted(_children(tree.catalogue, ""))]
    root = {"category": ROOT, "categoryTreeNodeLevel": 0, "childCategoryTreeNodes": children}
    body = {"applicableMarketplaceIds": [tree.site.marketplace_id], "rootCategoryNode": root}
    return Answer(200, {**tree.heading, **body})


def _subtree(call: Call) -> Answer:
    tree = _checked_tree(call)
    body = {"categorySubtreeNode": _node(tree, _checked_category(call, tree.catalogue))}
    return Answer(200, {**tree.heading, **body})


def _checked_category(call: Call, catalogue: Catalogue) -> str:
    category_id = call.query.get("category_id")
    if not category_id:
        raise EbayError(400, error(62006, "The category ID is missing."))
    if category_id == ROOT["categoryId"]:
        raise EbayError(400, error(62008, "The category ID is the root of the tree."))
    path = catalogue.leaves.get(category_id) or catalogue.branches.get(category_id)
    if path is None:
        raise EbayError(400, error(62005, "The category ID does not belong to the tree."))
    return path


def _suggestions(call: Call) -> Answer:
    tree = _checked_tree(call)
    query = call.query.get("q", "").strip()
    if not query:
        raise EbayError(400, error(62007, "The keyword 'q' is missing."))
    found = [_suggestion(tree, leaf) for leaf in tree.catalogue.suggestions(query)]
    return Answer(200, {**tree.heading, "categorySuggestions": found})


def _suggestion(tree: _Tree, leaf: str) -> dict[str, Any]:
    catalogue = tree.catalogue
    path = catalogue.leaves[leaf]
    above = [
        {
            "categoryId": catalogue.branch_ids[branch],
            "categoryName": _name(branch),
            "categoryTreeNodeLevel": _level(branch),
            "categorySubtreeNodeHref": tree.href(catalogue.branch_ids[branch]),
        }
        for branch in reversed(ancestors(path))
    ]
    return {
        "category": {"categoryId": leaf, "categoryName": _name(path)},
        "categoryTreeNodeAncestors": above,
        "categoryTreeNodeLevel": _level(path),
    }


def _aspects(call: Call) -> Answer:
    catalogue = _checked_tree(call).catalogue
    _checked_category(call, catalogue)
    category_id = call.query["category_id"]
    if category_id not in catalogue.leaves:
        raise EbayError(400, error(62009, "The category ID must be a leaf category."))
    found = catalogue.aspects(category_id)
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


def _node(tree: _Tree, path: str) -> dict[str, Any]:
    catalogue = tree.catalogue
    node_id = catalogue.branch_ids.get(path)
    leaf = catalogue.leaf_ids.get(path)
    above = ancestors(path)
    node: dict[str, Any] = {
        "category": {"categoryId": node_id or leaf, "categoryName": _name(path)},
        "categoryTreeNodeLevel": _level(path),
    }
    if above:
        node["parentCategoryTreeNodeHref"] = tree.href(catalogue.branch_ids[above[-1]])
    if node_id is None:
        node["leafCategoryTreeNode"] = True
    else:
        node["childCategoryTreeNodes"] = [
            _node(tree, child) for child in _children(catalogue, path)
        ]
    return node


def _children(catalogue: Catalogue, path: str) -> list[str]:
    return catalogue.children.get(path, [])


def _name(path: str) -> str:
    return path.rsplit(SEPARATOR, 1)[-1]


def _level(path: str) -> int:
    return path.count(SEPARATOR) + 1


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
