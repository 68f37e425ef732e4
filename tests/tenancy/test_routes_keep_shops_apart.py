"""Every route is called with the other shop's real ids. A new route is in it by itself.

The other shop is full: products, variants, photos, batches, jobs, steps, listings, choices, an
eBay account. A route whose parameters cannot be filled fails here until `_IDS` or `_BODIES` says
how.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from api.policies import GuardedRoute, Policy
from api.router import ROUTERS
from backend.app import create_app
from backend.container import Container
from backend.middleware import SocketDoor
from models.base import TenantBase
from models.selling.category_choices import CategoryChoice
from models.selling.drift import DriftDecision, Keep
from models.selling.ebay import ConnectionStatus, EbayConnection, EbayPicture, EbayProductChoice
from models.selling.etsy import (
    EtsyAccount,
    EtsyAccountStatus,
    EtsyDraft,
    EtsyPicture,
    EtsyProductChoice,
)
from models.selling.idempotency import IdempotencyKey
from models.selling.listing_imports import (
    ImportStatus,
    ListingImport,
    ListingImportRow,
    RowOutcome,
)
from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobAction,
    JobBatch,
    JobOutcome,
    JobStatus,
    JobStep,
    ListingStatus,
)
from models.selling.vinted import CommandState, VintedCommand, VintedProductChoice
from services.selling.listing_imports.intake import new_row
from services.selling.listing_imports.told import ToldListing, ToldVariant
from shared.clock import MovableClock
from shared.database import Database, TenantSchema, TenantSession
from shared.ids import new_uuid
from tests.factories.accounts import make_notification
from tests.factories.catalog import create, photo, price, sized
from tests.factories.orders import make_order
from tests.factories.selling import make_job
from tests.factories.vinted import make_vinted_account
from tests.fakes.extension import pair
from tests.serving import Seller

Ids = Mapping[str, Any]
Everything = Callable[[TenantSchema], dict[str, list[str]]]

_MARK = "only-of-the-other-shop"
"""Stands in every text of the other shop; in no answer that its neighbour gets."""

_IDS: Mapping[str, str] = {
    "product_id": "product",
    "image_id": "image",
    "job_id": "job",
    "batch_id": "batch",
    "notification_id": "notification",
    "order_id": "order",
    "import_id": "import",
    "row_id": "import row",
    "device_id": "device",
}
"""What a path parameter, query parameter or body field of that name names."""

_WORDS: Mapping[str, str] = {"channel": Channel.ETSY}
"""What a path parameter says that names nothing of a shop's, beside one that does."""

_SHARED_ROWS = text(
    "SELECT table_name, column_name FROM information_schema.columns AS owner"
    " WHERE table_schema = 'public' AND column_name IN ('tenant_id', 'user_id')"
    " OR (table_name, column_name) IN (('users', 'id'), ('tenants', 'id'))"
    " ORDER BY 1"
)
"""The shared tables whose rows belong to somebody, and the column that says to whom."""

_REFUSED = {403, 404, 409, 422}

_VARIANT = {"price": price("9.00"), "quantity": 1, "option_values": ["L"]}

_BODIES: Mapping[str, Callable[[Ids], dict[str, Any]]] = {
    "PATCH /api/v1/products/{product_id}": lambda ids: {
        "json": {"title": "taken over", "variants": [{"id": ids["variant"], **_VARIANT}]}
    },
    "POST /api/v1/products/{product_id}/images": lambda _: {"files": {"file": ("a.jpg", photo())}},
    "PUT /api/v1/products/{product_id}/images/order": lambda ids: {
        "json": {"image_ids": [ids["second image"], ids["image"]]}
    },
    "PUT /api/v1/products/{product_id}/channels/ebay": lambda _: {
        "json": {"category_id": None, "aspects": {"Brand": ["taken over"]}}
    },
    "PUT /api/v1/products/{product_id}/channels/etsy": lambda _: {
        "json": {"taxonomy_id": 482, "when_made": "1980s"}
    },
    "PUT /api/v1/products/{product_id}/channels/vinted": lambda _: {"json": {"catalog_id": 221}},
    "PUT /api/v1/notifications/read": lambda ids: {"json": {"up_to": ids["notification"]}},
    "POST /api/v1/orders/{order_id}/shipments": lambda _: {
        "json": {"carrier": "USPS", "tracking": "94001"}
    },
    "POST /api/v1/listings/sync": lambda ids: {"json": {"product_ids": [ids["product"]]}},
    "POST /api/v1/listings/drift/mend": lambda ids: {
        "json": {
            "keep": "theirs",
            "listings": [{"product_id": ids["product"], "channel": "ebay"}],
            "if_match": "*",
        }
    },
    "POST /api/v1/orders/{order_id}/returns": lambda _: {"json": {"put_up": True}},
    "POST /api/v1/channels/{channel}/imports/{import_id}/rows/{row_id}/link": lambda ids: {
        "json": {"product_id": ids["product"]}
    },
    "POST /api/v1/publications": lambda ids: {
        "json": {"product_ids": [ids["product"]], "channels": ["ebay"]}
    },
    "POST /api/v1/publications/preflight": lambda ids: {
        "json": {"product_ids": [ids["product"]], "channels": ["ebay"]}
    },
}
"""What to send where there is a body that names something, or beside a path that does."""

