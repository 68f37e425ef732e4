"""What eBay's refusals mean, what a draft sends, and how fast photos go out."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import services.gateways.ebay.errors as ebay_errors
from services.gateways.ebay.errors import refusal
from services.gateways.ebay.marketplaces import marketplace_named
from services.gateways.ebay.offers import SellingPolicies
from services.gateways.ebay.transport import retry_after_seconds
from services.selling.ebay.drafts import DraftVariant, ListingDraft
from shared.errors import Misconfigured, Remedy
from shared.money import Money


def errors(*items: tuple[int, str], category: str = "REQUEST", **more: Any) -> dict[str, Any]:
    return {
        "errors": [
            {"errorId": number, "message": message, "category": category, **more}
            for number, message in items
        ]
    }


@pytest.mark.parametrize(
    ("status", "body", "remedy"),
    [
        (400, errors((25001, "System error")), Remedy.WAIT),
        (500, errors((25001, "System error")), Remedy.WAIT),
        (500, errors((25025, "Concurrent access")), Remedy.WAIT),
        (500, errors((25002, "Something")), Remedy.WAIT),
        (429, errors((2001, "Too many", ), domain="ACCESS"), Remedy.WAIT),
        (400, errors((25002, "Something")), Remedy.FIX_DATA),
        (400, errors((25026, "Selling limits")), Remedy.ASK_MARKETPLACE),
        (401, errors((1001, "Invalid access token")), Remedy.RECONNECT),
        (403, errors((1100, "Insufficient permissions")), Remedy.RECONNECT),
        (400, errors((25003, "Price"), (25025, "Concurrent")), Remedy.FIX_DATA),
        (400, errors((25003, "Price"), (25026, "Limit")), Remedy.ASK_MARKETPLACE),
        (400, errors((999999, "New in this world")), Remedy.FIX_DATA),
        (400, errors((999999, "New", ), category="APPLICATION"), Remedy.WAIT),
        (400, errors((999999, "New", ), category="Application"), Remedy.WAIT),
        (502, None, Remedy.WAIT),
        (302, None, Remedy.WAIT),
        (401, "<html>", Remedy.RECONNECT),
        (404, {"errors": "text"}, Remedy.FIX_DATA),
        (400, {"errors": [{"errorId": "25002", "parameters": 3}, 7]}, Remedy.FIX_DATA),
    ],
)  # fmt: skip
def test_every_refusal_has_a_remedy(status: int, body: Any, remedy: Remedy) -> None:
    """C8: transient, the seller's, eBay's or a matter of consent; never a crash."""
    found = refusal(status, body)
    assert found.remedy is remedy
    assert found.detail


def test_a_refusal_tells_all_that_is_wrong_in_ebays_words_too() -> None:
    """C6: a plain sentence first, each with its field."""
    found = refusal(400, errors((25003, "Invalid price."), (25014, "Invalid pictures.")))
    assert [(field.field, field.code) for field in found.fields] == [
        ("price", "ebay-25003"),
        ("images", "ebay-25014"),
    ]
    assert found.fields[0].message == "eBay does not accept the price. eBay says: Invalid price."


def test_the_table_of_errors_is_sound() -> None:
    """C8: every row has a known remedy and a sentence, no id twice."""
    folder = Path(ebay_errors.__file__).parent
    rows = list(csv.DictReader((folder / "error_table.csv").read_text("utf-8").splitlines()))
    keys = [(row["error_id"], row["domain"]) for row in rows]
    assert len(keys) == len(set(keys)) > 80
    for row in rows:
        assert int(row["error_id"])
        assert Remedy(row["remedy"])
        assert row["sentence"].endswith((".", "again.")), row
        assert (row["field"] != "") or row["remedy"] in ("wait", "reconnect"), row


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        (
            {
                "retry-after": "Mon, 01 Jun 2026 12:01:30 GMT",
                "date": "Mon, 01 Jun 2026 12:00:00 GMT",
            },
            90.0,
        ),
        (
            {
                "retry-after": "Mon, 01 Jun 2026 11:00:00 GMT",
                "date": "Mon, 01 Jun 2026 12:00:00 GMT",
            },
            0.0,
        ),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 01 Jun 2026 12:01:30 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_read_in_both_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    """E10."""
    assert retry_after_seconds(headers) == seconds


def test_an_unknown_marketplace_is_a_wrong_setting() -> None:
    """C7."""
    assert marketplace_named("EBAY_US").currency == "USD"
    with pytest.raises(Misconfigured):
        marketplace_named("EBAY_MARS")


DRAFT = ListingDraft(
    site=marketplace_named("EBAY_US"),
    product_id=1,
    product_version=1,
    title="Shirt",
    description="First <b>line</b>.\n\n" + "x" * 5000,
    photos=[],
    category_id="15687",
    condition="USED_EXCELLENT",
    aspects={"Brand": ["Acme"]},
    variants=[],
    policies=SellingPolicies("1", "2", "3"),
    location_key="home",
    group_key=None,
)


def variant(**changes: Any) -> DraftVariant:
    whole = DraftVariant("SF1", Money(1250, "USD"), 2, {}, None, None)
    return replace(whole, **changes)


@pytest.mark.parametrize(
    ("barcode", "sent"),
    [
        ("4006381333931", {"ean": ["4006381333931"]}),
        ("036000291452", {"upc": ["036000291452"]}),
        ("0 36000 29145-2", {"upc": ["036000291452"]}),
        ("4006381333932", {}),
        ("12345", {}),
        ("ABCDEFGHIJKLM", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_a_barcode_is_sent_only_when_it_can_be_one(
    barcode: str | None, sent: dict[str, list[str]]
) -> None:
    """E7: eBay refuses the whole item for a wrong one."""
    product = DRAFT.item(variant(barcode=barcode), []).as_body()["product"]
    assert {name: product[name] for name in ("ean", "upc", "isbn") if name in product} == sent


def test_texts_are_escaped_and_fit() -> None:
    """E7: the item has 4,000 characters, the offer the whole text as HTML; money is text."""
    body = DRAFT.item(variant(weight_grams=300), ["https://a"]).as_body()
    assert len(body["product"]["description"]) == 4000
    assert body["packageWeightAndSize"] == {"weight": {"value": 300, "unit": "GRAM"}}
    offer = DRAFT.offer(variant()).as_body()
    assert offer["listingDescription"].startswith("<p>First &lt;b&gt;line&lt;/b&gt;.</p><p>x")
    assert offer["pricingSummary"]["price"] == {"value": "12.50", "currency": "USD"}
    assert offer["listingDuration"] == "GTC"


def test_a_group_names_each_value_once_in_order() -> None:
    """B7."""
    sizes = [variant(sku=f"SF{n}", aspects={"Size": size}) for n, size in enumerate("MLM")]
    assert DRAFT.group([]) is None
    group = replace(DRAFT, variants=sizes, group_key="G").group([])
    assert group is not None
    assert group.as_body()["variesBy"]["specifications"] == [{"name": "Size", "values": ["M", "L"]}]
    assert group.skus == ["SF0", "SF1", "SF2"]
