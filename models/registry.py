"""Every table of the house, imported once, so that metadata is complete."""

from models.accounts import (
    browser_bells,
    call_budgets,
    channel_consents,
    dead_jobs,
    identity,
    news,
    notifications,
    order_polls,
    outbox,
    schedule,
    stopped_channels,
    tenants,
)
from models.base import PlatformBase, TenantBase
from models.reference import attributes, marketplace_mappings
from models.selling import (
    catalog,
    category_choices,
    drift,
    ebay,
    etsy,
    idempotency,
    listing_imports,
    orders,
    publishing,
    sentinel,
    vinted,
)

MODULES = (
    identity,
    tenants,
    browser_bells,
    channel_consents,
    stopped_channels,
    schedule,
    dead_jobs,
    call_budgets,
    order_polls,
    news,
    outbox,
    notifications,
    attributes,
    marketplace_mappings,
    catalog,
    category_choices,
    publishing,
    drift,
    listing_imports,
    orders,
    ebay,
    etsy,
    vinted,
    idempotency,
    sentinel,
)

PLATFORM_METADATA = PlatformBase.metadata
TENANT_METADATA = TenantBase.metadata
