"""Etsy's answers and refusals, read strictly and said in plain sentences."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.gateways.calls import UnreadableAnswer
from services.gateways.etsy.errors import EtsyRefusal, refusal
from services.gateways.etsy.gateway import EtsyApis, HttpEtsyGateway
from services.gateways.etsy.inventory import Inventory, OfferedProduct, StoredProduct
from services.gateways.etsy.quotas import EtsyCallBook, EtsyQuotas
from services.gateways.etsy.reading import as_json, money
from services.gateways.etsy.transport import EtsyAddresses, EtsyKeys
from shared.clock import MovableClock
from shared.errors import APIConnectionError, APITimeoutError, EtsyError, Remedy
from shared.http_client import outbound_client
from shared.money import Money
from tests.fakes.calls import UncountedCalls

Answer = Callable[[httpx.Request], httpx.Response]


class OneToken:
    """A token, and what replaces it once."""

    account = "user_1"

    def __init__(self, spare: str | None = None) -> None:
        self._spare = spare

    def current(self) -> str:
        return "1.first"

    def replacing(self, rejected: str) -> str:
        if self._spare is None:
            raise EtsyError("no other token", remedy=Remedy.RECONNECT)
        return self._spare


def apis(
    answer: Answer, clock: MovableClock, spare: str | None = None
) -> tuple[EtsyApis, UncountedCalls]:
    """Our clients before an Etsy that answers so."""
    ledger = UncountedCalls()
    gateway = HttpEtsyGateway(
        outbound_client(timedelta(seconds=5), transport=httpx.MockTransport(answer)),
        EtsyAddresses("https://www.example", "https://api.example"),
        EtsyKeys("key", "secret", "https://ours.example/callback"),
        EtsyCallBook(ledger, EtsyQuotas()),
        clock,
    )
    return gateway.seller(OneToken(spare), 52), ledger


def says(status: int, body: Any = None, **headers: str) -> Answer:
    content = b"" if body is None else json.dumps(body).encode()
    return lambda _request: httpx.Response(status, content=content, headers=headers)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"amount": 1999, "divisor": 100, "currency_code": "USD"}, Money(1999, "USD")),
        ({"amount": 19990, "divisor": 1000, "currency_code": "USD"}, Money(1999, "USD")),
        ({"amount": 1500, "divisor": 1, "currency_code": "JPY"}, Money(1500, "JPY")),
        ({"amount": 0, "divisor": 100, "currency_code": "USD"}, Money(0, "USD")),
        ({"amount": 19995, "divisor": 1000, "currency_code": "USD"}, None),
        ({"amount": None, "divisor": 100, "currency_code": "USD"}, None),
        ({"amount": 1999, "divisor": 0, "currency_code": "USD"}, None),
        ({"amount": 1999, "divisor": 100, "currency_code": None}, None),
        ({"amount": 1999, "divisor": 100, "currency_code": "dollars"}, None),
        ({"amount": "1999", "divisor": 100, "currency_code": "USD"}, None),
        (None, None),
    ],
)
def test_money_is_exact_or_unknown(told: Any, expected: Money | None) -> None:
    """ST3, E7: whole minor units, never rounded, and null is never a nought."""
    assert money({"price": told}, "price") == expected


def test_what_etsy_does_not_say_of_a_variant_stays_unknown() -> None:
    """E7: null is neither 0 nor false."""
    nothing = {"quantity": None, "is_enabled": None, "price": None}
    [product] = StoredProduct.all_in(
        {
            "products": [
                {"product_id": 1, "sku": "", "offerings": [nothing], "property_values": []},
                {"product_id": 2, "sku": "B", "is_deleted": True, "offerings": []},
            ]
        }
    )
    assert product == StoredProduct(1, None, None, None, None, ())


def test_a_price_is_written_as_the_decimal_it_is() -> None:
    """ST3: digits, in no step a float."""
    inventory = Inventory([OfferedProduct("SF1", Money(1_234_567_890_10, "USD"), 2)], (), 7)
    written = as_json(inventory.as_body())
    assert '"price": 1234567890.10' in written
    read = json.loads(written, parse_float=Decimal)
    assert read["products"][0]["offerings"][0] == {
        "price": Decimal("1234567890.10"),
        "quantity": 2,
        "is_enabled": True,
        "readiness_state_id": 7,
    }
    assert read["products"][0]["property_values"] == []


def test_variants_differ_in_properties_of_the_sellers_own_naming() -> None:
    """C7: and everything that may differ is said to."""
    products = [
        OfferedProduct(f"SF{size}", Money(1000 + place, "USD"), place, (size, 'Red "x"'))
        for place, size in enumerate("ML")
    ]
    body = json.loads(as_json(Inventory(products, ("Size", "Colour"), 7).as_body()))
    assert body["price_on_property"] == body["sku_on_property"] == [513, 514]
    first, second = body["products"]
    assert [each["values"] for each in first["property_values"]] == [["M"], ['Red "x"']]
    assert [each["offerings"][0]["is_enabled"] for each in (first, second)] == [False, True]


@pytest.mark.parametrize(
    ("status", "said", "remedy", "field"),
    [
        (400, "Invalid taxonomy_id.", Remedy.FIX_DATA, "category"),
        (400, "The shipping_profile_id is unknown", Remedy.FIX_DATA, "account.shipping_profile"),
        (400, "return_policy_id must be yours", Remedy.FIX_DATA, "account.return_policy"),
        (400, "readiness_state_id is needed", Remedy.FIX_DATA, "account.processing_profile"),
        (400, "Title is too long", Remedy.FIX_DATA, "title"),
        (400, "when_made is wrong", Remedy.FIX_DATA, "when_made"),
        (400, "Something new", Remedy.FIX_DATA, "product"),
        (401, "invalid_token", Remedy.RECONNECT, None),
        (401, "The API key is not known.", Remedy.WAIT, None),
        (403, "insufficient_scope", Remedy.RECONNECT, None),
        (403, "This shop may not do that", Remedy.ASK_MARKETPLACE, "account"),
        (404, "Listing not found.", Remedy.FIX_DATA, "listing"),
        (409, "In another state", Remedy.FIX_DATA, "listing"),
        (418, "Teapot", Remedy.FIX_DATA, "product"),
        (429, "Too many requests", Remedy.WAIT, None),
        (500, "Title", Remedy.WAIT, None),
        (503, "", Remedy.WAIT, None),
        (302, "", Remedy.WAIT, None),
    ],
)
def test_a_refusal_says_what_helps_and_where(
    status: int, said: str, remedy: Remedy, field: str | None
) -> None:
    """G6, G13: transient, fix your data, reconnect, or blocked; with Etsy's own words."""
    error = refusal(status, {"error": said})
    assert error.remedy is remedy
    assert [each.field for each in error.fields] == ([] if field is None else [field])
    assert error.detail
    quoted = remedy in (Remedy.FIX_DATA, Remedy.ASK_MARKETPLACE)
    assert (said in error.detail) is quoted or not said


