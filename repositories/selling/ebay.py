"""The shop's eBay account, its photos at eBay and its choices for single products."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from models.selling.ebay import EbayConnection, EbayPicture, EbayProductChoice
from models.selling.publishing import Channel
from repositories.selling.channel_accounts import ChannelAccountRepository
from shared.database import TenantSession


class EbayConnectionRepository(ChannelAccountRepository[EbayConnection]):
    """The one row of `ebay_connections`."""

    channel, table = Channel.EBAY, EbayConnection


class EbayPictureRepository:
    """Rows of `ebay_pictures`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def urls(self, hashes: Collection[str], valid_at: datetime) -> dict[str, str]:
        """Addresses of photos that eBay still has at `valid_at`, by content hash."""
        rows = self._session.execute(
            select(EbayPicture.sha256, EbayPicture.image_url, EbayPicture.expires_at).where(
                EbayPicture.sha256.in_(hashes)
            )
        )
        return {
            sha256: url
            for sha256, url, expires_at in rows
            if expires_at is None or expires_at > valid_at
        }

    def hashes(self, urls: Collection[str]) -> dict[str, str]:
        """Content hashes of photos, by their addresses at eBay."""
        rows = self._session.execute(
            select(EbayPicture.image_url, EbayPicture.sha256).where(EbayPicture.image_url.in_(urls))
        )
        return dict(rows.tuples().all())

    def put(
        self, sha256: str, image_url: str, expires_at: datetime | None, uploaded_at: datetime
    ) -> None:
        """Remember where a photo is."""
        statement = insert(EbayPicture).values(
            sha256=sha256, image_url=image_url, expires_at=expires_at, uploaded_at=uploaded_at
        )
        changed = {
            name: statement.excluded[name] for name in ("image_url", "expires_at", "uploaded_at")
        }
        self._session.execute(
            statement.on_conflict_do_update(index_elements=[EbayPicture.sha256], set_=changed)
        )

    def forget_all(self) -> None:
        """Forget every photo; they belong to an account that is no longer ours."""
        self._session.execute(delete(EbayPicture))


class EbayChoiceRepository:
    """Rows of `ebay_product_choices`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def by_products(
        self, product_ids: Collection[int], marketplace_id: str
    ) -> dict[int, EbayProductChoice]:
        """Choices for a site by product id; most products have none."""
        rows = self._session.scalars(
            select(EbayProductChoice).where(
                EbayProductChoice.product_id.in_(product_ids),
                EbayProductChoice.marketplace_id == marketplace_id,
            )
        )
        return {choice.product_id: choice for choice in rows}

    def put(
        self,
        product_id: int,
        marketplace_id: str,
        category_id: str | None,
        aspects: Mapping[str, list[str]],
    ) -> None:
        """Set the choice for a product on a site."""
        statement = insert(EbayProductChoice).values(
            product_id=product_id,
            marketplace_id=marketplace_id,
            category_id=category_id,
            aspects=dict(aspects),
        )
        changed = {name: statement.excluded[name] for name in ("category_id", "aspects")}
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[EbayProductChoice.product_id, EbayProductChoice.marketplace_id],
                set_=changed,
            )
        )
