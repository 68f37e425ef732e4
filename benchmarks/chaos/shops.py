"""Shops that are connected to eBay, have stock that lacks nothing, and ask for all of it."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
from sqlalchemy import func, select

from benchmarks.chaos.site import Site
from benchmarks.photographed import shirt
from models.accounts.identity import Role, User
from models.selling.publishing import LIVE_STATUSES, Channel, JobAction, MarketplaceJob
from services.gateways.ebay.inventory import Address
from services.selling.ebay.access import EbayAccess
from services.selling.ebay.account import EbayAccountDesk
from services.selling.ebay.connecting import EbayConnecting
from shared.database import TenantSchema
from shared.ids import new_uuid

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
            shirt(session, container.clock, container.object_store, each)
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
