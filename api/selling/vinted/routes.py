"""The shop at Vinted: pair browsers, see how the account stands, pause it."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Response

from api.accounts.identity.schemas import TokensOut
from api.dependencies.actors import CurrentAccount
from api.dependencies.container import TheContainer
from api.dependencies.services_accounts import TheWaking, counted_as_sign_in
from api.dependencies.services_vinted import AccountDesk, Pairings
from api.dependencies.sessions import Platform, PlatformTransactions, Tenant, TenantTransactions
from api.idempotency import keyless
from api.policies import LinkRefused, Policy, guarded_router
from api.problems import problems
from api.selling.vinted.schemas import ClaimIn, DeviceOut, PairingOut, SiteIn, StatusOut
from services.accounts.identity.pairing import DeviceNotFound, PairingRefused
from services.gateways.object_store import ObjectNotFound
from services.selling.vinted.account import VintedNotPaired
from services.selling.vinted.sites import UnknownVintedSite
from shared.errors import BadInput, TooManyRequests

inside = guarded_router("/vinted", policy=Policy.SIGNED_IN, tag="vinted")
entrance = guarded_router("/vinted", policy=Policy.PUBLIC, tag="vinted")
devices_too = guarded_router("/vinted", policy=Policy.DEVICE_TOO, tag="vinted")
photos = guarded_router("/vinted", policy=Policy.SIGNED_LINK, tag="vinted")

ROUTERS = (inside, entrance, devices_too, photos)


@inside.post("/pairings", status_code=201)
@keyless("its answer is a secret that works once and briefly; another one does no harm")
def offer_pairing(actor: CurrentAccount, session: Platform, pairings: Pairings) -> PairingOut:
    """Make a code that pairs a browser; a code that was made before is worth nothing any more."""
    return PairingOut.of(pairings.offer(session, actor.user_id))


@entrance.post(
    "/pairings/claim",
    dependencies=[counted_as_sign_in],
    responses=problems(PairingRefused, BadInput, TooManyRequests),
)
def claim_pairing(
    body: ClaimIn, pairings: Pairings, waking: TheWaking, transactions: PlatformTransactions
) -> TokensOut:
    """Use a code up: tokens for the extension, good for its socket and next to nothing else."""
    with transactions() as session:
        outcome = pairings.claim(session, body.code, body.device)
    if isinstance(outcome, PairingRefused):
        raise outcome
    if outcome.asleep is not None:
        waking.wake_for_its_owner(outcome.asleep)
    return TokensOut.of(outcome)


@devices_too.get("/status")
def show_status(session: Tenant, desk: AccountDesk) -> StatusOut:
    """How the account at Vinted stands, and what the seller has to do."""
    return StatusOut.of(desk.status(session))


@inside.post("/pause", responses=problems(VintedNotPaired))
def pause(session: Tenant, desk: AccountDesk) -> StatusOut:
    """Do nothing at Vinted until it is resumed; jobs wait."""
    return StatusOut.of(desk.pause(session))


@inside.post("/resume", responses=problems(VintedNotPaired))
def resume(session: Tenant, desk: AccountDesk) -> StatusOut:
    """Go on at Vinted."""
    return StatusOut.of(desk.resume(session))


@inside.put("/site", responses=problems(UnknownVintedSite))
def choose_site(session: Tenant, desk: AccountDesk, body: SiteIn) -> StatusOut:
    """Say which of Vinted's sites the shop sells on; else it is that of the first browser."""
    return StatusOut.of(desk.choose_site(session, body.site))


@inside.get("/devices")
def list_devices(
    actor: CurrentAccount,
    platform: PlatformTransactions,
    tenant: TenantTransactions,
    pairings: Pairings,
    desk: AccountDesk,
) -> list[DeviceOut]:
    """The paired browsers, the newest first."""
    with platform() as session:
        paired = pairings.list(session, actor.user_id)
    with tenant() as session:
        status = desk.status(session)
    return [DeviceOut.of(each, status) for each in paired]


@inside.delete("/devices/{device_id}", status_code=204, responses=problems(DeviceNotFound))
def unpair(
    device_id: Annotated[UUID, Path()],
    actor: CurrentAccount,
    platform: PlatformTransactions,
    tenant: TenantTransactions,
    pairings: Pairings,
    desk: AccountDesk,
) -> None:
    """Unpair a browser: its tokens and its socket end, and another one may work in its place."""
    with platform() as session:
        pairings.unpair(session, actor.user_id, device_id)
    with tenant() as session:
        desk.let_go(session, device_id)


@photos.get("/photos/{token}", responses=problems(LinkRefused, ObjectNotFound))
def fetch_photo(token: Annotated[str, Path(max_length=4096)], container: TheContainer) -> Response:
    """A photo, for the browser that is to upload it; the link was sent with a command."""
    photo = container.photo_links.read(token)
    if photo is None:
        raise LinkRefused
    return Response(container.object_store.get(photo.object_key), media_type=photo.content_type)
