"""The seller taxonomy and the properties of its nodes, from the CSV files beside this package."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

EVERYWHERE = "*"
FIRST_VALUE = 9_000_000
"""Value ids are the sandbox's own: property by property, a thousand numbers each."""
VALUES_A_PROPERTY = 1_000


@dataclass
class Node:
    """One node; roots have level 1, as in Etsy's answers."""

    taxonomy_id: int
    parent: "Node | None"
    name: str
    children: list["Node"] = field(default_factory=list)

    @property
    def path(self) -> list[int]:
        """Ids from the root to this node."""
        return [*(self.parent.path if self.parent else []), self.taxonomy_id]

    def as_json(self) -> dict[str, Any]:
        """Etsy's SellerTaxonomyNode, with everything below."""
        return {
            "id": self.taxonomy_id,
            "level": len(self.path),
            "name": self.name,
            "parent_id": self.parent.taxonomy_id if self.parent else None,
            "children": [child.as_json() for child in self.children],
            "full_path_taxonomy_ids": self.path,
        }


@dataclass(frozen=True)
class Property:
    """A property that nodes below `scope` (a taxonomy id, or everywhere) have."""

    property_id: int
    name: str
    scope: str
    attribute: bool
    variation: bool
    multivalued: bool
    values: dict[int, str]

    def as_json(self) -> dict[str, Any]:
        """Etsy's TaxonomyNodeProperty."""
        return {
            "property_id": self.property_id,
            "name": self.name,
            "display_name": self.name,
            "scales": [],
            "is_required": False,
            "supports_attributes": self.attribute,
            "supports_variations": self.variation,
            "is_multivalued": self.multivalued,
            "max_values_allowed": None,
            "possible_values": [
                {"value_id": value_id, "name": name, "scale_id": None, "equal_to": []}
                for value_id, name in self.values.items()
            ],
            "selected_values": [],
        }


class Taxonomy:
    """All nodes and properties."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(__file__).with_name("data")
        self.nodes: dict[int, Node] = {}
        for row in _rows(folder / "seller_taxonomy.csv"):
            parent = self.nodes[int(row["parent_id"])] if row["parent_id"] else None
            node = Node(int(row["taxonomy_id"]), parent, row["name"])
            self.nodes[node.taxonomy_id] = node
            if parent:
                parent.children.append(node)
        self.properties = [
            _property(place, row) for place, row in enumerate(_rows(folder / "properties.csv"))
        ]

    @cached_property
    def roots(self) -> list[dict[str, Any]]:
        """The whole tree, as Etsy answers it."""
        return [node.as_json() for node in self.nodes.values() if node.parent is None]

    def properties_of(self, taxonomy_id: int) -> list[Property]:
        """What listings of a node can say; empty for an unknown node."""
        node = self.nodes.get(taxonomy_id)
        if node is None:
            return []
        scopes = {EVERYWHERE, *map(str, node.path)}
        return [one for one in self.properties if one.scope in scopes]


def _property(place: int, row: dict[str, str]) -> Property:
    first = FIRST_VALUE + place * VALUES_A_PROPERTY
    names = row["values"].split("|") if row["values"] else []
    return Property(
        property_id=int(row["property_id"]),
        name=row["name"],
        scope=row["scope"],
        attribute=row["attribute"] == "1",
        variation=row["variation"] == "1",
        multivalued=row["multivalued"] == "1",
        values=dict(enumerate(names, first)),
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
