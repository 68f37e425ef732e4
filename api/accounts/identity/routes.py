"""Who you are."""

from typing import Annotated

from fastapi import Depends, Response
from fastapi.security import OAuth2PasswordRequestForm

from api.accounts.identity.schemas import (
    AccountOut,
    JwksOut,
    RefreshIn,
    RegistrationIn,
    TokensOut,
)
from api.dependencies.actors import CurrentAccount
from api.dependencies.container import TheContainer
from api.dependencies.services_accounts import (
    TheRefreshing,
    TheRegistration,
    TheSigningIn,
    TheSigningOut,
    TheWaking,
    counted_as_sign_in,
)
from api.dependencies.sessions import Platform, PlatformTransactions
from api.policies import Policy, guarded_router
from api.problems import problems
from services.accounts.identity.issuing import SignedIn
from services.accounts.identity.profile import profile_of
from services.accounts.identity.refreshing import RefreshRefused
from services.accounts.identity.registration import EmailTaken
from services.accounts.identity.sign_in import WrongCredentials
from services.accounts.tenants.waking import ShopNotWoken, Waking
from shared.errors import (
    BadInput,
    SchemaCreationError,
    SignedOut,
    StoflowError,
    TooManyRequests,
    Unauthenticated,
)

entrance = guarded_router("/auth", policy=Policy.PUBLIC, tag="identity")
inside = guarded_router("/auth", policy=Policy.DEVICE_TOO, tag="identity")
me = guarded_router("/me", policy=Policy.SIGNED_IN, tag="identity")
well_known = guarded_router("/.well-known", policy=Policy.PUBLIC, tag="identity", prefix="")

ROUTERS = (entrance, inside, me, well_known)


@entrance.post(
    "/register",
    status_code=201,
    dependencies=[counted_as_sign_in],
    responses=problems(BadInput, EmailTaken, TooManyRequests, SchemaCreationError),
)
def register(body: RegistrationIn, session: Platform, registration: TheRegistration) -> AccountOut:
    """Open an account and its shop; both are there when this answers, or neither."""
    user = registration.register(
        session, body.email, body.password.get_secret_value(), body.full_name
    )
    return AccountOut.of(profile_of(session, user.id))


@entrance.post(
    "/token",
    dependencies=[counted_as_sign_in],
    responses=problems(WrongCredentials, BadInput, TooManyRequests, ShopNotWoken),
)
def sign_in(
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    signing_in: TheSigningIn,
    waking: TheWaking,
    transactions: PlatformTransactions,
) -> TokensOut:
    """Sign in; `username` is the e-mail address. Swagger's *Authorize* comes here.

    A shop that was put to sleep because nobody came is back when this answers.
    """
    with transactions() as session:
        attempt = signing_in.prepare(session, form.username)
    verdict = signing_in.perform(attempt, form.password)
    with transactions() as session:
        outcome = signing_in.record(session, attempt, verdict)
    return _tokens(outcome, waking)


@entrance.post(
    "/refresh",
    dependencies=[counted_as_sign_in],
    responses=problems(RefreshRefused, BadInput, TooManyRequests, ShopNotWoken),
)
def refresh(
    body: RefreshIn,
    refreshing: TheRefreshing,
    waking: TheWaking,
    transactions: PlatformTransactions,
) -> TokensOut:
    """Exchange a refresh token for new tokens. Using one twice ends the whole sign-in."""
    with transactions() as session:
        outcome = refreshing.refresh(session, body.refresh_token.get_secret_value())
    return _tokens(outcome, waking)


@inside.post("/logout", status_code=204, responses=problems(Unauthenticated, SignedOut))
def sign_out(actor: CurrentAccount, session: Platform, signing_out: TheSigningOut) -> None:
    """End this sign-in; its tokens are refused from now on."""
    signing_out.sign_out(session, actor.session_id)


@me.get("", responses=problems(Unauthenticated, SignedOut))
def show_me(actor: CurrentAccount, session: Platform) -> AccountOut:
    """The signed-in account."""
    return AccountOut.of(profile_of(session, actor.user_id))


@well_known.get("/jwks.json")
async def jwks(container: TheContainer, response: Response) -> JwksOut:
    """The public keys, for whoever verifies our access tokens."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return JwksOut(**container.access_tokens.jwks())


def _tokens(outcome: SignedIn | StoflowError, waking: Waking) -> TokensOut:
    """Refusals were committed, since they count; only now do they become errors."""
    if isinstance(outcome, StoflowError):
        raise outcome
    if outcome.asleep is not None:
        waking.wake_for_its_owner(outcome.asleep)
    return TokensOut.of(outcome)
