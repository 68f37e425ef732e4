"""A shop with something of everything in it, and what it is compared by."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from models.accounts.tenants import Lane
from models.selling.catalog import MissingImage, ProductImage
from models.selling.ebay import ConnectionStatus, EbayConnection, EbayPicture, EbayProductChoice
from models.selling.etsy import (
    EtsyAccount,
    EtsyAccountStatus,
    EtsyDraft,
    EtsyPicture,
    EtsyProductChoice,
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
from services.gateways.object_store import ObjectStore
from services.selling.catalog.photos import inspect_photo
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.database.tenant_schema import quote_identifier
from shared.ids import new_uuid
from tests.factories.catalog import photo
from tests.factories.orders import make_order
from tests.factories.selling import make_job, make_product

SECRET_TOKEN = "key1:gAAAAABciphertext-of-a-token"

AWKWARD = 'Ünï "quoted" \\ back\\n\tslash\n{"a": null} % %s :name $1 \u2028 \U0001f457 \'; --'
"""Text that breaks whatever quotes it wrongly."""


@dataclass(frozen=True)
class ShopContents:
    """Every row and sequence of a shop, as PostgreSQL prints them."""

    tables: dict[str, list[str]]
    sequences: dict[str, tuple[int, bool]]

    @property
    def rows(self) -> int:
        return sum(len(rows) for rows in self.tables.values())


def contents_of(database: Database, tenant: TenantSchema) -> ShopContents:
    """Everything in the schema, whatever the shop's status."""
    with database.engine.connect() as connection:
        names = connection.execute(
            text(
                "SELECT relname, relkind FROM pg_class WHERE relkind IN ('r', 'S')"
                " AND relnamespace = CAST(:schema AS text)::regnamespace"
            ),
            {"schema": tenant.name},
        ).all()
        tables = {}
        sequences = {}
        for name, kind in names:
            full = f"{tenant.quoted}.{quote_identifier(name)}"
            if kind == "r":
                rows = connection.execute(text(f"SELECT t::text FROM {full} AS t ORDER BY 1"))
                tables[name] = [row for (row,) in rows]
            else:
                last, called = connection.execute(
                    text(f"SELECT last_value, is_called FROM {full}")
                ).one()
                sequences[name] = (last, called)
    return ShopContents(tables, sequences)


def furnish(
    database: Database, store: ObjectStore, tenant: TenantSchema, clock: Clock
) -> dict[str, bytes]:
    """Put something of everything into a shop; returns its photos by key."""
    photos: dict[str, bytes] = {}
    with database.tenant(tenant) as session:
        product = make_product(session, clock, title=AWKWARD, tags=["a", AWKWARD], brand=None)
        make_product(session, clock, attributes={"color": ["Red"]}, deleted_at=clock.now())
        for position in (1, 2):
            data = photo(shade=tenant.tenant_id * 7 + position)
            stored = inspect_photo(tenant, data)
            photos[stored.object_key] = data
            session.add(
                ProductImage(
                    product_id=product.id,
                    position=position,
                    alt_text=AWKWARD,
                    source=None if position == 1 else "https://example.com/a.jpg",
                    **_columns(stored),
                )
            )
        session.add(
            MissingImage(product_id=product.id, source="x", problem="y", tried_at=clock.now())
        )
        make_order(session, clock, product.id, AWKWARD, job_id=_work(session, clock, product.id))
        _on_ebay(session, clock, product.id)
        _on_etsy(session, clock, product.id)
        session.flush()
        # A number that was given and never used, and one that no program can count to.
        session.execute(text("SELECT nextval('products_id_seq')"))
        session.execute(text("SELECT setval('job_steps_id_seq', 9007199254740993, false)"))
    for key, data in photos.items():
        store.put(key, data, "image/jpeg")
    return photos


def _columns(stored: Any) -> dict[str, Any]:
    names = ("sha256", "object_key", "content_type", "width", "height", "bytes")
    return {name: getattr(stored, name) for name in names}


def _work(session: TenantSession, clock: Clock, product_id: int) -> int:
    owner = session.tenant.tenant_id
    batch = JobBatch(action=JobAction.PUBLISH, requested_by=owner, created_at=clock.now())
    session.add(batch)
    session.flush()
    done = make_job(
        session,
        clock,
        product_id=product_id,
        batch_id=batch.id,
        requested_by=owner,
        status=JobStatus.DONE,
        outcome=JobOutcome.OK,
        lane=Lane.BULK,
        lease_id=new_uuid(),
        result={"listing": 2**60, "price": 1.10, "nothing": None, "text": AWKWARD},
        finished_at=clock.now() + timedelta(microseconds=1),
    )
    # JSON's null, which is not the same as no value.
    make_job(
        session,
        clock,
        product_id=product_id,
        requested_by=owner,
        status=JobStatus.CANCELLED,
        result=None,
    )
    session.add(
        JobStep(
            job_id=done.id,
            attempt=1,
            name="create offer",
            lease_owner="host:1",
            http_status=201,
            detail={"id": "7"},
            started_at=clock.now(),
            finished_at=clock.now(),
        )
    )
    session.add(
        ChannelListing(
            product_id=product_id,
            channel=Channel.EBAY,
            status=ListingStatus.LIVE,
            listing_id="110550000001",
            remote={"offers": {"SF1": "9"}},
            product_version=1,
            read_back={},
            published_at=clock.now(),
            checked_at=clock.now(),
        )
    )
    session.execute(text("DELETE FROM public.tenant_bells"))
    return done.id


def _on_ebay(session: TenantSession, clock: Clock, product_id: int) -> None:
    session.add(
        EbayConnection(
            id=1,
            status=ConnectionStatus.CONNECTED,
            remote_user_id="u-1",
            username="TESTUSER_mina",
            marketplace_id="EBAY_US",
            access_token=SECRET_TOKEN,
            access_expires_at=clock.now(),
            refresh_token=SECRET_TOKEN,
            refresh_expires_at=clock.now(),
            scopes=["sell"],
            readiness={},
            connected_at=clock.now(),
        )
    )
    session.add(
        EbayPicture(sha256="0" * 64, image_url="https://i.example/1", uploaded_at=clock.now())
    )
    session.add(
        EbayProductChoice(
            product_id=product_id,
            marketplace_id="EBAY_US",
            category_id="11",
            aspects={"Color": ["Red"]},
        )
    )


def _on_etsy(session: TenantSession, clock: Clock, product_id: int) -> None:
    session.add_all(
        [
            EtsyAccount(
                id=1,
                status=EtsyAccountStatus.CONNECTED,
                remote_user_id="710",
                remote_shop_id=52,
                shop_name="MinasVintage",
                access_token=SECRET_TOKEN,
                access_expires_at=clock.now(),
                refresh_token=SECRET_TOKEN,
                refresh_expires_at=clock.now(),
                scopes=["listings_r"],
                readiness={},
                choices={},
                connected_at=clock.now(),
            ),
            EtsyDraft(product_id=product_id, listing_id=4300, created_at=clock.now()),
            EtsyPicture(listing_id=4300, sha256="0" * 64, image_id=5400, uploaded_at=clock.now()),
            EtsyProductChoice(
                product_id=product_id, taxonomy_id=482, when_made="1990s", properties=[]
            ),
        ]
    )
