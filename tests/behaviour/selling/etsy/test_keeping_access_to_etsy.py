"""Access tokens: renewed in time, by one at a time; refresh tokens that are good once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier, Event

import pytest

from backend.cli.keys import HOLDERS
from backend.container import Container
from backend.subscriptions import subscriptions
from models.selling.etsy import EtsyAccount, EtsyAccountStatus
from repositories.selling.etsy import EtsyAccountRepository
from services.accounts.channel_consents.resealing import TokenResealing
from services.accounts.outbox.relaying import OutboxRelay
from services.gateways.etsy.errors import EtsyGrantRefused
from services.gateways.etsy.oauth import SELLER_SCOPES, EtsyGrant, EtsyOAuth
from services.selling.etsy.access import EtsyAccess
from shared.clock import MovableClock
from shared.encryption import SecretBox, new_key
from shared.errors import APIError, EtsyError, Remedy
from tests.behaviour.selling.etsy.conftest import CHANNEL, connect, sign_in_again
from tests.contracts.etsy_shop import EtsySite
from tests.fakes.subscribers import NotedDeliveries
from tests.serving import Seller

LIFE = timedelta(seconds=3600)
ALMOST_OVER = LIFE - timedelta(minutes=5)


@pytest.fixture
def access(container: Container) -> EtsyAccess:
    return EtsyAccess(
        container.database, container.etsy.oauth, container.secret_box, container.clock
    )


def renewals(etsy: EtsySite) -> int:
    """How often the token endpoint was asked, the consent's own exchange left out."""
    return etsy.calls("token") - 1


def account_of(container: Container, seller: Seller) -> EtsyAccount:
    with container.database.tenant(seller.tenant) as session:
        found = EtsyAccountRepository(session).get()
    assert found is not None
    return found


def test_both_tokens_are_replaced_together_five_minutes_early(
    access: EtsyAccess,
    container: Container,
    connected: Seller,
    etsy: EtsySite,
    clock: MovableClock,
) -> None:
    """E4: not earlier and not again; the refresh token rotates, and works every time."""
    first, kept = access.grant(connected.tenant), account_of(container, connected)
    clock.advance(ALMOST_OVER - timedelta(seconds=1))
    assert access.grant(connected.tenant) == first
    assert renewals(etsy) == 0
    clock.advance(timedelta(seconds=1))
    second = access.grant(connected.tenant)
    assert second.token != first.token
    assert second.expires_at == clock.now() + LIFE
    renewed = account_of(container, connected)
    assert container.secret_box.open(renewed.access_token) == second.token
    opened = map(container.secret_box.open, (renewed.refresh_token, kept.refresh_token))
    assert len(set(opened)) == 2
    assert renewed.refresh_expires_at == clock.now() + timedelta(days=90)
    assert renewed.scopes == list(SELLER_SCOPES)
    clock.advance(LIFE)
    access.grant(connected.tenant)
    assert renewals(etsy) == 2
    sign_in_again(connected)
    assert connected.http.post(f"{CHANNEL}/check").status_code == 200


def test_many_at_once_renew_once(
    access: EtsyAccess, connected: Seller, etsy: EtsySite, clock: MovableClock
) -> None:
    """E2: eight threads with an expired token, one call to Etsy, one token for all.

    A second call would have voided the first one's answer.
    """
    clock.advance(LIFE)
    etsy.fault("token", "slow", delay_s=0.3)
    together = Barrier(8)

    def ask(_number: int) -> str:
        together.wait()
        return access.grant(connected.tenant).token

    with ThreadPoolExecutor(8) as crowd:
        tokens = set(crowd.map(ask, range(8)))
    assert len(tokens) == 1
    assert renewals(etsy) == 1


@dataclass
class Interrupted:
    """Etsy's token endpoint, with something happening while it is asked."""

    oauth: EtsyOAuth
    meanwhile: Callable[[], object]

    def refresh(self, refresh_token: str) -> EtsyGrant:
        grant = self.oauth.refresh(refresh_token)
        self.meanwhile()
        return grant


def interrupted(container: Container, meanwhile: Callable[[], object]) -> EtsyAccess:
    oauth = Interrupted(container.etsy.oauth, meanwhile)
    return EtsyAccess(container.database, oauth, container.secret_box, container.clock)  # type: ignore[arg-type]


def test_a_pair_that_comes_after_a_new_consent_does_not_replace_it(
    container: Container, connected: Seller, etsy: EtsySite, clock: MovableClock
) -> None:
    """E5: another refresh token is stored by then."""
    clock.advance(LIFE)
    sign_in_again(connected)
    late = interrupted(container, lambda: connect(connected, etsy, "alice"))
    token = late.grant(connected.tenant).token
    stored = account_of(container, connected)
    assert container.secret_box.open(stored.access_token) != token
    assert stored.refreshing_until is None
    assert stored.status is EtsyAccountStatus.CONNECTED


