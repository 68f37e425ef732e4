"""Identity API: who is the seller."""

from typing import Any

from sandbox.answers import Answer
from sandbox.ebay.apis import IDENTITY, IDENTITY_READ, SCOPE_PREFIX
from sandbox.ebay.operations import Call, Operation


def _user(call: Call) -> Answer:
    seller = call.seller
    body: dict[str, Any] = {
        "userId": seller.user_id,
        "username": seller.name,
        "accountType": "INDIVIDUAL",
        "registrationMarketplaceId": "EBAY_US",
        "status": "CONFIRMED",
    }
    private = {
        "email": {"email": f"{seller.name.lower()}@example.com"},
        "name": {"firstName": "Sandbox", "lastName": seller.name},
    }
    shown: dict[str, str] = {}
    for part, values in private.items():
        if f"{SCOPE_PREFIX}/commerce.identity.{part}.readonly" in call.token.scopes:
            shown |= values
    return Answer(200, {**body, "individualAccount": shown} if shown else body)


IDENTITY_OPERATIONS = (Operation("getUser", "GET", "/user/", IDENTITY, IDENTITY_READ, _user),)
