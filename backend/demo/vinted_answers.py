"""What the demo's seller chooses where StoFlow cannot know: a place at Vinted, and a size there."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from backend.demo.shop import Shop

KEEPS_OFF = frozenset({"variants-not-possible", "one-piece-only"})
"""What no answer mends: Vinted lists single pieces."""

WEARERS: Mapping[str, Sequence[str]] = {
    "unisex_adults": ("women", "men"),
    "unisex_kids": ("girls", "boys"),
}
"""Among whom the seller puts what anybody wears; Vinted has no place for both."""

BRANCHES: Mapping[str, str] = {
    "women": "Women > ",
    "men": "Men > ",
    "girls": "Kids > Girls clothing > ",
    "boys": "Kids > Boys clothing > ",
}
"""Where Vinted keeps what they wear."""

LESS_IN_BRITAIN: Mapping[tuple[str, str], float] = {
    ("Women > Clothes > ", "size"): 18,
    ("Women > Shoes > ", "shoe_size"): 2,
}
"""What a size chart takes off: a waist in inches of 28 is a British 10, an American shoe of 8 a
British 6. By the place at Vinted and what the product says.
"""

_SHORTEST_WORD = 4


class VintedAnswers:
    """Reads the product and picks from what is offered; says nothing rather than a wrong thing."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._chosen: dict[int, dict[str, int]] = {}

    def choose_place(self, product_id: int) -> bool:
        """Put it where its category is for who wears it, else where its title points to."""
        product = self._shop.call("GET", f"/api/v1/products/{product_id}")
        wearers = WEARERS.get(product["department"], (product["department"],))
        found = self._mapped_place(product, wearers) or self._named_place(product, wearers)
        return found is not None and self._choose(product_id, catalog_id=int(found))

    def choose_size(self, view: Any, choices: Sequence[str]) -> bool:
        """Read Vinted's size off a chart; `choices` are Vinted's, such as `4: M / 10`."""
        product_id, path = view["product_id"], view["catalog_path"] or ""
        attributes = self._shop.call("GET", f"/api/v1/products/{product_id}")["attributes"]
        for (place, attribute), less in LESS_IN_BRITAIN.items():
            words = attributes.get(attribute, []) if path.startswith(place) else []
            if words and re.fullmatch(r"\d+(\.5)?", words[0]):
                british = f"{float(words[0]) - less:g}"
                for number, label in (choice.split(": ", 1) for choice in choices):
                    if label.split(" / ")[-1] == british:
                        return self._choose(product_id, size_id=int(number))
        return False

    def _mapped_place(self, product: Any, wearers: Sequence[str]) -> str | None:
        if product["category"] is None:
            return None
        shown = self._shop.call("GET", f"/api/v1/categories/{product['category']}")
        places = {
            place["department"]: place["category_id"]
            for place in shown["places"]
            if place["platform"] == "vinted"
        }
        return next((str(places[wearer]) for wearer in wearers if wearer in places), None)

    def _named_place(self, product: Any, wearers: Sequence[str]) -> str | None:
        """The place whose name says most of the title, and least beside it."""
        title = set(_words(product["title"]))
        found = [
            (place["category_id"], _words(place["path"].rpartition(" > ")[2]))
            for wearer in wearers
            if wearer in BRANCHES
            for place in self._places(BRANCHES[wearer], title)
        ]
        # The last word is what the thing is; those before say which kind of it.
        fitting = [(number, name) for number, name in found if name and name[-1] in title]
        fitting.sort(key=lambda each: (-len(title.intersection(each[1])), len(each[1])))
        return str(fitting[0][0]) if fitting else None

    def _places(self, branch: str, title: Iterable[str]) -> Iterator[Any]:
        """Of a branch, all whose paths have a word of the title."""
        for word in sorted(title):
            query = {"q": f"{branch.strip(' >')} {word}", "limit": 100}
            asked = self._shop.call("GET", "/api/v1/category-choices/vinted/places", params=query)
            yield from (each for each in asked["items"] if each["path"].startswith(branch))

    def _choose(self, product_id: int, **choice: int) -> bool:
        """A choice replaces the one before."""
        chosen = self._chosen[product_id] = {**self._chosen.get(product_id, {}), **choice}
        self._shop.call("PUT", f"/api/v1/products/{product_id}/channels/vinted", json=chosen)
        return True


def _words(text: str) -> Sequence[str]:
    """Those that say something, without case and plural."""
    words = re.findall(r"[a-z]+", text.lower())
    return [word.removesuffix("s") for word in words if len(word) >= _SHORTEST_WORD]
