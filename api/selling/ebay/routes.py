"""The shop on eBay: connect the account, mend what it lacks, decide for single products."""

from typing import Annotated

from fastapi import Body, Path, Query, Request, Response

from api.channel_shapes import ConsentOut, QuotaOut
from api.dependencies.actors import CurrentAccount
from api.dependencies.services_ebay import AccountDesk, Calls, Choices, Connecting
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
from api.selling.ebay.schemas import (
    CheckIn,
    ChoiceIn,
    ConnectedOut,
    ConnectIn,
    EbayChannelOut,
    EbayProductOut,
    LocationIn,
    SiteIn,
    SuggestionOut,
    Words,
)
from services.accounts.channel_consents.consents import ConsentDeclined, ConsentStateRefused
from services.gateways.ebay.errors import EbayGrantRefused, EbayRefusal
from services.selling.catalog.products import ProductNotFound
from services.selling.ebay.account import (
    EbayAccountView,
    EbayNotConnected,
    LocationRefused,
)
from services.selling.ebay.choices import EbayChoiceInvalid
from services.selling.ebay.connecting import OtherEbayAccount
from services.selling.ebay.sites import EbaySiteInUse, EbaySiteUnknown
from services.selling.quotas.ledger import QuotaSpent
from shared.errors import (
    APIConnectionError,
    APITimeoutError,
    BadInput,
    Misconfigured,
)

channel = guarded_router("/channels/ebay", policy=Policy.SIGNED_IN, tag="ebay")
returning = guarded_router("/channels/ebay", policy=Policy.SIGNED_STATE, tag="ebay")
products = guarded_router("/products", policy=Policy.SIGNED_IN, tag="ebay")

ROUTERS = (channel, returning, products)

OUTSIDE = (EbayRefusal, EbayGrantRefused, QuotaSpent, APIConnectionError, APITimeoutError)

COMING_BACK = problems(ConsentStateRefused, ConsentDeclined, OtherEbayAccount, *OUTSIDE)

ProductId = Annotated[int, Path(gt=0, lt=2**63)]


@channel.get("")
def show_channel(shop: OwnShop, desk: AccountDesk) -> EbayChannelOut:
    """The eBay account, whether it is ready, and how to mend what is missing."""
    return EbayChannelOut.of(desk.view(shop))


@channel.patch("", responses=problems(EbaySiteUnknown, EbaySiteInUse, EbayNotConnected))
def change_channel(shop: OwnShop, desk: AccountDesk, body: SiteIn) -> EbayChannelOut:
    """Choose the site to sell on: its currency, language, categories and policies count then.

    Products stay listed where they are, so a site is left only when nothing is listed on it.
    """
    return EbayChannelOut.of(desk.choose_site(shop, body.marketplace_id))


@channel.post("/connect", responses=problems(Misconfigured, EbaySiteUnknown, EbaySiteInUse))
@keyless("its answer is a secret that works once and briefly; another one does no harm")
def connect(
    actor: CurrentAccount,
    shop: OwnShop,
    connecting: Connecting,
    body: Annotated[ConnectIn | None, Body()] = None,
) -> ConsentOut:
    """Start connecting: send the seller's browser to the address this answers with."""
    wanted = None if body is None else body.marketplace_id
    return ConsentOut.of(connecting.begin(shop, actor.user_id, wanted))


@returning.get("/callback", response_model=ConnectedOut, responses=COMING_BACK)
def come_back(
    request: Request,
    connecting: Connecting,
    desk: AccountDesk,
    state: State,
    code: Code = None,
    error: Declined = None,
) -> Response | ConnectedOut:
    """Where eBay sends the seller's browser. A program completes at once and gets JSON.

    A browser gets a page that names the account that asked and changes nothing; its button posts
    here. The link may have come from somebody else than whoever agreed at eBay.
    """
    return _connected(ComingBack(connecting, desk).come_back(request, state, code, error))


@returning.post("/callback", response_model=ConnectedOut, responses=COMING_BACK)
def confirm(
    request: Request,
    connecting: Connecting,
    desk: AccountDesk,
    state: State,
    code: ConfirmedCode,
) -> Response | ConnectedOut:
    """The button of the page above: connect. A page for browsers, JSON for programs."""
    return _connected(ComingBack(connecting, desk).confirm(request, state, code))


@channel.post("/check", responses=problems(EbayNotConnected, *OUTSIDE))
@keyless("whoever checks again wants to know what is true now")
def check_channel(
    shop: OwnShop, desk: AccountDesk, body: Annotated[CheckIn | None, Body()] = None
) -> EbayChannelOut:
    """Ask eBay now for policies and location, after mending something there."""
    return EbayChannelOut.of(desk.check(shop, opt_in=body is not None and body.opt_in))


@channel.put("/location", responses=problems(EbayNotConnected, LocationRefused, *OUTSIDE))
def set_location(shop: OwnShop, desk: AccountDesk, body: LocationIn) -> EbayChannelOut:
    """Say where goods are sent from; eBay needs it for every listing."""
    return EbayChannelOut.of(desk.set_location(shop, body.name, body.address()))


@channel.get("/calls")
def show_calls(shop: OwnShop, calls: Calls) -> list[QuotaOut]:
    """How many calls eBay still takes, of all shops together or of this one."""
    return [QuotaOut.of(state) for state in calls(shop)]


@channel.delete("", status_code=204)
def disconnect(shop: OwnShop, connecting: Connecting) -> None:
    """Erase the tokens. What is listed on eBay stays listed."""
    connecting.disconnect(shop)


@channel.get("/category-suggestions", responses=problems(BadInput, *OUTSIDE))
def suggest_categories(
    shop: OwnShop, choices: Choices, q: Annotated[Words, Query(min_length=1, max_length=350)]
) -> list[SuggestionOut]:
    """eBay's own categories for some words, likeliest first."""
    return [SuggestionOut.of(each) for each in choices.suggestions(shop, q)]


@products.get("/{product_id}/channels/ebay", responses=problems(ProductNotFound))
def show_product(product_id: ProductId, session: Tenant, choices: Choices) -> EbayProductOut:
    """The product as it would go to eBay, and everything that is missing. Asks nobody."""
    return EbayProductOut.of(choices.view(session, product_id))


@products.put(
    "/{product_id}/channels/ebay",
    responses=problems(ProductNotFound, EbayChoiceInvalid, BadInput, *OUTSIDE),
)
def choose(
    product_id: ProductId, shop: OwnShop, choices: Choices, body: ChoiceIn
) -> EbayProductOut:
    """Choose a category of eBay's own and further item specifics for this product."""
    return EbayProductOut.of(choices.set(shop, product_id, body.category_id, body.aspects))


def _connected(came: Response | EbayAccountView) -> Response | ConnectedOut:
    if isinstance(came, Response):
        return came
    return ConnectedOut(connected=True, channel=EbayChannelOut.of(came))
