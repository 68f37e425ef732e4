"""Everything that lives as long as the process, built once and handed to whoever needs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from api.dependencies.container import Readiness
from api.limits import RequestLimits
from backend.embedded import EmbeddedPostgres
from backend.gateways import (
    open_ebay,
    open_etsy,
    open_image_fetcher,
    open_object_store,
    open_photo_links,
    vinted_pace,
    vinted_sites,
)
from backend.handlers import channel_table, polled_channels, withdrawals
from backend.keys import Keys, load_keys
from backend.metrics import InstallationFigures, Meters
from backend.pools import PoolMeters, ProcessKind, pool_size
from backend.settings import Settings
from backend.shops import ShopLife, shop_life
from backend.upkeep import bring_up_to_date
from migrations.lines import PLATFORM
from migrations.rendering import tenant_script
from migrations.runner import current_platform_revision, has_reached
from repositories.selling.catalog_pages import learn_the_list
from services.accounts.identity.access_tokens import AccessTokens
from services.accounts.identity.passwords import Passwords
from services.accounts.tenants.provisioning import TenantProvisioning
from services.accounts.tenants.waking import Waking
from services.gateways.ebay.gateway import EbayGateway
from services.gateways.ebay.quotas import EbayQuotas
from services.gateways.etsy.gateway import EtsyGateway
from services.gateways.image_fetch import ImageFetcher
from services.gateways.object_store import ObjectStore
from services.selling.drift.requesting import ComparisonRequests
from services.selling.orders.polling import PolledChannel
from services.selling.publishing.preflight import PublicationPreflight
from services.selling.publishing.requesting import WorkRequests
from services.selling.publishing.withdrawing import Withdrawals
from services.selling.quotas.ledger import DatabaseLedger, QuotaState
from services.selling.vinted.bridge.bridge import VintedBridge
from services.selling.vinted.bridge.leases import CommandLeases, Signatures, SignedPhotoLinks
from shared.clock import Clock, SystemClock
from shared.database import (
    Database,
    EngineOptions,
    TenantSchema,
    connections_allowed,
    create_database_engine,
)
from shared.database.wake_ups import WakeUpSender
from shared.encryption import SecretBox

_log = structlog.get_logger("stoflow.container")


@dataclass
class Container:
    """The composition. `close` lets go of connections and of the embedded server."""

    settings: Settings
    clock: Clock
    database: Database
    secret_box: SecretBox
    access_tokens: AccessTokens
    passwords: Passwords
    provisioning: TenantProvisioning
    object_store: ObjectStore
    shop_life: ShopLife
    image_fetcher: ImageFetcher
    call_ledger: DatabaseLedger
    ebay: EbayGateway
    etsy: EtsyGateway
    work_requests: WorkRequests
    publication_preflight: PublicationPreflight
    comparisons: ComparisonRequests
    polled: Sequence[PolledChannel]
    photo_links: SignedPhotoLinks
    vinted_bridge: VintedBridge
    limits: RequestLimits
    metrics: CollectorRegistry
    meters: Meters
    embedded: EmbeddedPostgres | None = None
    _closing: list[Callable[[], None]] = field(default_factory=list)

    @property
    def vinted_sites(self) -> Sequence[str]:
        """Hosts of Vinted's sites."""
        return vinted_sites(self.settings)

    @property
    def withdrawals(self) -> Withdrawals:
        """Where a parked job can be taken back of which nobody has heard."""
        return withdrawals()

    @property
    def waking(self) -> Waking:
        """Brings sleeping shops back."""
        return self.shop_life.waking

    @property
    def refresh_ttl(self) -> timedelta:
        """How long a sign-in lasts without a refresh."""
        return self.settings.tokens.refresh_ttl

    @property
    def sign_in_limit(self) -> RequestLimits:
        """Counts attempts to sign in."""
        return self.limits

    @property
    def trusted_proxies(self) -> int:
        """How many proxies of ours append to X-Forwarded-For."""
        return self.settings.limits.trusted_proxies

    def ebay_calls(self, shop: TenantSchema) -> Sequence[QuotaState]:
        """What is left of eBay's call quotas, of this shop's account and of the application."""
        quotas = EbayQuotas(self.settings.ebay.daily_calls)
        return self.call_ledger.states(quotas.all, shop.name)

    def etsy_calls(self, shop: TenantSchema) -> Sequence[QuotaState]:
        """What is left of Etsy's call quotas, which are those of the application."""
        return self.call_ledger.states(self.etsy.quotas.all, shop.name)

    def readiness(self) -> Readiness:
        """Ask the database whether it is there and migrated."""
        try:
            revision = current_platform_revision(self.database.engine)
        except Exception as error:
            _log.warning("not ready", because=type(error).__name__)
            return Readiness(database=False, migrated=False)
        return Readiness(database=True, migrated=has_reached(PLATFORM, revision))

    def on_close(self, let_go: Callable[[], None]) -> None:
        """Have `let_go` called at the end, last come first."""
        self._closing.append(let_go)

    def close(self) -> None:
        """Let go of everything."""
        while self._closing:
            self._closing.pop()()


