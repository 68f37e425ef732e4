"""Inventory locations: where items are sent from."""

from typing import Any

from sandbox.answers import NO_CONTENT, Answer
from sandbox.ebay.apis import INVENTORY, INVENTORY_READ, INVENTORY_WRITE
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.paging import Page
from sandbox.ebay.shapes import Shape, at, fitted
from sandbox.ebay.values import MAX_LOCATION_KEY

FIRST_LOCATION = 41_000_001

ADDRESS_FIELDS = (
    "addressLine1",
    "addressLine2",
    "city",
    "country",
    "county",
    "postalCode",
    "stateOrProvince",
)
LOCATION: Shape = {
    "location": {
        "address": dict.fromkeys(ADDRESS_FIELDS, str),
        "geoCoordinates": {"latitude": float, "longitude": float},
    },
    "locationAdditionalInformation": str,
    "locationInstructions": str,
    "locationTypes": [frozenset({"STORE", "WAREHOUSE", "FULFILLMENT_CENTER"})],
    "locationWebUrl": str,
    "merchantLocationStatus": frozenset({"ENABLED", "DISABLED"}),
    "name": str,
    "phone": str,
    "timeZoneId": str,
}


def _missing(field: str) -> EbayError:
    return EbayError(400, error(25801, f"Missing field {field}.", fieldName=field))


def _checked(key: str, body: Any) -> dict[str, Any]:
    if not 0 < len(key) <= MAX_LOCATION_KEY:
        text = "Invalid merchantLocationKey."
        raise EbayError(400, error(25800, text, fieldName="merchantLocationKey"))
    content: dict[str, Any] = fitted(body, LOCATION)
    address = at(content, "location", "address") or {}
    if not address.get("country"):
        raise _missing("location.address.country")
    if not address.get("postalCode") and not (
        address.get("city") and address.get("stateOrProvince")
    ):
        raise _missing("location.address.postalCode")
    if len(address["country"]) != 2 or not address["country"].isupper():
        text = "Invalid location.address.country."
        raise EbayError(400, error(25800, text, fieldName="location.address.country"))
    return content


def _create(call: Call) -> Answer:
    key = call.path["merchantLocationKey"]
    content = _checked(key, call.body)
    if key in call.seller.locations:
        text = "merchantLocationKey already exists."
        raise EbayError(409, error(25803, text, merchantLocationKey=key))
    location_id = call.state.next_number("location", FIRST_LOCATION)
    defaults = {
        "merchantLocationStatus": "ENABLED",
        "locationTypes": ["WAREHOUSE"],
    }
    content["location"]["locationId"] = location_id
    call.seller.locations[key] = {**defaults, **content, "merchantLocationKey": key}
    return NO_CONTENT


def _found(call: Call) -> dict[str, Any]:
    key = call.path["merchantLocationKey"]
    if key not in call.seller.locations:
        text = "merchantLocationKey not found."
        raise EbayError(404, error(25805, text, merchantLocationKey=key))
    return call.seller.locations[key]


def _get(call: Call) -> Answer:
    return Answer(200, _found(call))


def _delete(call: Call) -> Answer:
    _found(call)
    del call.seller.locations[call.path["merchantLocationKey"]]
    return NO_CONTENT


def _list(call: Call) -> Answer:
    page = Page.asked(call, default=100, most=100)
    rows = list(call.seller.locations.values())
    body = page.envelope(f"{INVENTORY.base_path}/location", len(rows))
    return Answer(200, {**body, "offset": page.offset, "locations": page.cut(rows)})


_PATH = "/location/{merchantLocationKey}"

LOCATION_OPERATIONS = (
    Operation(
        "createInventoryLocation", "POST", _PATH, INVENTORY, INVENTORY_WRITE, _create,
        json_body=True,
    ),
    Operation("deleteInventoryLocation", "DELETE", _PATH, INVENTORY, INVENTORY_WRITE, _delete),
    Operation("getInventoryLocation", "GET", _PATH, INVENTORY, INVENTORY_READ, _get),
    Operation("getInventoryLocations", "GET", "/location", INVENTORY, INVENTORY_READ, _list),
)  # fmt: skip
