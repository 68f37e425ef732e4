"""Photos on their way to Vinted: one request each, straight from the object store."""

from collections.abc import Mapping, Sequence

from services.gateways.vinted.transport import PhotoUpload
from services.selling.vinted.desk import VintedDesk
from services.selling.vinted.drafts import DraftPhoto, photo_upload


def uploaded(
    desk: VintedDesk,
    photos: Sequence[DraftPhoto],
    temp_uuid: str,
    there: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Vinted's ids of photos by content hash; those that are `there` are not sent again.

    One whose answer was lost is sent again: Vinted forgets photos that no item names.
    """
    found = dict(there or {})
    missing = [photo for photo in photos if photo.sha256 not in found]
    for place, photo in enumerate(missing, start=1):
        step = f"photo {place} of {len(missing)}, {photo.sha256[:8]}"
        upload = photo_upload(photo, temp_uuid)

        def send(step: str, upload: PhotoUpload = upload) -> int:
            return desk.client.upload_photo(step, upload)

        found[photo.sha256] = desk.deed(step, send, lambda _step: None)
        desk.tell_once(f"uploaded {step}")
    return {photo.sha256: found[photo.sha256] for photo in photos}