def open_database(
    settings: Settings,
    clock: Clock,
    kind: ProcessKind = ProcessKind.COMMAND,
    *,
    as_it_is: bool = False,
) -> tuple[Database, EmbeddedPostgres | None]:
    """Connect to `DATABASE_URL`, or start the embedded server and bring it up to date.

    One that is wanted `as_it_is` is brought up to date only when it is empty.
    """
    embedded = None
    url = settings.database.url
    if url is None:
        embedded = EmbeddedPostgres(settings.data_dir / "postgres")
        url = embedded.ensure_database()
    engine = create_database_engine(url, _engine_options(settings, kind, url))
    database = Database(
        engine,
        tenant_roles=settings.database.tenant_roles,
        check_sentinel=settings.database.check_sentinel,
    )
    if embedded is not None and not (as_it_is and current_platform_revision(engine)):
        bring_up_to_date(database, clock)
    return database, embedded


def _engine_options(settings: Settings, kind: ProcessKind, url: str) -> EngineOptions:
    asks = kind is not ProcessKind.COMMAND and settings.database.connections is None
    size = pool_size(settings, kind, connections_allowed(url) if asks else None)
    if kind is not ProcessKind.COMMAND:
        _log.info("connections", process=kind.value, pool_size=size)
    return EngineOptions(
        pool_size=size,
        max_overflow=settings.database.max_overflow,
        tenants_per_connection=settings.database.tenants_per_connection,
        warm_up=learn_the_list,
    )


def build_container(
    settings: Settings,
    *,
    database: Database | None = None,
    clock: Clock | None = None,
    passwords: Passwords | None = None,
    kind: ProcessKind = ProcessKind.COMMAND,
    as_it_is: bool = False,
) -> Container:
    """Put the parts together. What is given is used and stays the giver's to close.

    The embedded database is brought up to date first, unless it is wanted `as_it_is`.
    """
    clock = clock or SystemClock()
    keys = load_keys(settings)
    embedded = None
    opened = database is None
    if database is None:
        database, embedded = open_database(settings, clock, kind, as_it_is=as_it_is)
    call_ledger = DatabaseLedger(database, clock)
    ebay = open_ebay(settings.ebay, call_ledger, clock)
    etsy = open_etsy(settings, call_ledger, clock)
    pace = vinted_pace(settings)
    channels = channel_table(ebay, EbayQuotas(settings.ebay.daily_calls), etsy, pace, clock)
    polled = polled_channels(settings.ebay, settings.etsy, etsy.quotas)
    image_fetcher = open_image_fetcher(settings.images)
    metrics = _metrics_registry(database, clock)
    passwords = passwords or Passwords()
    provisioning = TenantProvisioning(database, tenant_script(), clock)
    object_store = open_object_store(settings)
    signatures = Signatures(keys.token_key, keys.previous_token_keys, settings.tokens.issuer, clock)
    photo_links = open_photo_links(settings, signatures)
    container = Container(
        settings=settings,
        clock=clock,
        database=database,
        secret_box=keys.secret_box,
        access_tokens=_access_tokens(settings, keys, clock),
        passwords=passwords,
        provisioning=provisioning,
        object_store=object_store,
        shop_life=shop_life(database, object_store, passwords, provisioning, clock),
        image_fetcher=image_fetcher,
        call_ledger=call_ledger,
        ebay=ebay,
        etsy=etsy,
        work_requests=WorkRequests(channels, clock),
        publication_preflight=PublicationPreflight(
            channels, call_ledger, settings.worker.caps, clock
        ),
        polled=polled,
        comparisons=ComparisonRequests(channels, polled, call_ledger, settings.worker.caps, clock),
        photo_links=photo_links,
        vinted_bridge=VintedBridge(
            database,
            CommandLeases(signatures),
            photo_links,
            object_store,
            pace,
            vinted_sites(settings),
            clock,
        ),
        limits=_request_limits(settings),
        metrics=metrics,
        meters=Meters(metrics),
        embedded=embedded,
    )
    container.on_close(image_fetcher.close)
    if embedded is not None:
        container.on_close(embedded.stop)
    if opened:
        container.on_close(database.engine.dispose)
    if kind is not ProcessKind.COMMAND:
        sender = WakeUpSender(database.engine)
        sender.start()
        container.on_close(sender.close)
    return container


def _access_tokens(settings: Settings, keys: Keys, clock: Clock) -> AccessTokens:
    return AccessTokens(
        keys.token_key,
        keys.previous_token_keys,
        issuer=settings.tokens.issuer,
        ttl=settings.tokens.access_ttl,
        clock=clock,
    )


def _request_limits(settings: Settings) -> RequestLimits:
    return RequestLimits(
        requests=settings.limits.requests,
        sign_in=settings.limits.sign_in,
        redis_url=settings.redis_url,
    )


def _metrics_registry(database: Database, clock: Clock) -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(InstallationFigures(database, clock))
    PoolMeters(database, registry)
    return registry