def test_an_answer_that_is_no_json_of_etsys_is_still_understood() -> None:
    """E7: a proxy's page, an empty body, another shape."""
    for body in (None, [], "oops", {"error": ["a"]}):
        error = refusal(502, body)
        assert (error.remedy, error.fields) == (Remedy.WAIT, ())


def test_every_call_carries_the_key_and_the_token(clock: MovableClock) -> None:
    """E7: and tells neither to whoever watches."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"count": 0, "results": []})

    apis(answer, clock)[0].listings.images(7)
    assert seen[0].headers["x-api-key"] == "key:secret"
    assert seen[0].headers["authorization"] == "Bearer 1.first"
    assert str(seen[0].url) == "https://api.example/v3/application/listings/7/images"
    assert "secret" not in repr(EtsyKeys("key", "secret", "https://ours.example/callback"))


def test_a_refused_token_is_replaced_once(clock: MovableClock) -> None:
    """E4: and one that Etsy has just given and refuses again is Etsy's trouble."""
    tokens: list[str] = []

    def only_the_second(request: httpx.Request) -> httpx.Response:
        tokens.append(request.headers["authorization"])
        good = tokens[-1] == "Bearer 1.second"
        body = {"count": 0, "results": []} if good else {"error": "invalid_token"}
        return httpx.Response(200 if good else 401, json=body)

    assert apis(only_the_second, clock, "1.second")[0].listings.images(7) == []
    assert tokens == ["Bearer 1.first", "Bearer 1.second"]
    with pytest.raises(EtsyRefusal) as again:
        apis(says(401, {"error": "invalid_token"}), clock, "1.second")[0].listings.images(7)
    assert again.value.remedy is Remedy.WAIT
    with pytest.raises(EtsyError) as ended:
        apis(only_the_second, clock)[0].listings.images(7)
    assert ended.value.remedy is Remedy.RECONNECT


@pytest.mark.parametrize(("headers", "seconds"), [({"Retry-After": "7"}, 7.0), ({}, 1.0)])
def test_too_many_calls_close_the_door_for_as_long_as_etsy_says(
    clock: MovableClock, headers: dict[str, str], seconds: float
) -> None:
    """B5, E8."""
    clients, ledger = apis(says(429, {"error": "Too many"}, **headers), clock)
    with pytest.raises(EtsyRefusal) as refused:
        clients.listings.images(7)
    assert (refused.value.remedy, refused.value.retry_after) == (Remedy.WAIT, seconds)
    assert ledger.closed == [("etsy.second", seconds)]


def test_a_lost_answer_is_unknown_only_where_something_may_have_changed(
    clock: MovableClock,
) -> None:
    """B1, B2: and an address that cannot be reached has seen nothing."""

    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    with pytest.raises(APIConnectionError):
        apis(lost, clock)[0].listings.images(7)
    with pytest.raises(APITimeoutError):
        apis(lost, clock)[0].listings.deactivate(7)
    with pytest.raises(APIConnectionError):
        apis(away, clock)[0].listings.deactivate(7)
    half = apis(lambda _: httpx.Response(200, content=b'{"listing'), clock)[0]
    with pytest.raises(APITimeoutError):
        half.listings.deactivate(7)


@pytest.mark.parametrize("body", [None, {}, {"results": None}, {"results": [{"rank": 1}]}])
def test_an_answer_that_lacks_what_it_must_have_is_not_guessed(
    clock: MovableClock, body: Any
) -> None:
    """E7."""
    with pytest.raises(UnreadableAnswer):
        apis(says(200, body), clock)[0].listings.images(7)