_NAMES_NOTHING = {
    "GET /api/v1/me",
    "POST /api/v1/auth/logout",
    "GET /api/v1/products",
    "POST /api/v1/products",
    "POST /api/v1/products/import",
    "GET /api/v1/jobs",
    "GET /api/v1/batches",
    "GET /api/v1/listings",
    "GET /api/v1/listings/drift",
    "GET /api/v1/listings/drift/decisions",
    "GET /api/v1/orders",
    "GET /api/v1/orders/sync",
    "POST /api/v1/orders/sync",
    "GET /api/v1/channels/ebay/calls",
    "GET /api/v1/events",
    "GET /api/v1/attributes",
    "GET /api/v1/attributes/{table}",
    "GET /api/v1/categories",
    "GET /api/v1/categories/{code}",
    "GET /api/v1/notifications",
    "GET /api/v1/category-choices",
    "GET /api/v1/category-choices/{channel}/places",
    "PUT /api/v1/category-choices/{channel}/{category}",
    "DELETE /api/v1/category-choices/{channel}/{category}",
    "GET /api/v1/channels/ebay",
    "PATCH /api/v1/channels/ebay",
    "DELETE /api/v1/channels/ebay",
    "POST /api/v1/channels/ebay/connect",
    "POST /api/v1/channels/ebay/check",
    "PUT /api/v1/channels/ebay/location",
    "GET /api/v1/channels/ebay/category-suggestions",
    "GET /api/v1/channels/etsy",
    "DELETE /api/v1/channels/etsy",
    "GET /api/v1/channels/etsy/calls",
    "GET /api/v1/channels/etsy/categories",
    "GET /api/v1/channels/etsy/category-properties",
    "POST /api/v1/channels/etsy/connect",
    "POST /api/v1/channels/etsy/check",
    "PUT /api/v1/channels/etsy/terms",
    "GET /api/v1/channels/{channel}/imports",
    "POST /api/v1/channels/{channel}/imports",
    "GET /api/v1/vinted/status",
    "GET /api/v1/vinted/devices",
    "POST /api/v1/vinted/pairings",
    "POST /api/v1/vinted/pause",
    "POST /api/v1/vinted/resume",
    "PUT /api/v1/vinted/site",
    "GET /api/v1/vinted/terms",
    "PUT /api/v1/vinted/terms",
    "POST /api/v1/vinted/sync",
    # The number is Vinted's own: the seller's browser finds out whose it is.
    "POST /api/v1/vinted/conversations/{conversation_id}/replies",
}
"""Routes without an id in path or body. A new one is entered here, in sight, or names what it
takes in `_IDS` and `_BODIES`."""


def name_of(route: APIRoute) -> str:
    return f"{min(route.methods)} {route.path}"


_SAME_FOR_ALL = {"GET /api/v1/attributes", "GET /api/v1/categories"}
"""Lists of catalogues, which are nobody's."""

