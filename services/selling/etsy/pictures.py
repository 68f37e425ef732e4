"""Photos of a listing: uploaded once per content, one after the other, in order."""

from collections.abc import Mapping, Sequence

from repositories.selling.etsy import EtsyPictureRepository
from services.selling.etsy.desk import EtsyDesk
from services.selling.etsy.drafts import DraftPhoto
from services.selling.etsy.rules import MAX_PHOTOS


def uploaded(desk: EtsyDesk, listing_id: int, photos: Sequence[DraftPhoto]) -> list[int]:
    """Add all photos to a listing that has none; Etsy's ids in order."""
    return [
        _upload(desk, listing_id, photo, rank, len(photos))
        for rank, photo in enumerate(photos, start=1)
    ]


def in_step(desk: EtsyDesk, listing_id: int, photos: Sequence[DraftPhoto]) -> list[int]:
    """Make a listing show exactly these photos, in this order; Etsy's ids of them.

    What is there already stays. A photo that we know nothing of, such as one whose upload was
    carried out and never answered, is taken away. There is never none: the listing may be live.
    """
    there = [image.image_id for image in desk.listings.images(listing_id)]
    known = _known(desk, listing_id, there)
    wanted = {photo.sha256 for photo in photos}
    kept = {image_id for sha256, image_id in known.items() if sha256 in wanted}
    stale = [image_id for image_id in there if image_id not in kept]
    shown = list(there)
    for rank, photo in enumerate(photos, start=1):
        if photo.sha256 in known:
            continue
        if len(shown) >= MAX_PHOTOS:
            _drop(desk, listing_id, stale[-1:])
            shown.remove(stale.pop())
        known[photo.sha256] = _upload(desk, listing_id, photo, rank, len(photos))
        shown.insert(rank - 1, known[photo.sha256])
    _drop(desk, listing_id, stale)
    ordered = [known[photo.sha256] for photo in photos]
    if [image_id for image_id in shown if image_id not in stale] != ordered:
        desk.listings.order_images(listing_id, ordered)
        desk.note("put the photos in order")
    return ordered


def kept(desk: EtsyDesk, listing_id: int, photos: Sequence[DraftPhoto]) -> list[int] | None:
    """Etsy's ids of photos that are all there already, as far as we know; None: some are not."""
    with desk.shop.database.tenant(desk.tenant) as session:
        stored = EtsyPictureRepository(session).of_listing(listing_id)
    found = [stored[photo.sha256] for photo in photos if photo.sha256 in stored]
    return found if len(found) == len(photos) else None


def _known(desk: EtsyDesk, listing_id: int, there: Sequence[int]) -> dict[str, int]:
    with desk.shop.database.tenant(desk.tenant) as session:
        stored: Mapping[str, int] = EtsyPictureRepository(session).of_listing(listing_id)
    return {sha256: image_id for sha256, image_id in stored.items() if image_id in there}


def _upload(desk: EtsyDesk, listing_id: int, photo: DraftPhoto, rank: int, of: int) -> int:
    content = desk.shop.photos.get(photo.object_key)
    image_id = desk.listings.upload_image(listing_id, content, rank, photo.alt_text)
    with desk.shop.database.tenant(desk.tenant) as session:
        now = desk.shop.clock.now()
        EtsyPictureRepository(session).put(listing_id, photo.sha256, image_id, now)
    desk.note("uploaded a photo", photo=f"{rank} of {of}", image_id=image_id)
    return image_id


def _drop(desk: EtsyDesk, listing_id: int, image_ids: Sequence[int]) -> None:
    for image_id in image_ids:
        desk.listings.delete_image(listing_id, image_id)
        desk.note("took a photo away", image_id=image_id)
    if image_ids:
        with desk.shop.database.tenant(desk.tenant) as session:
            EtsyPictureRepository(session).forget(listing_id, image_ids)
