"""Marketplaces' words for ours, and the cache of what eBay asks of a category."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from models.reference.attributes import Category
from models.reference.marketplace_mappings import (
    CategoryAudience,
    EbayAspect,
    EbayAspectValue,
    EbayCategoryAspect,
    EbayCategoryCondition,
    EbayCategoryRefresh,
    EbayCondition,
    EbayImpliedAspect,
    Platform,
    PlatformCategory,
    PlatformMappingVersion,
    PlatformNode,
    PlatformValue,
)
from shared.database import PlatformSession


@dataclass(frozen=True)
class StoredAspect:
    """An item specific as eBay described it for a category."""

    name: str
    required: bool
    mode: str
    cardinality: str
    values: list[str]
    enabled_for_variations: bool
    max_length: int | None = None


class PlatformMappingRepository:
    """Reads the mapping to one marketplace."""

    def __init__(self, session: PlatformSession, platform: Platform) -> None:
        self._session = session
        self.platform = platform

    def version(self) -> PlatformMappingVersion:
        """Which version is in use. The catalogues have to be loaded."""
        return self._session.get_one(PlatformMappingVersion, self.platform)

    def categories_for(self, codes: Collection[str]) -> Sequence[PlatformCategory]:
        """Mapping rows of any of our category codes."""
        rows = select(PlatformCategory).where(PlatformCategory.platform == self.platform)
        return self._session.scalars(rows.where(PlatformCategory.category_code.in_(codes))).all()

    def all_categories(self) -> Sequence[PlatformCategory]:
        """Every mapping row of a category; about six hundred."""
        rows = select(PlatformCategory).where(PlatformCategory.platform == self.platform)
        return self._session.scalars(rows).all()

    def leading_to(self, remote_id: str) -> Sequence[PlatformCategory]:
        """Mapping rows to a category of the marketplace."""
        rows = select(PlatformCategory).where(PlatformCategory.platform == self.platform)
        return self._session.scalars(rows.where(PlatformCategory.remote_id == remote_id)).all()

    def mapped_category_ids(self) -> Sequence[str]:
        """Every category of the marketplace that one of ours leads to."""
        ids = select(PlatformCategory.remote_id).distinct()
        ids = ids.where(PlatformCategory.platform == self.platform)
        return self._session.scalars(ids.order_by(PlatformCategory.remote_id)).all()

    def node(self, remote_id: str) -> PlatformNode | None:
        """A category of the marketplace's own tree, where that ships."""
        return self._session.get(PlatformNode, (self.platform, remote_id))

    def paths_of(self, remote_ids: Collection[str]) -> Mapping[str, str]:
        """The paths of those categories of the marketplace's own tree that are in it."""
        paths = select(PlatformNode.remote_id, PlatformNode.path)
        paths = paths.where(PlatformNode.platform == self.platform)
        found = self._session.execute(paths.where(PlatformNode.remote_id.in_(remote_ids)))
        return dict(found.tuples().all())

    def nodes_called(
        self, words: Sequence[str], limit: int, *, leaves_only: bool
    ) -> Sequence[PlatformNode]:
        """Categories of the marketplace with all these words in their paths, by path."""
        nodes = select(PlatformNode).where(
            PlatformNode.platform == self.platform,
            *(PlatformNode.path.icontains(word, autoescape=True) for word in words),
        )
        if leaves_only:
            nodes = nodes.where(PlatformNode.is_leaf)
        return self._session.scalars(nodes.order_by(PlatformNode.path).limit(limit)).all()

    def values_among(self, attribute: str, codes: Collection[str]) -> Mapping[str, PlatformValue]:
        """The marketplace's values for these of ours, where no scope matters."""
        rows = select(PlatformValue).where(
            PlatformValue.platform == self.platform,
            PlatformValue.attribute == attribute,
            PlatformValue.scope == "",
            PlatformValue.code.in_(codes),
        )
        return {row.code: row for row in self._session.scalars(rows)}

    def values_of(self, attribute: str) -> Mapping[tuple[str, str], PlatformValue]:
        """All of the marketplace's values of an attribute, by scope and our code: at most some
        hundred, but for brands.
        """
        rows = select(PlatformValue).where(
            PlatformValue.platform == self.platform, PlatformValue.attribute == attribute
        )
        return {(row.scope, row.code): row for row in self._session.scalars(rows)}

    def counted_values(self) -> Mapping[str, int]:
        """How many values of each attribute are mapped."""
        rows = select(PlatformValue.attribute, func.count()).group_by(PlatformValue.attribute)
        found = self._session.execute(rows.where(PlatformValue.platform == self.platform))
        return dict(found.tuples().all())

    def category_path(self, code: str) -> str | None:
        """The full path of a category of ours, for people."""
        return self._session.scalar(select(Category.full_path).where(Category.code == code))


