"""A seller pairs a browser, which then may do next to nothing; and unpairs it."""

import threading
from datetime import timedelta
from uuid import uuid4

import httpx
import jwt
import pytest
from fastapi.routing import APIRoute

from api.policies import GuardedRoute, Policy
from api.router import ROUTERS
from backend.container import Container
from models.accounts.tenants import Lane
from services.selling.vinted.bridge.leases import CommandLease, LeaseRefused, PhotoLink
from shared.clock import MovableClock
from shared.database import TenantSchema
from shared.errors import Unauthenticated
from tests.fakes.extension import check_schema, pair
from tests.serving import Seller, assert_problem, client

CLOSED_TO_DEVICES = [
    route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, GuardedRoute) and route.policy in {Policy.SIGNED_IN, Policy.ADMIN}
]


def name_of(route: APIRoute) -> str:
    return f"{min(route.methods)} {route.path}"


def claim(api: httpx.Client, code: str, device: str = "Chrome") -> httpx.Response:
    return api.post("/api/v1/vinted/pairings/claim", json={"code": code, "device": device})


def offer(seller: Seller) -> str:
    answer = seller.http.post("/api/v1/vinted/pairings")
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.json()["code"])


def token_in(link: str) -> str:
    return link.rpartition("/")[2]


def test_a_code_pairs_one_browser_once(api: httpx.Client, seller: Seller) -> None:
    """ST36: however it is typed."""
    code = offer(seller)
    tokens = claim(api, f" {code[:4].lower()}-{code[4:]} ").json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert_problem(claim(api, code), 401, "pairing-refused")
    (device,) = seller.http.get("/api/v1/vinted/devices").json()
    assert (device["device"], device["executor"]) == ("Chrome", False)


def test_a_code_that_is_wrong_old_or_replaced_gets_one_and_the_same_answer(
    api: httpx.Client, seller: Seller, clock: MovableClock
) -> None:
    """H2: nobody learns which codes there are."""
    replaced, late = offer(seller), offer(seller)
    clock.advance(timedelta(minutes=10))
    answers = [claim(api, code) for code in ("ABCDEFGH", "☃", replaced, late)]
    details = {assert_problem(each, 401, "pairing-refused")["detail"] for each in answers}
    assert len(details) == 1
    assert seller.http.get("/api/v1/vinted/devices").json() == []


@pytest.mark.parametrize("route", CLOSED_TO_DEVICES, ids=name_of)
def test_a_device_is_let_in_nowhere_else(
    route: APIRoute, api: httpx.Client, seller: Seller
) -> None:
    """Default deny: the token in a browser's storage opens no shop."""
    address = route.path_format.format(**dict.fromkeys(route.param_convertors, "1"))
    with client(str(api.base_url), pair(seller.http).token) as device:
        answer = device.request(min(route.methods), address)
    assert_problem(answer, 403, "not-for-devices")


def test_a_device_sees_how_vinted_stands_stays_signed_in_and_signs_out(
    api: httpx.Client, seller: Seller
) -> None:
    """ST36: and its next tokens are a device's again."""
    browser = pair(seller.http)
    refreshed = api.post(
        "/api/v1/auth/refresh", json={"refresh_token": browser.tokens["refresh_token"]}
    ).json()
    with client(str(api.base_url), refreshed["access_token"]) as device:
        status = device.get("/api/v1/vinted/status")
        assert status.json()["state"] == "offline"
        assert_problem(device.get("/api/v1/products"), 403, "not-for-devices")
        assert device.post("/api/v1/auth/logout").status_code == httpx.codes.NO_CONTENT
        assert_problem(device.get("/api/v1/vinted/status"), 401, "signed-out")
    assert seller.http.get("/api/v1/vinted/devices").json() == []


def exchange(api: httpx.Client, tokens: dict[str, str]) -> httpx.Response:
    return api.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})


def still_there(api: httpx.Client, tokens: dict[str, str]) -> bool:
    with client(str(api.base_url), tokens["access_token"]) as device:
        return device.get("/api/v1/vinted/status").status_code == httpx.codes.OK


def test_a_browser_whose_fresh_tokens_were_lost_on_the_way_asks_again(
    api: httpx.Client, seller: Seller, clock: MovableClock
) -> None:
    """ST36: as often as it takes, for ten minutes, without pairing again."""
    paired = pair(seller.http).tokens
    assert exchange(api, paired).status_code == httpx.codes.OK
    clock.advance(timedelta(minutes=5))
    assert exchange(api, paired).status_code == httpx.codes.OK
    clock.advance(timedelta(minutes=5))
    arrived = exchange(api, paired).json()
    assert still_there(api, arrived)
    assert exchange(api, arrived).status_code == httpx.codes.OK
    assert len(seller.http.get("/api/v1/vinted/devices").json()) == 1


def test_simultaneous_exchanges_leave_one_pair_that_is_good(
    api: httpx.Client, seller: Seller
) -> None:
    """ST18: an answer that is late is lost too."""
    paired = pair(seller.http).tokens
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(exchange(api, paired))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.status_code for each in answers} == {httpx.codes.OK}
    again = [exchange(api, each.json()).status_code for each in answers]
    assert again.count(httpx.codes.OK) <= 1