def test_a_pair_is_kept_although_another_process_found_its_token_void(
    access: EtsyAccess,
    container: Container,
    connected: Seller,
    etsy: EtsySite,
    clock: MovableClock,
) -> None:
    """E2, E4: whoever is late with a good answer heals what a hasty one took for ended."""
    clock.advance(LIFE)

    def the_lease_runs_out_and_another_tries() -> None:
        clock.advance(timedelta(seconds=60))
        with pytest.raises(EtsyGrantRefused):
            access.grant(connected.tenant)
        assert account_of(container, connected).status is EtsyAccountStatus.NEEDS_REAUTH

    slow = interrupted(container, the_lease_runs_out_and_another_tries)
    token = slow.grant(connected.tenant).token
    assert account_of(container, connected).status is EtsyAccountStatus.CONNECTED
    assert access.grant(connected.tenant).token == token


def test_a_lost_answer_that_etsy_never_saw_is_asked_for_again(
    access: EtsyAccess,
    container: Container,
    connected: Seller,
    etsy: EtsySite,
    clock: MovableClock,
) -> None:
    """C8: transient; the lease does not stay behind."""
    clock.advance(LIFE)
    etsy.fault("token", "drop_connection")
    with pytest.raises(APIError):
        access.grant(connected.tenant)
    assert account_of(container, connected).refreshing_until is None
    assert access.grant(connected.tenant).token
    assert renewals(etsy) == 2


def test_a_lost_answer_that_etsy_gave_ends_in_a_new_consent_and_in_no_loop(
    access: EtsyAccess,
    container: Container,
    connected: Seller,
    etsy: EtsySite,
    clock: MovableClock,
) -> None:
    """E3, E4: the token is void by then: asked once more, told, and never asked again."""
    clock.advance(LIFE)
    etsy.fault("token", "lost_answer")
    with pytest.raises(APIError):
        access.grant(connected.tenant)
    with pytest.raises(EtsyGrantRefused):
        access.grant(connected.tenant)
    asked = renewals(etsy)
    with pytest.raises(EtsyError) as refused:
        access.grant(connected.tenant)
    assert refused.value.remedy is Remedy.RECONNECT
    assert renewals(etsy) == asked == 2
    sign_in_again(connected)
    assert connected.http.get(CHANNEL).json()["missing"][0]["rule"] == "needs-reauth"
    assert connect(connected, etsy, "alice").status_code == 200
    assert access.grant(connected.tenant).token


def test_a_renewer_that_died_is_followed_by_another(
    access: EtsyAccess, container: Container, connected: Seller, clock: MovableClock
) -> None:
    """E2: after its lease; until then others wait, and give up politely."""
    clock.advance(LIFE)
    with container.database.tenant(connected.tenant) as session:
        held = EtsyAccountRepository(session).locked()
        assert held is not None
        held.refreshing_until = clock.now() + timedelta(seconds=60)
    pauses: list[float] = []
    patient = EtsyAccess(
        container.database, container.etsy.oauth, container.secret_box, clock, pauses.append
    )
    with pytest.raises(EtsyError) as waited:
        patient.grant(connected.tenant)
    assert (waited.value.remedy, waited.value.retry_after) == (Remedy.WAIT, 5)
    assert sum(pauses) == pytest.approx(2)
    clock.advance(timedelta(seconds=60))
    assert access.grant(connected.tenant).expires_at == clock.now() + LIFE


def test_a_token_that_etsy_refuses_is_replaced_and_the_call_made_again(
    connected: Seller, etsy: EtsySite
) -> None:
    """E4: `access token is expired` although our clock says otherwise."""
    etsy.fault("getShopShippingProfiles", "expired_token")
    answer = connected.http.post(f"{CHANNEL}/check")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert renewals(etsy) == 1


def test_a_revoked_consent_is_noticed_once_and_healed_by_a_new_one(
    access: EtsyAccess, connected: Seller, etsy: EtsySite
) -> None:
    """E1, E3: not transient; Etsy is not asked again until the seller has agreed again."""
    etsy.control("sellers/alice/revoke")
    refused = connected.http.post(f"{CHANNEL}/check")
    assert (refused.status_code, refused.json()["code"]) == (502, "etsy-grant-refused")
    assert refused.json()["remedy"] == "reconnect"
    asked = etsy.read("calls")["calls"]
    channel = connected.http.get(CHANNEL).json()
    assert (channel["status"], channel["ready"]) == ("needs_reauth", False)
    assert channel["missing"][0]["rule"] == "needs-reauth"
    assert connected.http.post(f"{CHANNEL}/check").json()["code"] == "etsy-not-connected"
    assert etsy.read("calls")["calls"] == asked
    assert connect(connected, etsy, "alice").status_code == 200
    assert connected.http.get(CHANNEL).json()["ready"]


