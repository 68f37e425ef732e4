"""The eBay APIs the sandbox speaks: addresses, error domains, quotas, scopes."""

from dataclasses import dataclass

SCOPE_PREFIX = "https://api.ebay.com/oauth/api_scope"


def scopes(*suffixes: str) -> frozenset[str]:
    """Full scope strings of `suffixes`; the empty suffix is the public scope."""
    return frozenset(f"{SCOPE_PREFIX}/{suffix}" if suffix else SCOPE_PREFIX for suffix in suffixes)


PUBLIC = scopes("")
INVENTORY_WRITE = scopes("sell.inventory")
INVENTORY_READ = scopes("sell.inventory", "sell.inventory.readonly")
FULFILLMENT_WRITE = scopes("sell.fulfillment")
FULFILLMENT_READ = scopes("sell.fulfillment", "sell.fulfillment.readonly")
ACCOUNT_WRITE = scopes("sell.account")
ACCOUNT_READ = scopes("sell.account", "sell.account.readonly")
ASPECTS_READ = scopes("", "metadata.insights")
CONDITIONS_READ = scopes("", "sell.inventory")
IDENTITY_PARTS = ("", ".status", ".name", ".address", ".email", ".phone")
IDENTITY_READ = scopes(*(f"commerce.identity{part}.readonly" for part in IDENTITY_PARTS))

APPLICATION_SCOPES = scopes("", "metadata.insights", "buy.browse")
"""What client_credentials may ask for; everything else needs a seller's consent."""

USER_SCOPES = (
    PUBLIC
    | INVENTORY_READ
    | ACCOUNT_READ
    | FULFILLMENT_READ
    | IDENTITY_READ
    | scopes(
        "metadata.insights",
        "sell.analytics.readonly",
        "sell.marketing",
        "sell.marketing.readonly",
        "sell.finances",
        "sell.payment.dispute",
        "sell.stores",
        "sell.stores.readonly",
        "sell.reputation",
        "sell.reputation.readonly",
        "commerce.feedback",
        "commerce.feedback.readonly",
        "commerce.notification.subscription",
        "commerce.notification.subscription.readonly",
        "commerce.message",
        "commerce.shipping",
        "commerce.vero",
    )
)
"""What a seller can be asked to consent to."""


@dataclass(frozen=True)
class Api:
    """One eBay API. `daily_limit` is calls per keyset and UTC day (eBay's published defaults)."""

    context: str
    name: str
    version: str
    base_path: str
    domain: str
    system_error: int
    daily_limit: int

    @property
    def resource(self) -> str:
        """The name under which quota use is reported."""
        return f"{self.context}.{self.name.lower()}"


INVENTORY = Api("sell", "Inventory", "v1", "/sell/inventory/v1", "API_INVENTORY", 25001, 2_000_000)
ACCOUNT = Api("sell", "Account", "v1", "/sell/account/v1", "API_ACCOUNT", 20500, 25_000)
FULFILLMENT = Api(
    "sell", "Fulfillment", "v1", "/sell/fulfillment/v1", "API_FULFILLMENT", 30500, 100_000
)
METADATA = Api("sell", "Metadata", "v1", "/sell/metadata/v1", "API_METADATA", 46000, 5_000)
TAXONOMY = Api("commerce", "Taxonomy", "v1", "/commerce/taxonomy/v1", "API_TAXONOMY", 62000, 5_000)
MEDIA = Api(
    "commerce", "Media", "v1_beta", "/commerce/media/v1_beta", "API_MEDIA", 190000, 1_000_000
)
IDENTITY = Api("commerce", "Identity", "v1", "/commerce/identity/v1", "API_IDENTITY", 140000, 5_000)
ANALYTICS = Api(
    "developer",
    "Analytics",
    "v1_beta",
    "/developer/analytics/v1_beta",
    "API_ANALYTICS",
    105000,
    5_000,
)
APIS = (INVENTORY, ACCOUNT, FULFILLMENT, METADATA, TAXONOMY, MEDIA, IDENTITY, ANALYTICS)
