"""Categories, sizes, colours, brands and conditions, from the CSV files beside this package."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
CONDITIONS = {
    6: "Neuf avec étiquette",
    1: "Neuf sans étiquette",
    2: "Très bon état",
    3: "Bon état",
    4: "Satisfaisant",
}
PACKAGE_SIZES = {1: "Petit", 2: "Moyen", 3: "Grand"}


@dataclass
class Catalog:
    """One category."""

    catalog_id: int
    parent: "Catalog | None"
    title: str
    code: str
    size_groups: list[int]
    """Empty where the category has no sizes, and above the leaves."""
    has_brand: bool
    has_color: bool
    children: list["Catalog"] = field(default_factory=list)

    @property
    def path(self) -> list[str]:
        """Titles from the root to here."""
        return [*(self.parent.path if self.parent else []), self.title]

    def as_json(self) -> dict[str, Any]:
        """Vinted's catalog, with everything below."""
        return {
            "id": self.catalog_id,
            "title": self.title,
            "code": self.code,
            "url": f"/catalog/{self.catalog_id}",
            "catalogs": [child.as_json() for child in self.children],
        }


@dataclass(frozen=True)
class Size:
    """A size in one of the groups."""

    group_id: int
    group: str
    size_id: int
    title: str


class Catalogue:
    """Read once for a sandbox."""

    @cached_property
    def catalogs(self) -> dict[int, Catalog]:
        """Every category by its number."""
        rows = {int(row["catalog_id"]): row for row in _rows("catalogs")}
        found: dict[int, Catalog] = {}

        def made(number: int) -> Catalog:
            if number not in found:
                row = rows[number]
                parent = made(int(row["parent_id"])) if row["parent_id"] else None
                groups = [int(group) for group in row["size_groups"].split("|") if group]
                looks = row["brand"] == "1", row["color"] == "1"
                found[number] = Catalog(number, parent, row["title"], row["code"], groups, *looks)
                if parent is not None:
                    parent.children.append(found[number])
            return found[number]

        return {number: made(number) for number in rows}

    @cached_property
    def sizes(self) -> dict[int, Size]:
        """Every size by its number."""
        rows = (
            Size(int(row["group_id"]), row["group"], int(row["size_id"]), row["title"])
            for row in _rows("sizes")
        )
        return {size.size_id: size for size in rows}

    @cached_property
    def colors(self) -> dict[int, dict[str, Any]]:
        """Every colour by its number."""
        return {
            int(row["color_id"]): {
                "id": int(row["color_id"]),
                "title": row["title"],
                "hex": row["hex"],
                "code": row["title"].upper().replace(" ", "_"),
            }
            for row in _rows("colors")
        }

    @cached_property
    def brands(self) -> dict[int, str]:
        """Names by number; the real site knows many more."""
        return {int(row["brand_id"]): row["title"] for row in _rows("brands")}

    @cached_property
    def materials(self) -> dict[int, str]:
        """Names by number."""
        return {int(row["material_id"]): row["title"] for row in _rows("materials")}

    def size_groups(self, catalog: Catalog) -> list[dict[str, Any]]:
        """The groups of sizes a category has."""
        return [
            {
                "id": group,
                "title": sizes[0].group,
                "sizes": [{"id": size.size_id, "title": size.title} for size in sizes],
            }
            for group in catalog.size_groups
            for sizes in [[size for size in self.sizes.values() if size.group_id == group]]
        ]


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
