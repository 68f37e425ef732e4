"""Says where a category of ours is on a marketplace, and what it calls a value of ours.

Everything comes from the hand-checked data files. What they do not say is a gap that names the
value; nothing is guessed, and nobody is asked.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from models.reference.attributes import category_and_ancestors
from models.reference.marketplace_mappings import (
    Platform,
    PlatformCategory,
    PlatformMappingVersion,
    PlatformValue,
)
from repositories.reference.attributes import AttributeRepository
from repositories.reference.marketplace_mappings import PlatformMappingRepository
from services.reference.attributes.lookup import AttributeLookup
from services.reference.marketplace_mappings.facts import Gap, GapKind
from services.reference.marketplace_mappings.shoe_sizes import shoe_size_code
from shared.database import PlatformSession
from shared.text import fold

TABLE_OF = {"color": "colors", "material": "materials", "size": "alpha_sizes", "decade": "decades"}
"""The attribute tables behind the values that are mapped."""

OwnPlaces = Mapping[tuple[str, str], PlatformCategory]
"""Places that a shop chose itself, by our category and department, `""` being anybody."""


class PlatformMapping:
    """Maps to one marketplace. Remembers what it read; keep it for a request or a batch."""

    def __init__(
        self,
        repository: PlatformMappingRepository,
        lookup: AttributeLookup,
        own: OwnPlaces | None = None,
    ) -> None:
        self._repository = repository
        self._own = own or {}
        self._lookup = lookup
        self._spoken = repository.platform.spoken
        self._rows: dict[str, Sequence[PlatformCategory]] = {}
        self._values: dict[str, Mapping[tuple[str, str], PlatformValue]] = {}
        self._codes: dict[tuple[str, str], str | None] = {}
        self._brands: dict[str, PlatformValue | None] = {}

    @classmethod
    def on(
        cls, session: PlatformSession, platform: Platform, own: OwnPlaces | None = None
    ) -> "PlatformMapping":
        """The mapping as it stands in this session's transaction, a shop's `own` before it."""
        lookup = AttributeLookup(AttributeRepository(session))
        return cls(PlatformMappingRepository(session, platform), lookup, own)

    def version(self) -> PlatformMappingVersion:
        """Which version of the data files this is."""
        return self._repository.version()

    def category(self, code: str | None, department: str | None) -> PlatformCategory | Gap:
        """The marketplace's category for one of ours and a department."""
        if not code:
            return Gap(GapKind.CATEGORY_MISSING, "category", "Choose a category.")
        own = self._own.get((code, department or "")) or self._own.get((code, ""))
        if own is not None:
            return own
        places = self.places_of(code)
        if not places:
            message = f"We do not know where “{self._path_of(code)}” belongs on {self._spoken}."
            return Gap(GapKind.CATEGORY_NOT_MAPPED, "category", message)
        anybody = places.get("")
        if anybody is not None:
            return anybody
        choices = tuple(sorted(places))
        if not department:
            message = f"{self._spoken} sorts this category by department: say whom it is for."
            return Gap(GapKind.DEPARTMENT_MISSING, "department", message, choices)
        if department in places:
            return places[department]
        message = (
            f"We do not know a place for “{self._path_of(code)}” on {self._spoken}"
            " in this department."
        )
        return Gap(GapKind.CATEGORY_NOT_MAPPED, "department", message, choices)

    def places_of(self, code: str) -> Mapping[str, PlatformCategory]:
        """The marketplace's categories for one of ours, by department; `""`: for anybody."""
        return {row.department: row for row in self._nearest_rows(code)}

    def paths_of(self, remote_ids: Collection[str]) -> Mapping[str, str]:
        """How the marketplace calls its own categories; one that we do not know is left out."""
        return self._repository.paths_of(remote_ids)

    def value(self, attribute: str, word: str, scope: str = "") -> PlatformValue | Gap:
        """The marketplace's value for a seller's word: a colour, material, size or decade.

        `scope` is the size group that a size is of. A shoe's says its system, as `EU 42` does.
        """
        key = (attribute, fold(word))
        if key not in self._codes:
            self._codes[key] = self._lookup.value(attribute, TABLE_OF[attribute], word)
        of_shoe = shoe_size_code(word) if attribute == "size" else None
        for code in (self._codes[key], of_shoe):
            found = self._value(attribute, scope, code)
            if found is not None:
                return found
        return self._no_value(attribute, word)

    def values_in(self, attribute: str, scope: str) -> Mapping[str, str]:
        """The marketplace's names of the values that are mapped within a scope, by its ids."""
        rows = [row for row in self._values_of(attribute).values() if row.scope == scope]
        return {row.remote_id: row.remote_name for row in rows}

    def condition(self, code: str | None) -> PlatformValue | Gap:
        """The marketplace's condition for one of our grades."""
        if not code:
            return Gap(GapKind.CONDITION_MISSING, "condition", "Say what condition it is in.")
        found = self._value("condition", "", code)
        if found is not None:
            return found
        message = f"{self._spoken} has no condition that truthfully says “{code}”."
        return Gap(GapKind.CONDITION_NOT_ACCEPTED, "condition", message)

    def read_brands(self, names: Iterable[str]) -> None:
        """Look these up together; `brand` remembers them."""
        keys = {fold(name) for name in names} - self._brands.keys()
        found = self._repository.values_among("brand", keys) if keys else {}
        self._brands |= {key: found.get(key) for key in keys}

    def brand(self, name: str) -> PlatformValue | Gap:
        """The marketplace's brand of exactly this name, whatever its case."""
        key = fold(name)
        if key not in self._brands:
            self.read_brands([name])
        return self._brands[key] or self._no_value("brand", name)

    def _value(self, attribute: str, scope: str, code: str | None) -> PlatformValue | None:
        return self._values_of(attribute).get((scope, code)) if code else None

    def _values_of(self, attribute: str) -> Mapping[tuple[str, str], PlatformValue]:
        """From memory: a batch asks for the same few values again and again."""
        if attribute not in self._values:
            self._values[attribute] = self._repository.values_of(attribute)
        return self._values[attribute]

    def _no_value(self, attribute: str, word: str) -> Gap:
        message = f"We do not know what {self._spoken} calls the {attribute} “{word}”."
        field = attribute if attribute == "brand" else f"attributes.{attribute}"
        return Gap(GapKind.VALUE_NOT_MAPPED, field, message)

    def _path_of(self, code: str) -> str:
        return self._repository.category_path(code) or code

    def _nearest_rows(self, code: str) -> Sequence[PlatformCategory]:
        if code not in self._rows:
            rows = self._repository.categories_for(category_and_ancestors(code))
            self._rows[code] = nearest_rows(code, rows)
        return self._rows[code]


def nearest_rows(code: str, rows: Sequence[PlatformCategory]) -> Sequence[PlatformCategory]:
    """Among rows of a category and those above it, the nearest that speak for it."""
    for ancestor in category_and_ancestors(code):
        found = [
            row
            for row in rows
            if row.category_code == ancestor and (row.with_children or ancestor == code)
        ]
        if found:
            return found
    return ()
