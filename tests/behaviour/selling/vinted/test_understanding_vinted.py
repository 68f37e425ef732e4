"""What Vinted's answers mean: 403 in its three meanings, pages for JSON, forms that are refused."""

import json
from typing import Any

import pytest

from services.gateways.calls import UnreadableAnswer
from services.gateways.vinted.client import WARDROBE_PAGES
from services.gateways.vinted.errors import (
    AnswerTooLong,
    VintedRefusal,
    VintedWantsAPerson,
    understood,
)
from services.gateways.vinted.items import WardrobeItem, WardrobePage
from services.gateways.vinted.reading import moment, money, number
from services.gateways.vinted.transport import VintedAnswer, VintedRequest
from shared.errors import APITimeoutError, Remedy
from shared.money import Money
from tests.fakes.vinted_transport import CHANGES, LOOKS, RecordedTransport

LOOK = VintedRequest("GET", "/api/v2/item_upload/items/7")
PUT_UP = VintedRequest("POST", "/api/v2/item_upload/drafts/7/completion")
CAPTCHA = {"url": "https://geo.captcha-delivery.com/captcha/?initialCid=x&hash=y&cid=z"}
DENIED = {"code": 106, "message": "Accès refusé", "message_code": "access_denied"}


def answer(status: int, body: Any, content_type: str = "", **more: Any) -> VintedAnswer:
    if isinstance(body, str):
        return VintedAnswer(status, content_type or "text/html", body, **more)
    return VintedAnswer(status, content_type or "application/json", json.dumps(body), **more)


CUT = answer(200, '{"items":[{"id":1', truncated=True)


@pytest.mark.parametrize(
    ("said", "challenged"),
    [
        (answer(401, {"code": 100, "message_code": "invalid_authentication_token"}), False),
        (answer(403, CAPTCHA), True),
        (answer(403, "<html>Just a moment</html>"), True),
    ],
)
@pytest.mark.parametrize("request_", [LOOK, PUT_UP])
def test_a_person_is_wanted(request_: VintedRequest, said: VintedAnswer, challenged: bool) -> None:
    """D4, D5."""
    with pytest.raises(VintedWantsAPerson) as wanted:
        understood(request_, said)
    assert (wanted.value.challenged, wanted.value.remedy) == (challenged, Remedy.RECONNECT)


def test_a_page_that_says_200_is_a_block_and_of_a_change_nobody_knows() -> None:
    """D4, D8."""
    page = answer(200, "<html>Just a moment</html>")
    with pytest.raises(VintedWantsAPerson):
        understood(LOOK, page)
    with pytest.raises(APITimeoutError):
        understood(PUT_UP, page)
    with pytest.raises(AnswerTooLong):
        understood(LOOK, CUT)


@pytest.mark.parametrize("said", [answer(200, {"code": 0}), CUT], ids=["odd", "cut off"])
@pytest.mark.parametrize("name", LOOKS)
def test_a_look_whose_answer_cannot_be_read_is_asked_anew(name: str, said: VintedAnswer) -> None:
    """ST37: it changes nothing, and its answer must not be kept for ever."""
    road = RecordedTransport(said)
    with pytest.raises(UnreadableAnswer):
        LOOKS[name](road.client(), "a step")
    assert road.again_for == ["a step"]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_whose_answer_cannot_be_read_is_not(name: str) -> None:
    """B1, ST37: what became of it is looked up first."""
    road = RecordedTransport(CUT)
    with pytest.raises(APITimeoutError):
        CHANGES[name](road.client(), "a step")
    road.answer = answer(200, {"code": 0})
    if name in ("upload_photo", "create_draft"):
        with pytest.raises(UnreadableAnswer):
            CHANGES[name](road.client(), "a step")
    assert road.again_for == []


def test_that_a_page_is_too_long_is_kept_while_there_are_shorter_ones() -> None:
    """ST37: the same page would be too long again."""
    road = RecordedTransport(CUT)
    for size in WARDROBE_PAGES:
        with pytest.raises(AnswerTooLong):
            road.client().wardrobe(f"by {size}", "9", 1, size)
    assert road.again_for == [f"by {WARDROBE_PAGES[-1]}"]


def test_what_is_not_yours_is_no_challenge() -> None:
    """C8: the third meaning of 403."""
    with pytest.raises(VintedRefusal) as refused:
        understood(PUT_UP, answer(403, DENIED))
    assert refused.value.remedy is Remedy.ASK_MARKETPLACE
    assert refused.value.said == "Accès refusé"


