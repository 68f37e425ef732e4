"""The shop's Etsy account, what was begun and uploaded there, its choices for single products."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from models.selling.etsy import EtsyAccount, EtsyDraft, EtsyPicture, EtsyProductChoice
from models.selling.publishing import Channel
from repositories.selling.channel_accounts import ChannelAccountRepository
from shared.database import TenantSession


class EtsyAccountRepository(ChannelAccountRepository[EtsyAccount]):
    """The one row of `etsy_accounts`."""

    channel, table = Channel.ETSY, EtsyAccount


class EtsyDraftRepository:
    """Rows of `etsy_drafts`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def listing_of(self, product_id: int) -> int | None:
        """The listing that was begun for a product."""
        return self._session.scalar(
            select(EtsyDraft.listing_id).where(EtsyDraft.product_id == product_id)
        )

    def put(self, product_id: int, listing_id: int, created_at: datetime) -> None:
        """Remember that a listing was begun."""
        statement = insert(EtsyDraft).values(
            product_id=product_id, listing_id=listing_id, created_at=created_at
        )
        changed = {name: statement.excluded[name] for name in ("listing_id", "created_at")}
        self._session.execute(
            statement.on_conflict_do_update(index_elements=[EtsyDraft.product_id], set_=changed)
        )

    def forget(self, product_id: int) -> None:
        """It is listed by now, or gone."""
        self._session.execute(delete(EtsyDraft).where(EtsyDraft.product_id == product_id))

    def forget_all(self) -> None:
        """They belong to an account that is no longer ours."""
        self._session.execute(delete(EtsyDraft))


class EtsyPictureRepository:
    """Rows of `etsy_pictures`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def of_listing(self, listing_id: int) -> dict[str, int]:
        """Etsy's image ids by content hash."""
        rows = self._session.execute(
            select(EtsyPicture.sha256, EtsyPicture.image_id).where(
                EtsyPicture.listing_id == listing_id
            )
        )
        return dict(rows.tuples().all())

    def hashes_by_listing(self, listing_ids: Collection[int]) -> dict[int, frozenset[str]]:
        """Content hashes of the photos that each of these listings has."""
        found: dict[int, set[str]] = {}
        rows = self._session.execute(
            select(EtsyPicture.listing_id, EtsyPicture.sha256).where(
                EtsyPicture.listing_id.in_(listing_ids)
            )
        )
        for listing_id, sha256 in rows:
            found.setdefault(listing_id, set()).add(sha256)
        return {listing_id: frozenset(hashes) for listing_id, hashes in found.items()}

    def put(self, listing_id: int, sha256: str, image_id: int, uploaded_at: datetime) -> None:
        """Remember a photo."""
        statement = insert(EtsyPicture).values(
            listing_id=listing_id, sha256=sha256, image_id=image_id, uploaded_at=uploaded_at
        )
        changed = {name: statement.excluded[name] for name in ("image_id", "uploaded_at")}
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[EtsyPicture.listing_id, EtsyPicture.sha256], set_=changed
            )
        )

    def forget(self, listing_id: int, image_ids: Sequence[int]) -> None:
        """Forget photos that were taken away."""
        self._session.execute(
            delete(EtsyPicture).where(
                EtsyPicture.listing_id == listing_id, EtsyPicture.image_id.in_(image_ids)
            )
        )

    def forget_all(self) -> None:
        """They belong to an account that is no longer ours."""
        self._session.execute(delete(EtsyPicture))


class EtsyChoiceRepository:
    """Rows of `etsy_product_choices`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def by_products(self, product_ids: Collection[int]) -> dict[int, EtsyProductChoice]:
        """Choices by product id; most products have none."""
        rows = self._session.scalars(
            select(EtsyProductChoice).where(EtsyProductChoice.product_id.in_(product_ids))
        )
        return {choice.product_id: choice for choice in rows}

    def put(self, product_id: int, values: Mapping[str, Any]) -> None:
        """Set the choice for a product."""
        statement = insert(EtsyProductChoice).values(product_id=product_id, **values)
        changed = {name: statement.excluded[name] for name in values}
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[EtsyProductChoice.product_id], set_=changed
            )
        )
