"""Two listings that buyers cannot tell apart: marketplaces end one, or the account."""

from collections.abc import Mapping, Sequence

from models.selling.publishing import Channel
from repositories.selling.catalog_looks import Look, LooksRepository
from shared.database import TenantSession
from shared.errors import FieldProblem


def twin_gaps(
    session: TenantSession, product_ids: Sequence[int], channels: Sequence[Channel]
) -> Mapping[tuple[int, Channel], FieldProblem]:
    """What is wrong with products that look like one that is listed there, or is before them in
    the request: the same title, whatever its case, and the same first photo.
    """
    looks = LooksRepository(session)
    there = dict(looks.twins_there(channels, product_ids))
    first: dict[Look, int] = {}
    of_each = looks.looks(product_ids)
    for product_id in product_ids:
        look = of_each.get(product_id)
        if look is None:
            continue
        twin = first.setdefault(look, product_id)
        if twin != product_id:
            there |= {(product_id, channel): twin for channel in channels}
    return {key: _told(key[1], twin) for key, twin in there.items()}


def _told(channel: Channel, twin: int) -> FieldProblem:
    message = (
        f"Product {twin} has the same title and the same first photo, and {channel} does not want "
        "a thing twice. Raise the quantity of one of them, or change title or photo."
    )
    return FieldProblem("title", message, "duplicate-listing")