CLOSED = [
    route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, GuardedRoute)
    and route.policy in {Policy.SIGNED_IN, Policy.DEVICE_TOO, Policy.ADMIN}
]
NAMING = [route for route in CLOSED if name_of(route) not in _NAMES_NOTHING]
_AS_THE_SERVER_LISTS_THEM = {
    *("connect", "disconnect", "authenticate", "*"),
    *("vinted_session_update", "job_result", "datadome_detected"),
}
"""What clients may send over a socket. Whose news are told follows from the access token, and
`authenticate` takes no token of another account. Of the others `job_result` alone names a thing, a
command: tests/behaviour/selling/vinted/test_the_bridge.py answers for the other shop's and is
refused. A new event is entered here, in sight, with such a test."""

WITH_PRODUCT = [route for route in NAMING if "product_id" in route.param_convertors]
LISTS = [
    route for route in CLOSED if name_of(route) in _NAMES_NOTHING and min(route.methods) == "GET"
]


@pytest.fixture
def ids(other_seller: Seller, database: Database, clock: MovableClock) -> Ids:
    """The other shop's, one of each kind that there is."""
    product = create(other_seller.http, title=_MARK, brand=_MARK, tags=[_MARK], **sized("M", "L"))
    images = [
        other_seller.http.post(
            f"/api/v1/products/{product['id']}/images",
            files={"file": ("a.jpg", photo(shade=shade))},
            data={"alt_text": _MARK},
        ).json()["id"]
        for shade in (1, 200)
    ]
    work = _work_of(database, other_seller.tenant, clock, product["id"])
    with database.platform() as session:
        told = make_notification(session, clock, other_seller.tenant.tenant_id, title=_MARK)
    found = {"product": product["id"], "variant": product["variants"][1]["id"]}
    pair(other_seller.http, _MARK)
    (device,) = other_seller.http.get("/api/v1/vinted/devices").json()
    found |= {"notification": told.id, "device": device["id"]}
    return found | {"image": images[0], "second image": images[1]} | work


def _work_of(
    database: Database, shop: TenantSchema, clock: MovableClock, product_id: int
) -> dict[str, int]:
    now = clock.now()
    with database.tenant(shop) as session:
        batch = JobBatch(action=JobAction.UPDATE, requested_by=shop.tenant_id, created_at=now)
        session.add(batch)
        session.flush()
        job = make_job(
            session,
            clock,
            product_id=product_id,
            batch_id=batch.id,
            action=JobAction.UPDATE,
            status=JobStatus.DONE,
            outcome=JobOutcome.REJECTED,
            problem_detail=_MARK,
        )
        session.add_all(
            [
                JobStep(
                    job_id=job.id,
                    attempt=1,
                    name=_MARK,
                    lease_owner=_MARK,
                    detail={},
                    started_at=now,
                    finished_at=now,
                ),
                ChannelListing(
                    product_id=product_id,
                    channel=Channel.EBAY,
                    status=ListingStatus.LIVE,
                    listing_id=_MARK,
                    url=_MARK,
                    remote={},
                    product_version=1,
                    read_back={},
                    published_at=now,
                    checked_at=now,
                ),
                DriftDecision(
                    product_id=product_id,
                    channel=Channel.EBAY,
                    listing_id=_MARK,
                    field="title",
                    keep=Keep.OURS,
                    ours=_MARK,
                    live=_MARK,
                    decided_by=shop.tenant_id,
                    decided_at=now,
                ),
                CategoryChoice(
                    channel=Channel.ETSY,
                    site="",
                    category_code=_MARK,
                    department="",
                    remote_id=_MARK,
                    remote_path=_MARK,
                    chosen_at=now,
                ),
                EbayProductChoice(
                    product_id=product_id,
                    marketplace_id="EBAY_US",
                    category_id=_MARK,
                    aspects={},
                ),
                EbayPicture(sha256=_MARK, image_url=_MARK, uploaded_at=now),
                EtsyProductChoice(
                    product_id=product_id, taxonomy_id=1, when_made=_MARK, properties=[]
                ),
                EtsyPicture(listing_id=1, sha256=_MARK, image_id=1, uploaded_at=now),
                EtsyDraft(product_id=product_id, listing_id=1, created_at=now),
                EtsyAccount(
                    id=1,
                    status=EtsyAccountStatus.CONNECTED,
                    remote_user_id=_MARK,
                    remote_shop_id=1,
                    shop_name=_MARK,
                    access_token=_MARK,
                    access_expires_at=now,
                    refresh_token=_MARK,
                    refresh_expires_at=now,
                    scopes=[],
                    readiness={},
                    choices={},
                    connected_at=now,
                ),
                VintedCommand(
                    id=new_uuid(),
                    job_id=job.id,
                    step=_MARK,
                    round=1,
                    state=CommandState.ANSWERED,
                    site=_MARK,
                    method="GET",
                    path=_MARK,
                    query={},
                    created_at=now,
                    answer=_MARK,
                    truncated=False,
                    challenged=False,
                    asked_again=False,
                ),
                VintedProductChoice(product_id=product_id, color_ids=[]),
                IdempotencyKey(
                    key=_MARK,
                    fingerprint=_MARK,
                    status=200,
                    headers={},
                    body=_MARK,
                    created_at=now,
                ),
                EbayConnection(
                    id=1,
                    status=ConnectionStatus.CONNECTED,
                    remote_user_id=_MARK,
                    username=_MARK,
                    marketplace_id="EBAY_US",
                    access_token=_MARK,
                    access_expires_at=now,
                    refresh_token=_MARK,
                    refresh_expires_at=now,
                    scopes=[],
                    readiness={},
                    connected_at=now,
                ),
            ]
        )
        make_vinted_account(session, clock, login=_MARK, remote_user_id=_MARK)
        order = make_order(session, clock, product_id, _MARK, job_id=job.id)
        row = _import_row(session, clock, shop.tenant_id, product_id)
        imported = {"import": row.import_id, "import row": row.id}
        return {"batch": batch.id, "job": job.id, "order": order.id, **imported}


