"""Who a token belongs to."""

from dataclasses import dataclass

from services.gateways.ebay.reading import text
from services.gateways.ebay.transport import EbayRequest, EbayTransport, Host


@dataclass(frozen=True, slots=True)
class EbayUser:
    """A seller. `user_id` never changes; the name may."""

    user_id: str
    username: str


class EbayIdentityClient:
    """`/commerce/identity/v1`."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    def user(self) -> EbayUser:
        """The seller who consented."""
        answer = self._transport.send(
            EbayRequest("getUser", "GET", "/commerce/identity/v1/user/", host=Host.IDENTITY)
        )
        return EbayUser(text(answer.body, "userId"), text(answer.body, "username"))