@pytest.mark.parametrize("who", ["late", "the older token", "the replaced token"])
def test_a_copied_token_of_a_browser_ends_its_sign_in(
    api: httpx.Client, seller: Seller, clock: MovableClock, who: str
) -> None:
    """ST18, ST19: after ten minutes, once its successor was used, and when it comes to light that
    an answer was not lost.
    """
    paired = pair(seller.http).tokens
    first = exchange(api, paired).json()
    if who == "late":
        clock.advance(timedelta(minutes=10, seconds=1))
        newest, copied = first, paired
    elif who == "the older token":
        newest, copied = exchange(api, first).json(), paired
    else:
        newest, copied = exchange(api, paired).json(), first
    assert_problem(exchange(api, copied), 401, "refresh-refused")
    assert_problem(exchange(api, newest), 401, "refresh-refused")
    assert not still_there(api, newest)
    assert seller.http.get("/api/v1/vinted/devices").json() == []


def test_a_seller_unpairs_own_browsers_only(
    api: httpx.Client, seller: Seller, other_seller: Seller
) -> None:
    """X2: and no sign-in that is none of a browser."""
    browser = pair(seller.http)
    (device,) = seller.http.get("/api/v1/vinted/devices").json()
    address = f"/api/v1/vinted/devices/{device['id']}"
    assert_problem(other_seller.http.delete(address), 404, "device-not-found")
    assert_problem(seller.http.delete(f"/api/v1/vinted/devices/{uuid4()}"), 404, "device-not-found")
    assert seller.http.delete(address).status_code == httpx.codes.NO_CONTENT
    with client(str(api.base_url), browser.token) as gone:
        assert_problem(gone.get("/api/v1/vinted/status"), 401, "signed-out")
    refresh = {"refresh_token": browser.tokens["refresh_token"]}
    assert_problem(api.post("/api/v1/auth/refresh", json=refresh), 401, "refresh-refused")
    assert seller.http.get("/api/v1/me").status_code == httpx.codes.OK


def test_a_seller_chooses_the_site_and_pauses(seller: Seller) -> None:
    """ST38."""
    assert_problem(seller.http.post("/api/v1/vinted/pause"), 409, "vinted-not-paired")
    unknown = seller.http.put("/api/v1/vinted/site", json={"site": "www.vinted.example"})
    assert_problem(unknown, 422, "unknown-vinted-site")
    chosen = seller.http.put("/api/v1/vinted/site", json={"site": "www.vinted.de"})
    assert (chosen.json()["site"], chosen.json()["state"]) == ("www.vinted.de", "offline")
    assert seller.http.post("/api/v1/vinted/pause").json()["state"] == "paused"
    assert seller.http.post("/api/v1/vinted/resume").json()["state"] == "offline"


def test_leases_and_access_tokens_are_not_each_others(
    container: Container, clock: MovableClock, seller: Seller
) -> None:
    """ST34: signed with one key, read by nobody but whom they are for."""
    tenant, command = seller.tenant, uuid4()
    leases = container.vinted_bridge.leases
    until = clock.now() + timedelta(minutes=1)
    token = leases.sign(
        CommandLease(
            tenant, command, "GET", "/api/v2/users/current", "www.vinted.fr", Lane.BULK, until
        )
    )
    check_schema("Lease", jwt.decode(token, options={"verify_signature": False}))
    assert leases.lane_of(token, tenant, command) is Lane.BULK
    with pytest.raises(Unauthenticated):
        container.access_tokens.read(token)
    forged = jwt.encode(
        jwt.decode(token, options={"verify_signature": False}), "x" * 32, algorithm="HS256"
    )
    access = seller.tokens["access_token"]
    photo = token_in(container.photo_links.link(PhotoLink("k", "image/jpeg"), until))
    for other, shop, what in (
        (access, tenant, command),
        (photo, tenant, command),
        (forged, tenant, command),
        (token, TenantSchema(tenant.tenant_id + 1), command),
        (token, tenant, uuid4()),
        ("", tenant, command),
    ):
        with pytest.raises(LeaseRefused):
            leases.lane_of(other, shop, what)


def test_a_signed_link_leads_to_one_photo_for_a_while(
    api: httpx.Client, container: Container, clock: MovableClock
) -> None:
    """ST35: photos go around the socket."""
    container.object_store.put("tenants/1/a.jpg", b"a photo", "image/jpeg")
    photo, until = PhotoLink("tenants/1/a.jpg", "image/jpeg"), clock.now() + timedelta(minutes=3)
    token = token_in(container.photo_links.link(photo, until))
    answer = api.get(f"/api/v1/vinted/photos/{token}")
    assert (answer.content, answer.headers["content-type"]) == (b"a photo", "image/jpeg")
    assert_problem(api.get(f"/api/v1/vinted/photos/{token[:-4]}AAAA"), 403, "link-refused")
    clock.advance(timedelta(minutes=3))
    assert_problem(api.get(f"/api/v1/vinted/photos/{token}"), 403, "link-refused")