@pytest.mark.parametrize("body", ["", "Forbidden", "Access is denied by datadome"])
def test_a_403_in_plain_text_is_no_challenge(body: str) -> None:
    """D4: no more than for the extension, which is then signed in as before."""
    with pytest.raises(VintedRefusal) as refused:
        understood(PUT_UP, answer(403, body, "text/plain"))
    assert refused.value.http_status == 403


def test_a_check_that_only_headers_show_is_one_because_the_browser_says_so() -> None:
    """D4: the job waits for the seller and does not fail; of another status it says nothing."""
    with pytest.raises(VintedWantsAPerson) as wanted:
        understood(PUT_UP, answer(403, "Forbidden", "text/plain", challenged=True))
    assert wanted.value.challenged
    with pytest.raises(APITimeoutError):
        understood(PUT_UP, answer(200, "Just a moment", "text/plain", challenged=True))


def test_a_refused_form_names_our_fields_and_keeps_vinteds_words() -> None:
    """C8, G13: what is known by our names, the rest by Vinted's."""
    errors = [
        {"field": "brand", "value": "Indiquez la marque."},
        {"field": "internal_memory_capacity", "value": "Indiquez la mémoire."},
    ]
    with pytest.raises(VintedRefusal) as refused:
        understood(PUT_UP, answer(400, {"code": 99, "message": "Non", "errors": errors}))
    fields = {each.field: each.message for each in refused.value.fields}
    assert fields == {
        "brand": "Vinted does not accept the brand. Vinted says: Indiquez la marque.",
        "attributes.internal_memory_capacity": (
            "Vinted does not accept “internal_memory_capacity”. Vinted says: Indiquez la mémoire."
        ),
    }
    assert refused.value.remedy is Remedy.FIX_DATA


def test_too_many_requests_say_when_to_come_back() -> None:
    """B5, D1."""
    with pytest.raises(VintedRefusal) as refused:
        understood(LOOK, answer(429, "<html></html>", retry_after="77"))
    assert (refused.value.remedy, refused.value.retry_after) == (Remedy.WAIT, 77.0)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_change_that_breaks_at_vinted_is_looked_up(status: int) -> None:
    """B1, D8."""
    with pytest.raises(APITimeoutError):
        understood(PUT_UP, answer(status, "<html></html>"))
    with pytest.raises(VintedRefusal) as refused:
        understood(LOOK, answer(status, "<html></html>"))
    assert refused.value.remedy is Remedy.WAIT


def test_an_empty_answer_is_a_good_one() -> None:
    """ST25: such as that of a deletion."""
    assert understood(PUT_UP, answer(200, "")) is None
    assert understood(PUT_UP, answer(200, {"code": 0})) == {"code": 0}


def test_what_vinted_does_not_say_is_no_news() -> None:
    """C12, C13: absent is not 0, and not sold."""
    item = WardrobeItem.of({"id": 1})
    assert (item.price, item.sold, item.is_closed) == (None, False, None)
    assert WardrobeItem.of({"id": 1, "is_closed": True}).sold is False
    assert WardrobeItem.of({"id": 1, "is_closed": True, "item_closing_action": "sold"}).sold
    page = WardrobePage.of({"items": []}, 3)
    assert (page.page, page.total_pages, page.total_entries) == (3, None, None)
    with pytest.raises(UnreadableAnswer):
        WardrobePage.of({"code": 0}, 1)
    with pytest.raises(UnreadableAnswer):
        WardrobeItem.of({"title": "no id"})


def test_amounts_ids_and_moments_are_read_strictly() -> None:
    """C12: never through a float; ids of eleven digits; no moment without its offset."""
    amount = {"price": {"amount": "55.0", "currency_code": "EUR"}}
    assert money(amount, "price") == Money(5500, "EUR")
    for wrong in ("Infinity", "1e3", None, 5.5, "5.555"):
        assert money({"price": {"amount": wrong, "currency_code": "EUR"}}, "price") is None
    assert number({"id": "34059237746"}, "id") == 34_059_237_746
    assert number({"id": True}, "id") is None
    assert moment({"date": "2026-11-30T10:00:00"}, "date") is None
    read = moment({"date": "2026-11-30T10:00:00+01:00"}, "date")
    assert read is not None
    assert read.isoformat() == "2026-11-30T09:00:00+00:00"
