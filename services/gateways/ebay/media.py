"""Photos, kept by eBay."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from services.gateways.ebay.reading import UnreadableAnswer, optional_text
from services.gateways.ebay.transport import EbayRequest, EbayTransport, Host

BASE = "/commerce/media/v1_beta"


@dataclass(frozen=True, slots=True)
class HostedPicture:
    """A photo at eBay. It expires only when no listing uses it."""

    image_url: str
    expires_at: datetime | None


class EbayMediaClient:
    """`/commerce/media/v1_beta`. eBay takes 50 photos per user in 5 seconds."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    def upload(self, content: bytes) -> HostedPicture:
        """Upload a photo of at most 12 MB.

        Repeating it makes a second copy that no listing uses, which eBay lets expire.
        """
        answer = self._transport.send(
            EbayRequest(
                "createImageFromFile",
                "POST",
                f"{BASE}/image/create_image_from_file",
                host=Host.MEDIA,
                image=content,
            )
        )
        if optional_text(answer.body, "imageUrl"):
            return _picture(answer.body)
        return self.picture(_id_in(answer.headers.get("location", "")))

    def picture(self, image_id: str) -> HostedPicture:
        """A photo that was uploaded."""
        path = f"{BASE}/image/{quote(image_id, safe='')}"
        answer = self._transport.send(EbayRequest("getImage", "GET", path, host=Host.MEDIA))
        return _picture(answer.body)


def _id_in(location: str) -> str:
    image_id = urlsplit(location).path.rstrip("/").rpartition("/")[2]
    if not image_id:
        raise UnreadableAnswer("eBay took the photo but did not say where it is.")
    return image_id


def _picture(body: Any) -> HostedPicture:
    url = optional_text(body, "imageUrl") or ""
    if not url.startswith("https://"):
        raise UnreadableAnswer("eBay's address of a photo is not an https address.")
    return HostedPicture(url, _moment(optional_text(body, "expirationDate")))


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
