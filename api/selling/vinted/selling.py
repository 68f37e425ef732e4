"""Selling on Vinted: what is decided for it, comparing, answering."""

from typing import Annotated

from fastapi import Body, Path

from api.dependencies.actors import CurrentAccount
from api.dependencies.services_vinted_selling import Choices, Replies
from api.dependencies.sessions import Tenant
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.vinted.selling_schemas import (
    ReplyIn,
    VintedChoiceIn,
    VintedJobOut,
    VintedProductOut,
    VintedSyncIn,
    VintedTermsIn,
    VintedTermsOut,
)
from services.selling.catalog.products import ProductNotFound
from services.selling.vinted.choices import VintedNotConnected
from services.selling.vinted.message import ReplyUnderWay
from shared.errors import BadInput

account = guarded_router("/vinted", policy=Policy.SIGNED_IN, tag="vinted")
products = guarded_router("/products", policy=Policy.SIGNED_IN, tag="vinted")

ROUTERS = (account, products)

ProductId = Annotated[int, Path(gt=0, lt=2**63)]


@account.get("/terms")
def show_terms(session: Tenant, choices: Choices) -> VintedTermsOut:
    """What listings on Vinted use unless a product says otherwise, and the quiet hours."""
    return VintedTermsOut.of(choices.terms(session))


@account.put("/terms", responses=problems(VintedNotConnected, BadInput))
def set_terms(session: Tenant, choices: Choices, body: VintedTermsIn) -> VintedTermsOut:
    """Say what listings on Vinted use, and when nothing is to be sent."""
    return VintedTermsOut.of(choices.set_terms(session, body.terms()))


@account.post("/sync", status_code=202, responses=problems(VintedNotConnected, BadInput))
def compare(
    actor: CurrentAccount,
    session: Tenant,
    choices: Choices,
    body: Annotated[VintedSyncIn | None, Body()] = None,
) -> VintedJobOut:
    """Compare the whole wardrobe with our books. Asked twice, it is one job.

    When many listings are gone at once none of them is marked; the job's result says `held_back`.
    Ask again with `confirm_ended` when it is true.
    """
    confirmed = body is not None and body.confirm_ended
    asked = choices.compare(session, actor.user_id, confirm_ended=confirmed)
    return VintedJobOut.of(asked)


@account.post(
    "/conversations/{conversation_id}/replies",
    status_code=202,
    responses=problems(ReplyUnderWay, VintedNotConnected, BadInput),
)
def reply(
    conversation_id: Annotated[int, Path(gt=0, lt=2**63)],
    actor: CurrentAccount,
    session: Tenant,
    replies: Replies,
    body: ReplyIn,
) -> VintedJobOut:
    """Answer in a conversation that the other member began, or in which they bought something."""
    return VintedJobOut.of(replies.reply(session, conversation_id, body.body, actor.user_id))


@products.get("/{product_id}/channels/vinted", responses=problems(ProductNotFound))
def show_product(product_id: ProductId, session: Tenant, choices: Choices) -> VintedProductOut:
    """The product as it would go to Vinted, and everything that is missing. Asks nobody."""
    return VintedProductOut.of(choices.view(session, product_id))


@products.put("/{product_id}/channels/vinted", responses=problems(ProductNotFound, BadInput))
def choose(
    product_id: ProductId, session: Tenant, choices: Choices, body: VintedChoiceIn
) -> VintedProductOut:
    """Choose Vinted's category, size, colours and the parcel for this product."""
    return VintedProductOut.of(choices.set(session, product_id, body.values()))
