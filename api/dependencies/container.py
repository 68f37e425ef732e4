"""What routes may ask of the composition, which is built in `backend.container`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Protocol, cast

from fastapi import Depends
from prometheus_client import CollectorRegistry
from starlette.requests import HTTPConnection

from services.accounts.identity.access_tokens import AccessTokens
from services.accounts.identity.passwords import Passwords
from services.accounts.tenants.provisioning import TenantProvisioning
from services.accounts.tenants.waking import Waking
from services.gateways.ebay.gateway import EbayGateway
from services.gateways.etsy.gateway import EtsyGateway
from services.gateways.image_fetch import ImageFetcher
from services.gateways.object_store import ObjectStore
from services.selling.drift.requesting import ComparisonRequests
from services.selling.orders.polling import PolledChannel
from services.selling.publishing.preflight import PublicationPreflight
from services.selling.publishing.requesting import WorkRequests
from services.selling.publishing.withdrawing import Withdrawals
from services.selling.quotas.ledger import QuotaState
from services.selling.vinted.bridge.leases import SignedPhotoLinks
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.encryption import SecretBox


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests can be served: the database answers and is migrated."""

    database: bool
    migrated: bool

    @property
    def ready(self) -> bool:
        """Both."""
        return self.database and self.migrated


class SignInLimit(Protocol):
    """Counts what costs us password hashing or guards secrets, per address."""

    def spend(self, address: str) -> None:
        """Count one attempt. Raises `TooManyRequests`."""
        ...


class Container(Protocol):
    """The parts that live as long as the process."""

    @property
    def clock(self) -> Clock: ...
    @property
    def database(self) -> Database: ...
    @property
    def access_tokens(self) -> AccessTokens: ...
    @property
    def passwords(self) -> Passwords: ...
    @property
    def provisioning(self) -> TenantProvisioning: ...
    @property
    def object_store(self) -> ObjectStore: ...
    @property
    def waking(self) -> Waking: ...
    @property
    def image_fetcher(self) -> ImageFetcher: ...
    @property
    def ebay(self) -> EbayGateway: ...
    @property
    def etsy(self) -> EtsyGateway: ...
    @property
    def secret_box(self) -> SecretBox: ...
    @property
    def photo_links(self) -> SignedPhotoLinks: ...
    @property
    def vinted_sites(self) -> Sequence[str]: ...
    @property
    def publication_preflight(self) -> PublicationPreflight: ...
    @property
    def polled(self) -> Sequence[PolledChannel]: ...
    @property
    def comparisons(self) -> ComparisonRequests: ...
    @property
    def work_requests(self) -> WorkRequests: ...
    @property
    def withdrawals(self) -> Withdrawals: ...
    @property
    def refresh_ttl(self) -> timedelta: ...
    @property
    def sign_in_limit(self) -> SignInLimit: ...
    @property
    def trusted_proxies(self) -> int: ...
    @property
    def metrics(self) -> CollectorRegistry: ...
    def ebay_calls(self, shop: TenantSchema) -> Sequence[QuotaState]:
        """What is left of eBay's call quotas."""
        ...

    def etsy_calls(self, shop: TenantSchema) -> Sequence[QuotaState]:
        """What is left of Etsy's call quotas."""
        ...

    def readiness(self) -> Readiness: ...


def container_of(connection: HTTPConnection) -> Container:
    """The composition of the application that serves this connection."""
    return cast(Container, connection.app.state.container)


async def _container(connection: HTTPConnection) -> Container:
    return container_of(connection)


TheContainer = Annotated[Container, Depends(_container)]
