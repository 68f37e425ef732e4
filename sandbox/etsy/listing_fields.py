"""What the forms of createDraftListing and updateListing may say."""

from sandbox.etsy.fields import Field, boolean, identifier, integer, number, text, word
from sandbox.etsy.values import DIMENSION_UNITS, LISTING_TYPES, WEIGHT_UNITS, WHO_MADE

TITLE, DESCRIPTION = text("title"), text("description")
MADE_BY, MADE_WHEN = word("who_made", WHO_MADE), text("when_made")
TAXONOMY = identifier("taxonomy_id")
IMAGES = identifier("image_ids", many=True)
"""Never nothing: an empty array of pictures is refused, in a draft too."""

_BOTH = (
    identifier("shipping_profile_id", nullable=True),
    identifier("return_policy_id", nullable=True),
    text("materials", many=True, nullable=True),
    text("tags", many=True, nullable=True),
    number("item_weight", nullable=True, least=0),
    number("item_length", nullable=True, least=0),
    number("item_width", nullable=True, least=0),
    number("item_height", nullable=True, least=0),
    word("item_weight_unit", WEIGHT_UNITS, nullable=True),
    word("item_dimensions_unit", DIMENSION_UNITS, nullable=True),
    boolean("is_personalizable"),
    boolean("personalization_is_required"),
    integer("personalization_char_count_max"),
    text("personalization_instructions"),
    identifier("production_partner_ids", many=True, nullable=True),
    boolean("is_supply"),
    boolean("should_auto_renew"),
    boolean("is_taxable"),
)

CREATE: tuple[Field, ...] = (
    *(field.needed() for field in (TITLE, DESCRIPTION, MADE_BY, MADE_WHEN, TAXONOMY)),
    integer("quantity", required=True),
    number("price", required=True),
    *_BOTH,
    IMAGES,
    identifier("shop_section_id", nullable=True),
    integer("processing_min", nullable=True, least=0),
    integer("processing_max", nullable=True, least=0),
    identifier("readiness_state_id", nullable=True),
    text("styles", many=True, nullable=True),
    boolean("is_customizable"),
    word("type", LISTING_TYPES),
)
UPDATE: tuple[Field, ...] = (
    *(TITLE, DESCRIPTION, MADE_BY, MADE_WHEN, TAXONOMY, IMAGES),
    *_BOTH,
    integer("shop_section_id", nullable=True),
    integer("featured_rank", nullable=True),
    word("state", ("active", "inactive")),
    word("type", LISTING_TYPES, nullable=True),
)
