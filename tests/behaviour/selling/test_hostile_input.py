"""Input made to keep us busy, to fill memory, or to reach what the answer is not for.

Sizes here are such that an algorithm whose work grows faster than its input would not end.
"""

import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from api.selling.catalog.etags import names_current
from backend.container import Container
from services.selling.catalog.importing.decoding import UnreadableFile
from services.selling.catalog.importing.table import MAX_COLUMNS, MAX_RECORDS, read_table
from services.selling.catalog.photos import MAX_READS, PhotoRefused, inspect_photo
from shared.database import Database, TenantSchema
from shared.ids import encode_cursor
from shared.text import plain_text_of
from tests.factories.catalog import PRODUCTS, create, photo, row, send_csv, shopify_csv, stored
from tests.serving import Seller, assert_problem

HEADER = "Handle,Title,Variant Price,Variant Inventory Qty"


@pytest.mark.parametrize("filling", [" ", "\t", '"', "W/", ',"'])
def test_an_entity_tag_lost_in_filling_is_read_in_one_go(filling: str) -> None:
    """E: a header is read on the thread that serves everybody."""
    assert not names_current('"a"x' + filling * 1_000_000 + "b", 1)


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<a a=1 ", "<a x=", '<a a="', "<!--", "</a", "<!", "<?", "<", '"', "&", "&#", "<div>"],
)
def test_markup_that_never_ends_is_read_in_one_go(piece: str) -> None:
    """B18: a cell of an import holds up to a million characters."""
    for start in ("", "<a ", "<script>"):
        plain_text_of(start + piece * (1_000_000 // len(piece)))


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ('<p title="a > b">It\'s <b>5 < 6</b> &amp; &lt;small&gt;</p>', "It's 5 < 6 & <small>"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("a<br/>b<BR>c</br>d", "a\nb\nc\nd"),
        ("<head><title>t</title></head>x", "x"),
        ("<script>if (a<b && c>d) {'</p>'}</script>x<style>p>a{}</style>", "x"),
        ("<!-- <b>no</b> -->x<!-- never closed", "x"),
        ("<!doctype html><![CDATA[no]]><?php no ?>x", "x"),
        ("x\x00&#1;&#27;y &#xD800;", "xy \ufffd"),
    ],
)
def test_words_of_html_and_nothing_else_remain(markup: str, words: str) -> None:
    """ST48."""
    assert plain_text_of(markup) == words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{HEADER}{',x' * MAX_COLUMNS}\na,b,1,1\n", "too-many-columns"),
        (HEADER + "\n" + ",,,\n" * MAX_RECORDS, "too-many-rows"),
    ],
    ids=["columns", "rows"],
)
def test_a_table_beyond_all_measure_is_refused(text: str, code: str) -> None:
    """B18: blank rows and unknown columns cost memory too."""
    with pytest.raises(UnreadableFile) as refused:
        read_table(text)
    assert refused.value.fields[0].code == code


def _png_of_many_pieces(pieces: int) -> bytes:
    body = b"tEXt" + b"a\0b"
    piece = (3).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    whole = photo(kind="PNG")
    return whole[:33] + piece * pieces + whole[33:]


def test_a_photo_of_a_million_pieces_is_refused() -> None:
    """C2: each piece is read one by one."""
    shop = TenantSchema(1)
    assert inspect_photo(shop, _png_of_many_pieces(100)).width == 40
    with pytest.raises(PhotoRefused, match="too many pieces"):
        inspect_photo(shop, _png_of_many_pieces(MAX_READS))


@pytest.mark.parametrize(
    "source",
    ["http://127.0.0.1:999999999999999999999/a.jpg", "http://photos.invalid:99999999/a.jpg"],
)
def test_an_impossible_port_costs_its_photo_alone(
    seller: Seller, database: Database, source: str
) -> None:
    """B18: the product comes in, and the missing photo is named."""
    answer = send_csv(seller.http, shopify_csv(row(image=source)), fetch_images="true")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["created"], answer.json()["images_missing"]) == (1, 1)
    assert len(stored(database, seller.tenant)["products"]) == 1


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23, minutes=59))),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=23, minutes=59))),
    ],
)
def test_a_cursor_before_or_after_all_time_is_not_ours(seller: Seller, moment: datetime) -> None:
    """ST48."""
    cursor = encode_cursor(moment.isoformat(), 1)
    assert_problem(seller.http.get(PRODUCTS, params={"cursor": cursor}), 422, "invalid-input")


def test_a_cursor_in_another_offset_means_the_same_moment(seller: Seller) -> None:
    """ST48: also in offsets that PostgreSQL does not know."""
    create(seller.http)
    odd = timezone(timedelta(hours=20, seconds=30.5))
    later = datetime(2030, 1, 1, tzinfo=UTC).astimezone(odd)
    cursor = encode_cursor(later.isoformat(), 1)
    answer = seller.http.get(PRODUCTS, params={"cursor": cursor})
    assert len(answer.json()["items"]) == 1


@pytest.fixture
def signed_out(seller: Seller) -> httpx.Client:
    """Still holds an access token whose time is not over."""
    assert seller.http.post("/api/v1/auth/logout").status_code == 204
    return seller.http


def test_files_of_a_signed_out_client_are_not_even_looked_at(
    signed_out: httpx.Client, container: Container
) -> None:
    """ST19: nobody decodes photos or reads tables for a sign-in that is over."""
    image = {"file": ("photo.jpg", b"no photo")}
    table = {"file": ("products.csv", b"no table")}
    for answer in (
        signed_out.post(f"{PRODUCTS}/1/images", files=image),
        signed_out.post(f"{PRODUCTS}/import", files=table),
    ):
        assert_problem(answer, 401, "signed-out")
    assert not any(Path(container.settings.data_dir).rglob("photos/*"))