class AudienceRepository:
    """Reads what a mapping has to cover."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def departments(self) -> Mapping[str, set[str]]:
        """For whom categories exist, by the code that says so for those below it."""
        found: dict[str, set[str]] = {}
        rows = select(CategoryAudience.category_code, CategoryAudience.department)
        for code, department in self._session.execute(rows):
            found.setdefault(code, set()).add(department)
        return found

    def leaves_below(self, code: str) -> Sequence[Category]:
        """The leaves of a branch of our tree."""
        below = Category.code.startswith(f"{code}-", autoescape=True)
        leaves = select(Category).where(below | (Category.code == code), Category.is_leaf)
        return self._session.scalars(leaves.order_by(Category.full_path)).all()


class EbayMappingRepository:
    """Reads the mapping, and reads and fills the cache of one site."""

    def __init__(self, session: PlatformSession, marketplace_id: str = "EBAY_US") -> None:
        self._session = session
        self._site = marketplace_id

    def implied_aspects_for(self, codes: Collection[str]) -> Sequence[EbayImpliedAspect]:
        """What being in any of our categories says about an item."""
        return self._session.scalars(
            select(EbayImpliedAspect).where(EbayImpliedAspect.category_code.in_(codes))
        ).all()

    def conditions(self) -> Sequence[EbayCondition]:
        """All conditions, best first."""
        return self._session.scalars(
            select(EbayCondition).order_by(EbayCondition.condition_code, EbayCondition.preference)
        ).all()

    def aspects(self) -> Sequence[EbayAspect]:
        """Which attribute feeds which item specific, first choice first."""
        return self._session.scalars(
            select(EbayAspect).order_by(EbayAspect.aspect_name, EbayAspect.preference)
        ).all()

    def aspect_values(self) -> Mapping[tuple[str, str], str]:
        """eBay's word by attribute and our code."""
        rows = self._session.execute(
            select(EbayAspectValue.attribute, EbayAspectValue.code, EbayAspectValue.value)
        )
        return {(attribute, code): value for attribute, code, value in rows}

    def fetched_since(self, moment: datetime) -> set[str]:
        """Categories about which eBay was asked at `moment` or later."""
        return set(
            self._session.scalars(
                select(EbayCategoryRefresh.category_id).where(
                    EbayCategoryRefresh.marketplace_id == self._site,
                    EbayCategoryRefresh.fetched_at >= moment,
                )
            )
        )

    def was_fetched(self, category_id: str) -> bool:
        """Whether eBay has ever been asked about the category."""
        return self._session.get(EbayCategoryRefresh, (self._site, category_id)) is not None

    def fetched(self) -> set[str]:
        """Categories about which eBay was ever asked."""
        known = select(EbayCategoryRefresh.category_id)
        return set(
            self._session.scalars(known.where(EbayCategoryRefresh.marketplace_id == self._site))
        )

    def sites_fetched(self) -> Sequence[str]:
        """The sites about which eBay was ever asked."""
        sites = select(EbayCategoryRefresh.marketplace_id).distinct()
        return self._session.scalars(sites.order_by(EbayCategoryRefresh.marketplace_id)).all()

    def category_aspects(self, category_id: str) -> Sequence[EbayCategoryAspect]:
        """The item specifics that eBay knows in a category."""
        return self._session.scalars(
            select(EbayCategoryAspect)
            .where(
                EbayCategoryAspect.marketplace_id == self._site,
                EbayCategoryAspect.category_id == category_id,
            )
            .order_by(EbayCategoryAspect.name)
        ).all()

    def category_conditions(self, category_id: str) -> set[int]:
        """The condition ids that eBay accepts in a category."""
        return set(
            self._session.scalars(
                select(EbayCategoryCondition.condition_id).where(
                    EbayCategoryCondition.marketplace_id == self._site,
                    EbayCategoryCondition.category_id == category_id,
                )
            )
        )

    def store_category(
        self,
        category_id: str,
        aspects: Sequence[StoredAspect],
        condition_ids: Collection[int],
        at: datetime,
    ) -> None:
        """Replace what is known about a category by what eBay has just said.

        Two who do so at once wait for each other at the row that says when.
        """
        common = {"marketplace_id": self._site, "category_id": category_id, "fetched_at": at}
        statement = insert(EbayCategoryRefresh)
        changes = {"fetched_at": statement.excluded.fetched_at}
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["marketplace_id", "category_id"], set_=changes
            ),
            [common],
        )
        for model in (EbayCategoryAspect, EbayCategoryCondition):
            known = (model.marketplace_id == self._site, model.category_id == category_id)
            self._session.execute(delete(model).where(*known))
        if aspects:
            rows = [{**common, **asdict(aspect)} for aspect in aspects]
            self._session.execute(insert(EbayCategoryAspect), rows)
        if condition_ids:
            accepted = [{**common, "condition_id": number} for number in sorted(condition_ids)]
            self._session.execute(insert(EbayCategoryCondition), accepted)
