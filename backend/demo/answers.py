"""What a seller would answer when preflight asks: the demo's seller is quick and not choosy.

Nothing here is guessed by StoFlow: a person would fill in the same forms. The answers are counted
and announced.
"""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from backend.demo.shop import Shop
from backend.demo.vinted_answers import KEEPS_OFF, VintedAnswers

NOT_STATED = "Does not apply"
"""What sellers on eBay write into an item specific that their thing does not have."""

ANYTHING = "other home decor"
"""Where the demo's seller puts on Etsy what has no word in common with any category."""

ROUNDS = 6
"""An answer can raise the next question: a category asks for item specifics."""


class QuickSeller:
    """Answers each kind of question in the simplest way that the channels accept."""

    def __init__(self, shop: Shop, stand_in_photos: Path) -> None:
        self._shop = shop
        self._photos = cycle(sorted(stand_in_photos.glob("*.jpg")))
        self._choose_category_on = {
            "ebay": self._choose_ebay_category,
            "etsy": self._choose_etsy_category,
        }
        self._vinted = VintedAnswers(shop)
        self.given = 0
        self.stand_ins = 0
        self.kept_off_vinted = 0

    def make_ready(self, product_id: int) -> None:
        """Answer until all channels would take the product, or until only others could answer."""
        for channel in ("ebay", "etsy"):
            for _ in range(ROUNDS):
                view = self._view(product_id, channel)
                answered = [self._answer(view, question, channel) for question in view["missing"]]
                if not any(answered):
                    break
        self._make_ready_for_vinted(product_id)

    def _make_ready_for_vinted(self, product_id: int) -> None:
        for _ in range(ROUNDS):
            view = self._view(product_id, "vinted")
            if any(question["rule"] in KEEPS_OFF for question in view["missing"]):
                self.kept_off_vinted += 1
                return
            answered = [self._answer_vinted(view, question) for question in view["missing"]]
            self.given += sum(answered)
            if not any(answered):
                return

    def _answer_vinted(self, view: Any, question: Any) -> bool:
        if question["field"] in {"category", "department"}:
            return self._vinted.choose_place(view["product_id"])
        if question["field"] == "attributes.size":
            return self._vinted.choose_size(view, question["choices"])
        return False

    def _answer(self, view: Any, question: Any, channel: str) -> bool:
        product_id, field, rule = view["product_id"], question["field"], question["rule"]
        choices: Sequence[str] = question["choices"]
        if rule in {"category-missing", "category-not-mapped"}:
            self._choose_category_on[channel](product_id)
        elif rule == "photo-missing":
            self._add_photo(product_id)
        elif field == "condition":
            self._change(product_id, condition=choices[0] if choices else "new")
        elif field == "department" and choices:
            self._change(product_id, department=choices[0])
        elif rule == "out-of-stock":
            self._restock(product_id)
        elif field == "brand":
            self._change(product_id, brand="Unbranded")
        elif field.startswith("attributes."):
            self._add_aspect(product_id, field.removeprefix("attributes."), choices)
        else:
            return False
        self.given += 1
        return True

    def _choose_ebay_category(self, product_id: int) -> None:
        title = self._shop.call("GET", f"/api/v1/products/{product_id}")["title"]
        suggestions = self._shop.call(
            "GET", "/api/v1/channels/ebay/category-suggestions", params={"q": title}
        )
        view = self._view(product_id)
        self._choose(product_id, suggestions[0]["category_id"], view["chosen_aspects"])

    def _choose_etsy_category(self, product_id: int) -> None:
        title = self._shop.call("GET", f"/api/v1/products/{product_id}")["title"]
        for words in (title, ANYTHING):
            path, query = "/api/v1/channels/etsy/categories", {"q": words}
            if found := self._shop.call("GET", path, params=query):
                choice = {"taxonomy_id": found[0]["taxonomy_id"]}
                self._shop.call("PUT", f"/api/v1/products/{product_id}/channels/etsy", json=choice)
                return

    def _add_aspect(self, product_id: int, name: str, choices: Sequence[str]) -> None:
        view = self._view(product_id)
        value = choices[0] if choices else NOT_STATED
        aspects = {**view["chosen_aspects"], name: [value]}
        self._choose(product_id, view["chosen_category_id"], aspects)

    def _view(self, product_id: int, channel: str = "ebay") -> Any:
        return self._shop.call("GET", f"/api/v1/products/{product_id}/channels/{channel}")

    def _choose(self, product_id: int, category_id: str | None, aspects: Any) -> None:
        choice = {"category_id": category_id, "aspects": aspects}
        self._shop.call("PUT", f"/api/v1/products/{product_id}/channels/ebay", json=choice)

    def _change(self, product_id: int, **changes: Any) -> None:
        path = f"/api/v1/products/{product_id}"
        version = self._shop.call("GET", path)["version"]
        self._shop.call("PATCH", path, json=changes, headers={"If-Match": f'"{version}"'})

    def _restock(self, product_id: int) -> None:
        variants = self._shop.call("GET", f"/api/v1/products/{product_id}")["variants"]
        kept = ("id", "price", "option_values", "sku", "barcode", "weight_grams")
        self._change(
            product_id,
            variants=[{**{name: each[name] for name in kept}, "quantity": 1} for each in variants],
        )

    def _add_photo(self, product_id: int) -> None:
        photo = next(self._photos)
        files = {"file": (photo.name, photo.read_bytes(), "image/jpeg")}
        self._shop.call("POST", f"/api/v1/products/{product_id}/images", files=files)
        self.stand_ins += 1
