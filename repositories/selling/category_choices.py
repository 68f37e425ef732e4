"""Statements on a shop's choices of marketplaces' categories."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from models.selling.category_choices import CategoryChoice
from models.selling.publishing import Channel
from shared.database import TenantSession


class CategoryChoiceRepository:
    """Rows of `category_choices`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def all(self) -> Sequence[CategoryChoice]:
        """Every choice, by channel, site, category and department."""
        order = (
            CategoryChoice.channel,
            CategoryChoice.site,
            CategoryChoice.category_code,
            CategoryChoice.department,
        )
        return self._session.scalars(select(CategoryChoice).order_by(*order)).all()

    def of(self, channel: Channel, site: str) -> Sequence[CategoryChoice]:
        """The choices for a site of a channel."""
        mine = (CategoryChoice.channel == channel, CategoryChoice.site == site)
        return self._session.scalars(select(CategoryChoice).where(*mine)).all()

    def put(self, choice: CategoryChoice) -> CategoryChoice:
        """Keep a choice in place of the one for the same category and department."""
        self.remove(choice.channel, choice.site, choice.category_code, choice.department)
        self._session.add(choice)
        self._session.flush()
        return choice

    def remove(self, channel: Channel, site: str, category_code: str, department: str) -> bool:
        """Forget a choice; whether there was one."""
        gone = self._session.execute(
            delete(CategoryChoice)
            .where(
                CategoryChoice.channel == channel,
                CategoryChoice.site == site,
                CategoryChoice.category_code == category_code,
                CategoryChoice.department == department,
            )
            .returning(CategoryChoice.id)
        )
        return gone.first() is not None
