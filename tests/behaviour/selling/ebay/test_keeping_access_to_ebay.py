"""Access tokens: renewed in time, by one at a time, and ended when eBay ends them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier

import pytest

from backend.cli.keys import HOLDERS
from backend.container import Container
from models.selling.ebay import ConnectionStatus, EbayConnection
from repositories.selling.ebay import EbayConnectionRepository
from services.accounts.channel_consents.resealing import TokenResealing
from services.gateways.ebay.errors import EbayGrantRefused
from services.gateways.ebay.oauth import SELLER_SCOPES, AccessGrant, EbayOAuth
from services.selling.ebay.access import EbayAccess
from shared.clock import MovableClock
from shared.encryption import SecretBox, new_key
from shared.errors import EbayError, Remedy
from tests.behaviour.selling.ebay.conftest import CHANNEL, connect, sign_in_again
from tests.contracts.ebay_shop import Sandbox
from tests.serving import Seller

LIFE = timedelta(seconds=7200)
ALMOST_OVER = LIFE - timedelta(minutes=5)


@pytest.fixture
def access(container: Container) -> EbayAccess:
    return EbayAccess(
        container.database, container.ebay.oauth, container.secret_box, container.clock
    )


def renewals(ebay: Sandbox) -> int:
    """How often the token endpoint was asked, the consent's own exchange left out."""
    calls: dict[str, int] = ebay.control("calls", method="GET")["calls"]
    return calls["token"] - 1


def connection_of(container: Container, seller: Seller) -> EbayConnection:
    with container.database.tenant(seller.tenant) as session:
        found = EbayConnectionRepository(session).get()
    assert found is not None
    return found


def test_a_token_is_renewed_five_minutes_before_it_expires(
    access: EbayAccess, connected: Seller, ebay: Sandbox, clock: MovableClock
) -> None:
    """E4: not earlier, and not again."""
    first = access.grant(connected.tenant)
    clock.advance(ALMOST_OVER - timedelta(seconds=1))
    assert access.grant(connected.tenant) == first
    assert renewals(ebay) == 0
    clock.advance(timedelta(seconds=1))
    second = access.grant(connected.tenant)
    assert second.token != first.token
    assert second.expires_at == clock.now() + LIFE
    assert access.grant(connected.tenant) == second
    assert renewals(ebay) == 1


def test_renewing_keeps_scopes_and_the_refresh_token(
    access: EbayAccess,
    container: Container,
    connected: Seller,
    ebay: Sandbox,
    clock: MovableClock,
) -> None:
    """E4: the new token opens what the first one opened."""
    before = connection_of(container, connected)
    for _ in range(2):
        clock.advance(LIFE)
        access.grant(connected.tenant)
    after = connection_of(container, connected)
    assert after.refresh_token == before.refresh_token
    assert after.scopes == list(SELLER_SCOPES)
    sign_in_again(connected)
    assert connected.http.post(f"{CHANNEL}/check").status_code == 200


def test_many_at_once_renew_once(
    access: EbayAccess, connected: Seller, ebay: Sandbox, clock: MovableClock
) -> None:
    """E2: eight threads with an expired token, one call to eBay, one token for all."""
    clock.advance(LIFE)
    ebay.fault("token", "slow", delay_s=0.3)
    together = Barrier(8)

    def ask(_number: int) -> str:
        together.wait()
        return access.grant(connected.tenant).token

    with ThreadPoolExecutor(8) as crowd:
        tokens = set(crowd.map(ask, range(8)))
    assert len(tokens) == 1
    assert renewals(ebay) == 1


def test_many_whose_token_was_refused_renew_once(
    access: EbayAccess, connected: Seller, ebay: Sandbox
) -> None:
    """E2."""
    refused = access.grant(connected.tenant).token
    ebay.fault("token", "slow", delay_s=0.3)
    with ThreadPoolExecutor(6) as crowd:
        grants = list(crowd.map(lambda _: access.grant(connected.tenant, refused), range(6)))
    assert len({grant.token for grant in grants}) == 1
    assert refused not in {grant.token for grant in grants}
    assert renewals(ebay) == 1


@dataclass
class Interrupted:
    """eBay's token endpoint, with something happening while it is asked."""

    oauth: EbayOAuth
    meanwhile: Callable[[], object]

    def refresh(self, refresh_token: str, scopes: list[str]) -> AccessGrant:
        self.meanwhile()
        return self.oauth.refresh(refresh_token, scopes)


def interrupted(container: Container, meanwhile: Callable[[], object]) -> EbayAccess:
    oauth = Interrupted(container.ebay.oauth, meanwhile)
    return EbayAccess(container.database, oauth, container.secret_box, container.clock)  # type: ignore[arg-type]


def test_a_token_that_is_still_good_is_used_while_another_is_fetched(
    access: EbayAccess, container: Container, connected: Seller, clock: MovableClock
) -> None:
    """E2: nobody waits without need."""
    old = access.grant(connected.tenant)
    clock.advance(ALMOST_OVER)
    seen: list[AccessGrant] = []
    renewing = interrupted(container, lambda: seen.append(access.grant(connected.tenant)))
    new = renewing.grant(connected.tenant)
    assert seen == [old]
    assert access.grant(connected.tenant) == new