def _import_row(
    session: TenantSession, clock: MovableClock, owner: int, product_id: int
) -> ListingImportRow:
    """A listing that may be one of the product, and waits for its seller to say so."""
    sizes = [ToldVariant(None, 900, 1, (size,)) for size in ("M", "L")]
    remote = dict.fromkeys(("who_made", "when_made", "is_supply"))
    told = ToldListing(
        "1", _MARK, _MARK, _MARK, "USD", tuple(sizes), option_names=("Size",), remote=remote
    )
    started = ListingImport(
        channel=Channel.ETSY,
        status=ImportStatus.PARTIAL,
        next_page=1,
        page_marks=[],
        seen=1,
        doubt=_MARK,
        requested_by=owner,
        created_at=clock.now(),
    )
    session.add(started)
    session.flush()
    row = new_row(started.id, _MARK, clock.now())
    row.outcome, row.candidates, row.title = RowOutcome.SUGGESTED, [product_id], _MARK
    row.told = {**told.as_json(), "pictures": {}}
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def everything(database: Database, container: Container) -> Everything:
    """Every row of every table of a shop, its rows of every shared table, and its files."""
    with database.platform() as session:
        shared = session.execute(_SHARED_ROWS).all()

    def of(shop: TenantSchema) -> dict[str, list[str]]:
        with database.tenant(shop) as session:
            rows = {
                table: sorted(str(row) for row in session.execute(text(f'SELECT * FROM "{table}"')))
                for table in TenantBase.metadata.tables
            }
        with database.platform() as session:
            for table, column in shared:
                owned = text(f"SELECT * FROM public.{table} WHERE {column} = :shop")
                found = session.execute(owned, {"shop": shop.tenant_id})
                rows[f"public.{table}"] = sorted(str(row) for row in found)
        files = Path(container.settings.data_dir).rglob(f"tenants/{shop.tenant_id}/**/*")
        return rows | {"files": sorted(map(str, files))}

    return of


def _request(route: APIRoute, ids: Ids) -> dict[str, Any]:
    """How to call it, every id of it being the other shop's."""
    name = name_of(route)
    unknown = [each for each in route.param_convertors if each not in {*_IDS, *_WORDS}]
    assert not unknown, f"{name}: say in _IDS what {unknown} stands for"
    if route.body_field is not None:
        assert name in _BODIES, f"{name}: say in _BODIES what to send, or enter _NAMES_NOTHING"
    filled = {
        each: _WORDS[each] if each in _WORDS else ids[_IDS[each]] for each in route.param_convertors
    }
    body = _BODIES.get(name, lambda _: {})(ids)
    return {
        "method": min(route.methods),
        "url": route.path_format.format(**filled),
        "headers": {"If-Match": "*"},
        **body,
    }


