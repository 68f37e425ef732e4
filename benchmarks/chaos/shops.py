"""Shops that are connected to eBay, have stock that lacks nothing, and ask for all of it."""

import hashlib
import io
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
from PIL import Image
from sqlalchemy import func, select

from benchmarks.chaos.site import Site
from models.accounts.identity import Role, User
from models.selling.catalog import Product, ProductImage, ProductStatus, ProductVariant
from models.selling.publishing import LIVE_STATUSES, Channel, JobAction, MarketplaceJob
from services.gateways.ebay.inventory import Address
from services.gateways.object_store import ObjectStore
from services.selling.ebay.access import EbayAccess
from services.selling.ebay.account import EbayAccountDesk
from services.selling.ebay.connecting import EbayConnecting
from shared.clock import Clock
from shared.database import TenantSchema, TenantSession
from shared.ids import new_channel_key, new_uuid

_SIZES = ("S", "M", "L")
_A_GROUP_IN = 10
"""One product in so many has variants, which eBay lists in another way."""

_HOME = Address("US", postal_code="94103")


@dataclass(frozen=True)
class Shop:
    """One seller and what was asked for."""

    tenant: TenantSchema
    ebay_user: str
    batch_id: int
    product_ids: tuple[int, ...]


def open_shops(site: Site, shops: int, publishes: int, name: str = "shop") -> list[Shop]:
    """Each with its share of the publishes, asked for in one batch."""
    return [
        _opened(site, f"{name}{number}", publishes // shops + (number < publishes % shops))
        for number in range(shops)
    ]


def ended(site: Site, shop: Shop) -> int:
    """How many of its jobs have ended."""
    with site.container.database.tenant(shop.tenant) as session:
        ours = select(func.count()).where(MarketplaceJob.batch_id == shop.batch_id)
        return session.scalar(ours.where(MarketplaceJob.status.not_in(LIVE_STATUSES))) or 0


def _opened(site: Site, name: str, products: int) -> Shop:
    container = site.container
    with container.database.platform() as session:
        user = User(
            public_id=new_uuid(),
            email=f"{name}@example.com",
            password_hash="!",
            full_name="Chaos",
            role=Role.MEMBER,
            failed_sign_ins=0,
            created_at=container.clock.now(),
        )
        session.add(user)
        session.flush()
        tenant = container.provisioning.provision(session, user.id)
    _connect(site, tenant, user.id, name)
    with container.database.tenant(tenant) as session:
        stocked = [
            _shirt(session, container.clock, container.object_store, each)
            for each in range(products)
        ]
        ids = tuple(product.id for product in stocked)
    with container.database.tenant(tenant) as session:
        asked = container.work_requests.request(
            session, JobAction.PUBLISH, ids, [Channel.EBAY], user.id
        )
    assert asked.batch_id is not None
    return Shop(tenant, f"TESTUSER_{name}", asked.batch_id, ids)


def _connect(site: Site, tenant: TenantSchema, user_id: int, ebay_user: str) -> None:
    container = site.container
    connecting = EbayConnecting(
        container.database, container.ebay, container.secret_box, container.clock
    )
    page = _query(connecting.begin(tenant, user_id).authorize_url)
    agreed = site.ebay.post(
        "/oauth2/consent", data={**page, "user": ebay_user, "decision": "agree"}
    )
    assert agreed.status_code == httpx.codes.FOUND, agreed.text
    answer = _query(agreed.headers["location"])
    connecting.finish(answer["state"], answer["code"], None)
    access = EbayAccess(
        container.database, container.ebay.oauth, container.secret_box, container.clock
    )
    desk = EbayAccountDesk(container.database, container.ebay, access, container.clock)
    assert desk.set_location(tenant, "Home", _HOME).ready


def _query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _shirt(session: TenantSession, clock: Clock, photos: ObjectStore, number: int) -> Product:
    sizes = _SIZES if number % _A_GROUP_IN == 0 else _SIZES[:1]
    several = len(sizes) > 1
    own = {"color": ["Blue"], "size_type": ["Regular"], "sleeve_length": ["Short"]}
    product = Product(
        handle=f"shirt-{number}",
        title=f"Blue cotton t-shirt {number}",
        description="A blue t-shirt.\n\nWorn twice.",
        status=ProductStatus.ACTIVE,
        brand="Patagonia",
        category_code="aa-1-13-8",
        condition_code="good",
        department_code="men",
        attributes=own if several else {**own, "size": list(sizes)},
        tags=[],
        option_names=["Size"] if several else [],
        currency="USD",
        version=1,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    product.variants = [
        ProductVariant(
            position=position,
            sku=f"shirt-{number}-{size}",
            option_values=[size] if several else [],
            price_minor=1000 + 7 * number + position,
            quantity=1 + (number + position) % 5,
            weight_grams=200,
            channel_key=new_channel_key(),
        )
        for position, size in enumerate(sizes, start=1)
    ]
    product.images = [_photo(session.tenant, photos, number)]
    session.add(product)
    session.flush()
    return product


def _photo(tenant: TenantSchema, photos: ObjectStore, number: int) -> ProductImage:
    file = io.BytesIO()
    Image.new("RGB", (640, 640), (number % 256, number // 256 % 256, 160)).save(file, "JPEG")
    data = file.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    key = f"tenants/{tenant.tenant_id}/photos/{sha256}"
    photos.put(key, data, "image/jpeg")
    return ProductImage(
        position=1,
        sha256=sha256,
        object_key=key,
        content_type="image/jpeg",
        width=640,
        height=640,
        bytes=len(data),
        alt_text="",
    )