def test_the_seller_is_asked_once_to_connect_again(
    container: Container, connected: Seller, etsy: EtsySite
) -> None:
    """E1."""
    etsy.control("sellers/alice/revoke")
    for _ in range(2):
        assert connected.http.post(f"{CHANNEL}/check").status_code >= 400
    clock = container.clock
    relay = OutboxRelay(container.database, subscriptions(clock), clock, NotedDeliveries())
    while relay.turn():
        pass
    told = connected.http.get("/api/v1/notifications").json()["items"]
    assert [each["title"] for each in told] == ["Connect Etsy again", "Your shop is open"]
    assert told[0]["data"]["channel"] == "etsy"


def test_rotating_keys_puts_the_tokens_under_the_current_one(
    container: Container, connected: Seller
) -> None:
    """E6: once; the plain tokens stay what they are."""
    old = new_key()
    with container.database.tenant(connected.tenant) as session:
        account = EtsyAccountRepository(session).locked()
        assert account is not None
        account.access_token = SecretBox(old).seal("710.access")
        account.refresh_token = SecretBox(old).seal("710.refresh")
    box = SecretBox(new_key(), [old])
    resealing = TokenResealing(container.database, box, HOLDERS)
    assert (resealing.run().resealed, resealing.run().current) == (1, 1)
    after = account_of(container, connected)
    assert box.is_current(after.access_token)
    assert box.is_current(after.refresh_token)
    assert (box.open(after.access_token), box.open(after.refresh_token)) == (
        "710.access",
        "710.refresh",
    )


def under_an_older_key(container: Container, seller: Seller) -> SecretBox:
    """Seal the shop's tokens with a key that is to go; returns what knows both keys."""
    old = new_key()
    with container.database.tenant(seller.tenant) as session:
        account = EtsyAccountRepository(session).locked()
        assert account is not None
        for name in ("access_token", "refresh_token"):
            plain = container.secret_box.open(getattr(account, name))
            setattr(account, name, SecretBox(old).seal(plain))
    return SecretBox(new_key(), [old])


def test_a_rotation_in_the_middle_of_a_renewal_loses_neither(
    container: Container, connected: Seller, etsy: EtsySite, clock: MovableClock
) -> None:
    """E2, E6: Etsy has voided the old refresh token when the keys change; the new pair is kept."""
    box = under_an_older_key(container, connected)
    resealing = TokenResealing(container.database, box, HOLDERS)
    reports: list[int] = []
    oauth = Interrupted(container.etsy.oauth, lambda: reports.append(resealing.run().resealed))
    access = EtsyAccess(container.database, oauth, box, clock)  # type: ignore[arg-type]
    clock.advance(LIFE)
    first = access.grant(connected.tenant)
    stored = account_of(container, connected)
    assert reports == [1]
    assert box.is_current(stored.access_token)
    assert box.is_current(stored.refresh_token)
    assert box.open(stored.access_token) == first.token
    clock.advance(LIFE)
    assert access.grant(connected.tenant).token != first.token
    assert account_of(container, connected).status is EtsyAccountStatus.CONNECTED


def test_renewals_go_on_while_keys_are_rotated(
    container: Container, connected: Seller, etsy: EtsySite, clock: MovableClock
) -> None:
    """E2, E6: three renew at once again and again, and somebody rotates all the while."""
    box = under_an_older_key(container, connected)
    access = EtsyAccess(container.database, container.etsy.oauth, box, clock)
    resealing = TokenResealing(container.database, box, HOLDERS)
    done = Event()

    def rotate() -> int:
        resealed = resealing.run().resealed
        while not done.is_set():
            resealed += resealing.run().resealed
        return resealed

    with ThreadPoolExecutor(4) as crowd:
        rotated = crowd.submit(rotate)
        for _ in range(5):
            clock.advance(LIFE)
            tokens = set(crowd.map(lambda _: access.grant(connected.tenant).token, range(3)))
            assert len(tokens) == 1
        done.set()
    stored = account_of(container, connected)
    assert rotated.result() <= 1, "a renewal may have been there first"
    assert renewals(etsy) == 5
    assert stored.status is EtsyAccountStatus.CONNECTED
    assert box.is_current(stored.access_token)
    assert box.is_current(stored.refresh_token)