def test_every_table_of_the_other_shop_has_rows(
    ids: Ids, other_seller: Seller, everything: Everything
) -> None:
    """F9: or nothing could leak from it, and these tests would show nothing."""
    full = {name: rows for name, rows in everything(other_seller.tenant).items() if rows}
    assert set(TenantBase.metadata.tables) - set(full) == {"missing_images"}
    assert {"public.users", "public.tenants", "public.auth_sessions", "files"} <= set(full)


def test_the_lists_above_name_routes_that_exist() -> None:
    names = {name_of(route) for route in CLOSED}
    assert names >= _NAMES_NOTHING | set(_BODIES)


@pytest.mark.parametrize("route", NAMING, ids=name_of)
def test_a_route_refuses_what_belongs_to_the_other_shop(
    route: APIRoute,
    seller: Seller,
    other_seller: Seller,
    ids: Ids,
    everything: Everything,
) -> None:
    """ST14, A: refused, nothing told, nothing changed in either shop."""
    before = everything(other_seller.tenant), everything(seller.tenant)
    answer = seller.http.request(**_request(route, ids))
    assert answer.status_code in _REFUSED, answer.text
    assert _MARK not in answer.text
    assert (everything(other_seller.tenant), everything(seller.tenant)) == before


@pytest.mark.parametrize("route", NAMING, ids=name_of)
def test_the_same_request_is_understood_where_the_things_belong(
    route: APIRoute, other_seller: Seller, ids: Ids
) -> None:
    """ST14: so the refusal above is about whose they are, and not about a wrong request."""
    answer = other_seller.http.request(**_request(route, ids))
    understood = answer.status_code < 400 or answer.json()["code"] in {
        "nothing-publishable",
        "product-in-use",
        "job-already-ended",
        "batch-already-ended",
        "order-stands",
    }
    assert understood, answer.text


_PARTS = ("product", "variant", "image", "second image", "job", "batch", "order")


def _names_parts(route: APIRoute) -> bool:
    """Whether it names something beside the product."""
    numbers = dict.fromkeys(_PARTS, 1)
    others = {**dict.fromkeys(numbers, 2), "product": 1}
    return str(_request(route, numbers)) != str(_request(route, others))


@pytest.mark.parametrize("route", WITH_PRODUCT, ids=name_of)
def test_parts_of_the_other_shop_do_not_fit_into_ones_own_product(
    route: APIRoute, seller: Seller, other_seller: Seller, ids: Ids, everything: Everything
) -> None:
    """ST14: one's own product with the other's variants and photos."""
    own = create(seller.http)
    assert own["variants"][0]["id"] != ids["variant"], "both sequences begin at 1"
    before = everything(other_seller.tenant), everything(seller.tenant)
    answer = seller.http.request(**_request(route, {**ids, "product": own["id"]}))
    assert _MARK not in answer.text
    assert everything(other_seller.tenant) == before[0]
    if _names_parts(route):
        assert answer.status_code in _REFUSED, answer.text
        assert everything(seller.tenant) == before[1]


@pytest.mark.parametrize("route", LISTS, ids=name_of)
def test_a_list_shows_nothing_of_the_other_shop(route: APIRoute, seller: Seller, ids: Ids) -> None:
    """ST14: whatever it is filtered by."""
    known = {each.alias for each in route.dependant.query_params}
    filters: list[dict[str, Any]] = [{}, {"q": "only"}, {"brand": _MARK}]
    filters += [{name: ids[what]} for name, what in _IDS.items() if name in known]
    for query in filters:
        answer = seller.http.get(route.path, params=query)
        assert _MARK not in answer.text
        if name_of(route) in _SAME_FOR_ALL:
            continue
        if answer.is_success and isinstance(found := answer.json(), dict):
            assert found.get("items", []) == []


def test_every_socket_event_is_known_here(container: Container) -> None:
    """ST14: asked of the server itself; tests/behaviour/accounts/test_watching_a_shop.py has them
    refuse the other account."""
    door = next(each for each in create_app(container).user_middleware if each.cls is SocketDoor)
    server = door.kwargs["sockets"].engineio_server
    assert set(server.handlers["/"]) == _AS_THE_SERVER_LISTS_THEM
    assert set(server.handlers) == {"/"}
