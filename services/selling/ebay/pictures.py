"""Photos at eBay: uploaded once per content, in order, one after the other."""

from collections.abc import Sequence
from datetime import timedelta

from repositories.selling.ebay import EbayPictureRepository
from services.selling.ebay.desk import EbayDesk
from services.selling.ebay.drafts import DraftPhoto

GOOD_FOR = timedelta(days=1)
"""A photo that eBay drops sooner than this is uploaded again."""


def hosted(desk: EbayDesk, photos: Sequence[DraftPhoto]) -> list[str]:
    """https addresses of the photos at eBay, in order; uploads those that are not there yet."""
    known = _known(desk, photos)
    for place, photo in enumerate(photos, start=1):
        if photo.sha256 not in known:
            known[photo.sha256] = _upload(desk, photo, f"{place} of {len(photos)}")
    return [known[photo.sha256] for photo in photos]


def _known(desk: EbayDesk, photos: Sequence[DraftPhoto]) -> dict[str, str]:
    with desk.shop.database.tenant(desk.tenant) as session:
        return EbayPictureRepository(session).urls(
            [photo.sha256 for photo in photos], desk.shop.clock.now() + GOOD_FOR
        )


def _upload(desk: EbayDesk, photo: DraftPhoto, which: str) -> str:
    picture = desk.apis.media.upload(desk.shop.photos.get(photo.object_key))
    with desk.shop.database.tenant(desk.tenant) as session:
        EbayPictureRepository(session).put(
            photo.sha256, picture.image_url, picture.expires_at, desk.shop.clock.now()
        )
    desk.note("uploaded a photo", photo=which, image_url=picture.image_url)
    return picture.image_url
