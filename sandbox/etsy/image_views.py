"""Pictures as Etsy answers them."""

import colorsys
from typing import Any

from sandbox.etsy.operations import Call
from sandbox.etsy.state import Image, Listing

SIZES = ("75x75", "170x135", "570xN", "fullxfull")


def image_view(
    call: Call, listing: Listing, image_id: int, *, fresh: bool = False
) -> dict[str, Any]:
    """Etsy's ListingImage. Of a `fresh` one colours and size are not known yet.

    The pictures themselves are to be had from the sandbox, without a key, as from Etsy's own host.
    """
    image = call.state.images[image_id]
    pictures = f"http://{call.headers['host']}/il/{image_id}"
    return {
        "listing_id": listing.listing_id,
        "listing_image_id": image_id,
        **(dict.fromkeys(_looks(image)) if fresh else _looks(image)),
        "creation_tsz": image.created_at,
        "created_timestamp": image.created_at,
        "rank": listing.image_ids.index(image_id) + 1,
        **{f"url_{size}": f"{pictures}/il_{size}.{image_id}.jpg" for size in SIZES},
        "alt_text": image.alt_text,
    }


def _looks(image: Image) -> dict[str, Any]:
    red, green, blue = image.colour
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    return {
        "hex_code": f"{red:02X}{green:02X}{blue:02X}",
        "red": red,
        "green": green,
        "blue": blue,
        "hue": round(hue * 360),
        "saturation": round(saturation * 100),
        "brightness": round(value * 100),
        "is_black_and_white": red == green == blue,
        "full_height": image.height,
        "full_width": image.width,
    }
