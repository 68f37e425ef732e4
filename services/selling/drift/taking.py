"""Makes our record say what a listing shows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from models.selling.catalog import Product
from services.selling.catalog.drafts import ProductDraft, VariantDraft, touch
from services.selling.catalog.images import number_photos
from services.selling.catalog.products import ProductCatalog, ProductInvalid
from services.selling.drift.seen import PHOTOS, PRICE, PUBLISHED, QUANTITY, TITLE, Difference
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import BadInput, FieldProblem
from shared.money import Money


class NotTakeable(BadInput):
    """Our record cannot say this; the fields tell why."""

    code, title = "drift-not-takeable", "The product cannot be made to say this"


def take(
    session: TenantSession, product: Product, items: Sequence[Difference], clock: Clock
) -> Product:
    """Change a product, whose row is locked, in all of these or in none. Raises `NotTakeable`."""
    problems = [problem for item in items for problem in _against(item, product)]
    if problems:
        raise NotTakeable(fields=problems)
    shown = {(item.field, item.sku): item.live for item in items}
    photos = shown.get((PHOTOS, None))

    def edit(draft: ProductDraft) -> ProductDraft:
        keys = {variant.id: variant.channel_key for variant in product.variants}
        title = shown.get((TITLE, None), draft.title)
        return replace(
            draft,
            title=str(title),
            variants=tuple(_variant(each, keys[each.id or 0], shown) for each in draft.variants),
        )

    try:
        changed = ProductCatalog(session, clock).change(product.id, lambda _version: True, edit)
    except ProductInvalid as invalid:
        raise NotTakeable(fields=invalid.fields) from None
    if isinstance(photos, list):
        own = {image.id: image for image in changed.images}
        shown_once = dict.fromkeys(number for number in photos if isinstance(number, int))
        number_photos([own[number] for number in shown_once], changed)
        touch(changed, clock.now())
    return changed


def _variant(
    draft: VariantDraft, sku: str, shown: Mapping[tuple[str, str | None], object]
) -> VariantDraft:
    price, quantity = shown.get((PRICE, sku)), shown.get((QUANTITY, sku))
    return replace(
        draft,
        price_minor=_money(price).minor if isinstance(price, str) else draft.price_minor,
        quantity=quantity if isinstance(quantity, int) else draft.quantity,
    )


def _money(said: str) -> Money:
    amount, _, currency = said.partition(" ")
    return Money.parse(amount, currency)


def _against(item: Difference, product: Product) -> list[FieldProblem]:
    """Why this one cannot be taken."""
    if item.field == PHOTOS and not item.can_take:
        message = (
            "The listing shows a photo that the product does not have. Add it to the product "
            "first, or put yours back."
        )
        return [FieldProblem("images", message, "photo-not-ours")]
    if item.field == PUBLISHED:
        message = "This variant was taken out of the listing. Set its quantity to 0 to agree."
        return [FieldProblem("variants", message, "variant-not-offered")]
    if item.field == PRICE and _money(str(item.live)).currency != product.currency:
        message = f"The listing is priced in another currency: {item.live}."
        return [FieldProblem("variants", message, "currency-differs")]
    return []
