"""What is said of a listing as a whole: properties, and translations of its words."""

from typing import Any

from sandbox.answers import NO_CONTENT, Answer
from sandbox.etsy.errors import bad_request, not_found
from sandbox.etsy.fields import identifier, text
from sandbox.etsy.listing_rules import check_said
from sandbox.etsy.listings import owned, visible
from sandbox.etsy.operations import Call, Operation, listed
from sandbox.etsy.property_rules import find, property_value, value_ids
from sandbox.etsy.values import LANGUAGES


def _properties(call: Call) -> Answer:
    return listed(list(visible(call).properties.values()))


def _property(call: Call) -> Answer:
    found = visible(call).properties.get(call.path["property_id"])
    if found is None:
        raise not_found("Property")
    return Answer(200, found)


def _put_property(call: Call) -> Answer:
    listing, property_id = owned(call), call.path["property_id"]
    known = find(call.sandbox.taxonomy, listing.content["taxonomy_id"], property_id)
    if known is None or not known.attribute:
        raise bad_request(f"Invalid value for property_id: {property_id} is no attribute here.")
    if "scale_id" in call.form:
        raise bad_request("Invalid value for scale_id: the property has no scales.")
    ids, values = call.form["value_ids"], call.form["values"]
    if len(ids) != len(values) or (len(ids) > 1 and not known.multivalued):
        raise bad_request(f"value_ids and values of property {property_id} do not agree.")
    if not set(values) <= set(known.values.values()):
        raise bad_request(f"Invalid value for property {property_id}.")
    said = property_value(property_id, known.name, value_ids(known, ids, values), values)
    listing.properties[property_id] = said
    listing.updated_at = call.now
    return Answer(200, said)


def _delete_property(call: Call) -> Answer:
    listing = owned(call)
    if listing.properties.pop(call.path["property_id"], None) is None:
        raise not_found("Property")
    listing.updated_at = call.now
    return NO_CONTENT


def _translation(call: Call) -> Answer:
    found = visible(call).translations.get(call.path["language"])
    if found is None:
        raise not_found("Translation")
    return Answer(200, found)


def _create_translation(call: Call) -> Answer:
    if call.path["language"] in owned(call).translations:
        raise bad_request("The listing has a translation into this language; update it.")
    return _translated(call)


def _update_translation(call: Call) -> Answer:
    if call.path["language"] not in owned(call).translations:
        raise not_found("Translation")
    return _translated(call)


def _translated(call: Call) -> Answer:
    listing, language = owned(call), call.path["language"]
    if language not in LANGUAGES:
        raise bad_request(f"Invalid value for language: one of {', '.join(LANGUAGES)}.")
    check_said(call.sandbox, call.own_shop, call.form)
    said: dict[str, Any] = {"listing_id": listing.listing_id, "language": language, "tags": []}
    listing.translations[language] = {**said, **call.form}
    listing.updated_at = call.now
    return Answer(200, listing.translations[language])


_OF_SHOP = "/shops/{shop_id}/listings/{listing_id}"
_PROPERTY = _OF_SHOP + "/properties/{property_id}"
_TRANSLATION = _OF_SHOP + "/translations/{language}"
_WORDS = (
    text("title", required=True),
    text("description", required=True),
    text("tags", many=True),
)
_LANGUAGE = frozenset({"language"})

ATTRIBUTE_OPERATIONS = (
    Operation("getListingProperties", "GET", _OF_SHOP + "/properties", None, _properties),
    Operation(
        "getListingProperty", "GET", "/listings/{listing_id}/properties/{property_id}", None,
        _property,
    ),
    Operation(
        "updateListingProperty", "PUT", _PROPERTY, "listings_w", _put_property,
        form=(
            identifier("value_ids", many=True, required=True),
            text("values", many=True, required=True),
            identifier("scale_id"),
        ),
    ),
    Operation("deleteListingProperty", "DELETE", _PROPERTY, "listings_w", _delete_property),
    Operation(
        "getListingTranslation", "GET", _TRANSLATION, None, _translation, path_words=_LANGUAGE,
    ),
    Operation(
        "createListingTranslation", "POST", _TRANSLATION, "listings_w", _create_translation,
        form=_WORDS, path_words=_LANGUAGE,
    ),
    Operation(
        "updateListingTranslation", "PUT", _TRANSLATION, "listings_w", _update_translation,
        form=_WORDS, path_words=_LANGUAGE,
    ),
)  # fmt: skip
