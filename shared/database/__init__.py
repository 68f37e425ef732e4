"""How the house speaks to PostgreSQL: engine, the two session types and the tenant's schema."""

from shared.database.engine import EngineOptions, connections_allowed, create_database_engine
from shared.database.outages import lacks_something, may_pass, outage_in, reason_of, unavailable_in
from shared.database.sessions import (
    Database,
    PlatformSession,
    SignIn,
    TenantSession,
    WrongSchema,
)
from shared.database.tenant_schema import TEMPLATE_SCHEMA, TenantSchema

__all__ = [
    "TEMPLATE_SCHEMA",
    "Database",
    "EngineOptions",
    "PlatformSession",
    "SignIn",
    "TenantSchema",
    "TenantSession",
    "WrongSchema",
    "connections_allowed",
    "create_database_engine",
    "lacks_something",
    "may_pass",
    "outage_in",
    "reason_of",
    "unavailable_in",
]
