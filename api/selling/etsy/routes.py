"""The shop on Etsy: connect the account, say what listings use, decide for single products."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from api.channel_shapes import ConsentOut, QuotaOut
from api.dependencies.actors import CurrentAccount
from api.dependencies.services_etsy import AccountDesk, Calls, Choices, Connecting
from api.dependencies.sessions import OwnShop, Tenant
from api.idempotency import keyless
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.channel_accounts.coming_back import (
    Code,
    ComingBack,
    ConfirmedCode,
    Declined,
    State,
)
from api.selling.etsy.schemas import (
    EtsyChannelOut,
    EtsyChoiceIn,
    EtsyConnectedOut,
    EtsyId,
    EtsyProductOut,
    TaxonomyOut,
    TaxonomyPropertyOut,
    TermsIn,
    Words,
)
from services.accounts.channel_consents.consents import ConsentDeclined, ConsentStateRefused
from services.gateways.etsy.errors import EtsyGrantRefused, EtsyRefusal
from services.selling.catalog.products import ProductNotFound
from services.selling.etsy.account import (
    EtsyAccountView,
    EtsyNotConnected,
    EtsyTermsRefused,
)
from services.selling.etsy.connecting import NoEtsyShop, OtherEtsyAccount
from services.selling.quotas.ledger import QuotaSpent
from shared.errors import (
    APIConnectionError,
    APITimeoutError,
    Misconfigured,
)

channel = guarded_router("/channels/etsy", policy=Policy.SIGNED_IN, tag="etsy")
returning = guarded_router("/channels/etsy", policy=Policy.SIGNED_STATE, tag="etsy")

products = guarded_router("/products", policy=Policy.SIGNED_IN, tag="etsy")

ROUTERS = (channel, returning, products)

OUTSIDE = (EtsyRefusal, EtsyGrantRefused, QuotaSpent, APIConnectionError, APITimeoutError)

COMING_BACK = problems(ConsentStateRefused, ConsentDeclined, OtherEtsyAccount, NoEtsyShop, *OUTSIDE)

ProductId = Annotated[int, Path(gt=0, lt=2**63)]


@channel.get("")
def show_channel(shop: OwnShop, desk: AccountDesk) -> EtsyChannelOut:
    """The Etsy account, whether it is ready, and how to mend what is missing."""
    return EtsyChannelOut.of(desk.view(shop))


@channel.post("/connect", responses=problems(Misconfigured))
@keyless("its answer is a secret that works once and briefly; another one does no harm")
def connect(actor: CurrentAccount, shop: OwnShop, connecting: Connecting) -> ConsentOut:
    """Start connecting: send the seller's browser to the address this answers with."""
    return ConsentOut.of(connecting.begin(shop, actor.user_id))


@returning.get("/callback", response_model=EtsyConnectedOut, responses=COMING_BACK)
def come_back(
    request: Request,
    connecting: Connecting,
    desk: AccountDesk,
    state: State,
    code: Code = None,
    error: Declined = None,
) -> Response | EtsyConnectedOut:
    """Where Etsy sends the seller's browser. A program completes at once and gets JSON.

    A browser gets a page that names the account that asked and changes nothing; its button posts
    here. The link may have come from somebody else than whoever agreed at Etsy.
    """
    return _connected(ComingBack(connecting, desk).come_back(request, state, code, error))


@returning.post("/callback", response_model=EtsyConnectedOut, responses=COMING_BACK)
def confirm(
    request: Request,
    connecting: Connecting,
    desk: AccountDesk,
    state: State,
    code: ConfirmedCode,
) -> Response | EtsyConnectedOut:
    """The button of the page above: connect. A page for browsers, JSON for programs."""
    return _connected(ComingBack(connecting, desk).confirm(request, state, code))


@channel.post("/check", responses=problems(EtsyNotConnected, *OUTSIDE))
@keyless("whoever checks again wants to know what is true now")
def check_channel(shop: OwnShop, desk: AccountDesk) -> EtsyChannelOut:
    """Ask Etsy now for profiles and policies, after mending something there."""
    return EtsyChannelOut.of(desk.check(shop))


@channel.put("/terms", responses=problems(EtsyNotConnected, EtsyTermsRefused))
def set_terms(shop: OwnShop, desk: AccountDesk, body: TermsIn) -> EtsyChannelOut:
    """Say which profiles and policies listings use, and who made the goods and when."""
    return EtsyChannelOut.of(desk.choose(shop, body.choices()))


@channel.get("/calls")
def show_calls(shop: OwnShop, calls: Calls) -> list[QuotaOut]:
    """How many calls Etsy still takes, of all shops together."""
    return [QuotaOut.of(state) for state in calls(shop)]


@channel.delete("", status_code=204)
def disconnect(shop: OwnShop, connecting: Connecting) -> None:
    """Erase the tokens. What is listed on Etsy stays listed."""
    connecting.disconnect(shop)


@channel.get("/categories", responses=problems(EtsyNotConnected, *OUTSIDE))
def suggest_categories(
    shop: OwnShop, choices: Choices, q: Annotated[Words, Query(min_length=1, max_length=350)]
) -> list[TaxonomyOut]:
    """Etsy's own categories that share most words with these."""
    return [TaxonomyOut.of(each) for each in choices.suggestions(shop, q)]


@channel.get("/category-properties", responses=problems(EtsyNotConnected, *OUTSIDE))
def show_properties(
    shop: OwnShop, choices: Choices, category: Annotated[EtsyId, Query()]
) -> list[TaxonomyPropertyOut]:
    """What can be said of a listing in one of Etsy's categories."""
    return [TaxonomyPropertyOut.of(each) for each in choices.properties(shop, category)]


@products.get("/{product_id}/channels/etsy", responses=problems(ProductNotFound))
def show_product(product_id: ProductId, session: Tenant, choices: Choices) -> EtsyProductOut:
    """The product as it would go to Etsy, and everything that is missing. Asks nobody."""
    return EtsyProductOut.of(choices.view(session, product_id))


@products.put("/{product_id}/channels/etsy", responses=problems(ProductNotFound))
def choose(
    product_id: ProductId, session: Tenant, choices: Choices, body: EtsyChoiceIn
) -> EtsyProductOut:
    """Choose Etsy's category, who made the thing and when, and what else Etsy shows of it."""
    return EtsyProductOut.of(choices.set(session, product_id, body.values()))


def _connected(came: Response | EtsyAccountView) -> Response | EtsyConnectedOut:
    if isinstance(came, Response):
        return came
    return EtsyConnectedOut(connected=True, channel=EtsyChannelOut.of(came))
