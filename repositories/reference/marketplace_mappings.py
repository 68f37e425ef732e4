"""eBay's words for ours, and the cache of what eBay asks of a category."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from models.reference.marketplace_mappings import (
    EbayAspect,
    EbayAspectValue,
    EbayCategory,
    EbayCategoryAspect,
    EbayCategoryCondition,
    EbayCategoryRefresh,
    EbayCondition,
    EbayImpliedAspect,
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


class EbayMappingRepository:
    """Reads the mapping and reads and fills the cache."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def categories_for(self, codes: Collection[str]) -> Sequence[EbayCategory]:
        """Mapping rows of any of our category codes."""
        return self._session.scalars(
            select(EbayCategory).where(EbayCategory.category_code.in_(codes))
        ).all()

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

    def mapped_category_ids(self) -> Sequence[str]:
        """Every eBay category that a category of ours leads to."""
        ids = select(EbayCategory.ebay_category_id).distinct()
        return self._session.scalars(ids.order_by(EbayCategory.ebay_category_id)).all()

    def fetched_since(self, moment: datetime) -> set[str]:
        """Categories about which eBay was asked at `moment` or later."""
        return set(
            self._session.scalars(
                select(EbayCategoryRefresh.category_id).where(
                    EbayCategoryRefresh.fetched_at >= moment
                )
            )
        )

    def was_fetched(self, category_id: str) -> bool:
        """Whether eBay has ever been asked about the category."""
        return self._session.get(EbayCategoryRefresh, category_id) is not None

    def category_aspects(self, category_id: str) -> Sequence[EbayCategoryAspect]:
        """The item specifics that eBay knows in a category."""
        return self._session.scalars(
            select(EbayCategoryAspect)
            .where(EbayCategoryAspect.category_id == category_id)
            .order_by(EbayCategoryAspect.name)
        ).all()

    def category_conditions(self, category_id: str) -> set[int]:
        """The condition ids that eBay accepts in a category."""
        return set(
            self._session.scalars(
                select(EbayCategoryCondition.condition_id).where(
                    EbayCategoryCondition.category_id == category_id
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
        """Replace what is known about a category by what eBay has just said."""
        for model in (EbayCategoryAspect, EbayCategoryCondition):
            self._session.execute(delete(model).where(model.category_id == category_id))
        common = {"category_id": category_id, "fetched_at": at}
        if aspects:
            rows = [{**common, **asdict(aspect)} for aspect in aspects]
            self._session.execute(insert(EbayCategoryAspect), rows)
        if condition_ids:
            accepted = [{**common, "condition_id": number} for number in sorted(condition_ids)]
            self._session.execute(insert(EbayCategoryCondition), accepted)
        statement = insert(EbayCategoryRefresh)
        changes = {"fetched_at": statement.excluded.fetched_at}
        self._session.execute(
            statement.on_conflict_do_update(index_elements=["category_id"], set_=changes), [common]
        )
