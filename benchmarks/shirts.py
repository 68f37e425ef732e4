"""A shop of t-shirts as a working one has them: photos, attributes, accounts everywhere."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from migrations.rendering import tenant_script
from models.accounts.identity import Role, User
from models.selling.catalog import Product, ProductImage, ProductVariant
from models.selling.ebay import ConnectionStatus, EbayConnection
from models.selling.etsy import EtsyAccount, EtsyAccountStatus
from models.selling.publishing import Channel, ChannelListing, ListingStatus
from models.selling.vinted import VintedAccount, VintedSession
from repositories.reference.marketplace_mappings import EbayMappingRepository, StoredAspect
from sandbox.ebay.catalogue import Catalogue
from services.accounts.tenants.provisioning import TenantProvisioning
from services.gateways.ebay.account import PolicyKind
from services.gateways.ebay.marketplaces import marketplace_named
from services.gateways.ebay.quotas import EbayQuotas
from services.selling.ebay.channel import EbayChannel
from services.selling.ebay.preflight import EbayPreflight
from shared.clock import Clock, SystemClock
from shared.database import Database, PlatformSession, TenantSchema
from shared.ids import new_channel_key, new_uuid

BRANDS = 1_500
"""eBay knows so many for a garment; sellers may write others."""

_SHIRTS = "15687"
_OPENED = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def learn_shirts(session: PlatformSession) -> None:
    """As if eBay had told what it asks of men's t-shirts."""
    catalogue = Catalogue()
    aspects = [
        StoredAspect(
            each.name,
            each.required,
            each.mode,
            each.cardinality,
            [f"Brand {n}" for n in range(BRANDS)] if each.name == "Brand" else list(each.values),
            each.variant,
        )
        for each in catalogue.aspects(_SHIRTS)
    ]
    conditions = [int(each.condition_id) for each in catalogue.allowed_conditions(_SHIRTS)]
    EbayMappingRepository(session).store_category(_SHIRTS, aspects, conditions, SystemClock().now())


def shirts_on_ebay(clock: Clock) -> EbayChannel:
    """What publishing asks."""
    return EbayChannel(EbayPreflight(marketplace_named("EBAY_US")), EbayQuotas(), clock)


def open_shirt_shop(database: Database, products: int, listed: int = 0) -> TenantSchema:
    """A shop of as many shirts that lack nothing; the last `listed` of them are on eBay."""
    clock = SystemClock()
    with database.platform() as session:
        user = User(
            public_id=new_uuid(),
            email=f"bench{new_uuid()}@example.com",
            password_hash="!",
            full_name="Bench",
            role=Role.MEMBER,
            failed_sign_ins=0,
            created_at=clock.now(),
        )
        session.add(user)
        session.flush()
        shop = TenantProvisioning(database, tenant_script(), clock).provision(session, user.id)
    numbers = range(1, products + 1)
    with database.tenant(shop) as session:
        connection = session.connection()
        connection.execute(insert(Product), [_product(number) for number in numbers])
        connection.execute(insert(ProductVariant), [_variant(number) for number in numbers])
        connection.execute(insert(ProductImage), [_image(number) for number in numbers])
        session.add(_account())
        session.add(_etsy_account())
        session.add(_vinted_account())
        if listed:
            rows = [_listing(number) for number in numbers[-listed:]]
            connection.execute(insert(ChannelListing), rows)
    return shop


def _product(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "handle": f"shirt-{number}",
        "title": f"Blue cotton t-shirt {number}",
        "description": "A blue t-shirt.\n\nWorn twice." * 10,
        "status": "active",
        "brand": f"Brand {number % 900}",
        "category_code": "aa-1-13-8",
        "condition_code": "good",
        "department_code": "men",
        "attributes": {
            "color": ["Blue"],
            "size": ["M"],
            "size_type": ["Regular"],
            "sleeve_length": ["Short"],
        },
        "tags": [],
        "option_names": [],
        "currency": "USD",
        "version": 1,
        "created_at": _OPENED,
        "updated_at": _OPENED,
    }


def _variant(number: int) -> dict[str, Any]:
    return {
        "product_id": number,
        "position": 1,
        "sku": f"SHIRT-{number}",
        "option_values": [],
        "price_minor": 2_500,
        "quantity": 1,
        "weight_grams": 200,
        "channel_key": new_channel_key(),
    }


def _image(number: int) -> dict[str, Any]:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return {
        "product_id": number,
        "position": 1,
        "sha256": digest,
        "object_key": f"photos/{digest}",
        "content_type": "image/jpeg",
        "width": 1200,
        "height": 1600,
        "bytes": 240_000,
        "alt_text": "",
    }


def _listing(number: int) -> dict[str, Any]:
    return {
        "product_id": number,
        "channel": Channel.EBAY,
        "status": ListingStatus.LIVE,
        "listing_id": str(110_000_000_000 + number),
        "remote": {},
        "product_version": 1,
        "read_back": {},
        "published_at": _OPENED,
        "checked_at": _OPENED,
    }


def _account() -> EbayConnection:
    now = SystemClock().now()
    policies = {kind.value: {"id": "1", "name": kind.value} for kind in PolicyKind}
    return EbayConnection(
        id=1,
        status=ConnectionStatus.CONNECTED,
        remote_user_id="bench",
        username="bench",
        marketplace_id="EBAY_US",
        access_token="-",
        access_expires_at=now + timedelta(hours=2),
        refresh_token="-",
        refresh_expires_at=now + timedelta(days=500),
        scopes=[],
        readiness={
            "uses_policies": True,
            "policies": policies,
            "location": {"key": "home", "name": "Home", "country": "US"},
        },
        connected_at=now,
        checked_at=now,
    )


def _etsy_account() -> EtsyAccount:
    now = SystemClock().now()
    kinds = ("shipping_profile", "return_policy", "processing_profile")
    return EtsyAccount(
        id=1,
        status=EtsyAccountStatus.CONNECTED,
        remote_user_id="1",
        remote_shop_id=1,
        shop_name="bench",
        access_token="-",
        access_expires_at=now + timedelta(hours=1),
        refresh_token="-",
        refresh_expires_at=now + timedelta(days=90),
        scopes=[],
        readiness={
            "currency": "USD",
            "country": "US",
            "on_holiday": False,
            "profiles": {kind: [{"id": 1, "name": kind}] for kind in kinds},
        },
        choices={"who_made": "someone_else", "when_made": "1990s", "is_supply": False},
        connected_at=now,
        checked_at=now,
    )


def _vinted_account() -> VintedAccount:
    now = SystemClock().now()
    return VintedAccount(
        id=1,
        site="www.vinted.com",
        remote_user_id="1",
        login="bench",
        session=VintedSession.SIGNED_IN,
        choices={"package_size_id": 1},
        connected_at=now,
        checked_at=now,
    )