def test_a_token_that_comes_after_a_new_consent_does_not_replace_it(
    container: Container, connected: Seller, ebay: Sandbox, clock: MovableClock
) -> None:
    """E5: the lease is gone by then."""
    clock.advance(LIFE)
    sign_in_again(connected)
    renewing = interrupted(container, lambda: connect(connected, ebay, "alice"))
    late = renewing.grant(connected.tenant)
    stored = connection_of(container, connected)
    assert container.secret_box.open(stored.access_token) != late.token
    assert stored.refreshing_until is None


def test_a_refusal_that_comes_after_a_new_consent_does_not_end_it(
    container: Container, connected: Seller, ebay: Sandbox, clock: MovableClock
) -> None:
    """E1."""
    clock.advance(LIFE)

    sign_in_again(connected)

    def revoked_and_connected_again() -> None:
        ebay.control("sellers/TESTUSER_alice/revoke")
        connect(connected, ebay, "alice")

    with pytest.raises(EbayGrantRefused):
        interrupted(container, revoked_and_connected_again).grant(connected.tenant)
    assert connection_of(container, connected).status is ConnectionStatus.CONNECTED


def test_a_renewer_that_died_is_followed_by_another(
    access: EbayAccess, container: Container, connected: Seller, clock: MovableClock
) -> None:
    """E2: after its lease; until then others wait, and give up politely."""
    clock.advance(LIFE)
    with container.database.tenant(connected.tenant) as session:
        held = EbayConnectionRepository(session).locked()
        assert held is not None
        held.refreshing_until = clock.now() + timedelta(seconds=30)
    pauses: list[float] = []
    patient = EbayAccess(
        container.database,
        container.ebay.oauth,
        container.secret_box,
        clock,
        pause=pauses.append,
    )
    with pytest.raises(EbayError) as waited:
        patient.grant(connected.tenant)
    assert (waited.value.remedy, waited.value.retry_after) == (Remedy.WAIT, 5)
    assert sum(pauses) == pytest.approx(2)
    clock.advance(timedelta(seconds=30))
    assert access.grant(connected.tenant).expires_at == clock.now() + LIFE


def test_an_ebay_that_gives_no_token_at_the_moment_is_asked_again(
    access: EbayAccess, container: Container, connected: Seller, ebay: Sandbox, clock: MovableClock
) -> None:
    """C8: transient; the lease does not stay behind."""
    clock.advance(LIFE)
    ebay.fault("token", "http_503", retry_after_s=3)
    with pytest.raises(EbayError) as failed:
        access.grant(connected.tenant)
    assert (failed.value.remedy, failed.value.retry_after) == (Remedy.WAIT, 3)
    assert connection_of(container, connected).refreshing_until is None
    assert access.grant(connected.tenant).token


def test_a_revoked_consent_is_noticed_once_and_healed_by_a_new_one(
    access: EbayAccess, connected: Seller, ebay: Sandbox, clock: MovableClock
) -> None:
    """E1, E3: not transient; eBay is not asked again until the seller has agreed again."""
    ebay.control("sellers/TESTUSER_alice/revoke")
    clock.advance(LIFE)
    with pytest.raises(EbayGrantRefused) as ended:
        access.grant(connected.tenant)
    assert ended.value.remedy is Remedy.RECONNECT
    asked = renewals(ebay)
    with pytest.raises(EbayError) as refused:
        access.grant(connected.tenant)
    assert refused.value.remedy is Remedy.RECONNECT
    assert renewals(ebay) == asked
    sign_in_again(connected)
    channel = connected.http.get(CHANNEL).json()
    assert (channel["status"], channel["ready"]) == ("needs_reauth", False)
    assert channel["missing"][0]["rule"] == "needs-reauth"
    assert connect(connected, ebay, "alice").status_code == 200
    assert connected.http.get(CHANNEL).json()["ready"]


@dataclass
class RenewedMeanwhile:
    """eBay's token endpoint, with something happening while it is asked."""

    oauth: EbayOAuth
    meanwhile: Callable[[], object]

    def refresh(self, refresh_token: str, scopes: list[str]) -> AccessGrant:
        grant = self.oauth.refresh(refresh_token, scopes)
        self.meanwhile()
        return grant


def test_a_rotation_of_keys_in_the_middle_of_a_renewal_loses_neither(
    container: Container, connected: Seller, ebay: Sandbox, clock: MovableClock
) -> None:
    """E4, E6: the new access token and the old refresh token, both under the current key."""
    old = new_key()
    with container.database.tenant(connected.tenant) as session:
        connection = EbayConnectionRepository(session).locked()
        assert connection is not None
        for name in ("access_token", "refresh_token"):
            plain = container.secret_box.open(getattr(connection, name))
            setattr(connection, name, SecretBox(old).seal(plain))
    box = SecretBox(new_key(), [old])
    resealing = TokenResealing(container.database, box, HOLDERS)
    reports: list[int] = []
    oauth = RenewedMeanwhile(container.ebay.oauth, lambda: reports.append(resealing.run().resealed))
    access = EbayAccess(container.database, oauth, box, clock)  # type: ignore[arg-type]
    clock.advance(LIFE)
    first = access.grant(connected.tenant)
    stored = connection_of(container, connected)
    assert reports == [1]
    assert box.is_current(stored.access_token)
    assert box.is_current(stored.refresh_token)
    assert box.open(stored.access_token) == first.token
    clock.advance(LIFE)
    assert access.grant(connected.tenant).token != first.token
    assert renewals(ebay) == 2
