"""Every setting, read from the environment once. Each part of the house is handed its section.

In production nothing generated or default is accepted where a secret belongs: see
`Settings.refuse_unsafe_production`.
"""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.accounts.tenants import Lane
from repositories.selling.publishing import RunningCaps
from shared.errors import Misconfigured

EXTENSION_ORIGIN = "chrome-extension://dgdoilbhfjokplmfepmenjddonebchfp"
"""Where the browser extension's requests come from; its id follows from the key in its manifest."""


def _section(prefix: str = "STOFLOW_") -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix=prefix, env_file=".env", extra="ignore", env_ignore_empty=True
    )


class Environment(StrEnum):
    """Where the process runs."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class DatabaseSettings(BaseSettings):
    """PostgreSQL 15 to 18."""

    model_config = _section()

    url: str | None = Field(default=None, validation_alias="DATABASE_URL", repr=False)
    """Unset: the embedded PostgreSQL in the data folder."""
    connections: int | None = Field(
        default=None, ge=1, validation_alias="STOFLOW_DATABASE_CONNECTIONS"
    )
    """What all API and worker processes may hold together. Unset: what the server allows, less
    ten for commands."""
    api_processes: int = Field(default=1, ge=1, validation_alias="STOFLOW_API_PROCESSES")
    worker_processes: int = Field(default=1, ge=0, validation_alias="STOFLOW_WORKER_PROCESSES")
    """How many of each there are, of this installation and on all machines."""
    pool_size: int | None = Field(default=None, ge=1, validation_alias="STOFLOW_DATABASE_POOL_SIZE")
    """Connections of this process. Unset: its share."""
    max_overflow: int = Field(default=0, ge=0, validation_alias="STOFLOW_DATABASE_MAX_OVERFLOW")
    tenants_per_connection: int = Field(
        default=150, ge=1, validation_alias="STOFLOW_DATABASE_TENANTS_PER_CONNECTION"
    )
    """How many shops one connection serves at most: bounds the memory of PostgreSQL's backends."""
    tenant_roles: bool = Field(default=True, validation_alias="STOFLOW_DATABASE_TENANT_ROLES")
    """Each shop's transactions run under a role of its own. Off only on Citus."""
    check_sentinel: bool = Field(default=False, validation_alias="STOFLOW_DATABASE_CHECK_SENTINEL")
    """Every transaction of a shop compares the schema's sentinel row with its tenant: test mode."""


class TokenSettings(BaseSettings):
    """Sign-in tokens."""

    model_config = _section("STOFLOW_TOKEN_")

    private_key: SecretStr | None = None
    """RSA key in PEM, at least 2048 bits. Unset: one is made in the data folder."""
    previous_public_keys: SecretStr | None = None
    """PEM public keys, one after the other, whose tokens are still honoured after a rotation."""
    issuer: str = "stoflow"
    access_ttl: timedelta = timedelta(minutes=15)
    """How long an access token is honoured."""
    refresh_ttl: timedelta = timedelta(days=7)
    """How long a sign-in lasts without a refresh."""


class EncryptionSettings(BaseSettings):
    """Secrets at rest: marketplace tokens."""

    model_config = _section("STOFLOW_ENCRYPTION_")

    key: SecretStr | None = None
    """Fernet key. Unset: one is made in the data folder."""
    previous_keys: SecretStr | None = None
    """Older Fernet keys, separated by commas: read with, never written with."""


class StorageSettings(BaseSettings):
    """Where photos are kept."""

    model_config = _section("STOFLOW_STORAGE_")

    bucket: str | None = None
    """Name of an S3 or R2 bucket. Unset: a folder in the data folder."""
    endpoint_url: str | None = None
    """For R2 or another S3 server; unset means Amazon's own."""
    region: str = "auto"
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None


class EbaySettings(BaseSettings):
    """The application's keyset at eBay and eBay's addresses."""

    model_config = _section("STOFLOW_EBAY_")

    client_id: str | None = None
    client_secret: SecretStr | None = None
    ru_name: str | None = None
    """The redirect name of the keyset (not a URL)."""
    auth_url: str = "https://auth.ebay.com"
    api_url: str = "https://api.ebay.com"
    identity_url: str = "https://apiz.ebay.com"
    media_url: str = "https://apim.ebay.com"
    marketplace_id: str = "EBAY_US"
    timeout: timedelta = timedelta(seconds=20)
    """Longest wait for one answer."""
    daily_calls: int | None = Field(default=None, ge=1)
    """Calls a day of all shops together, for a keyset with less than eBay's documented quotas."""
    orders_every: timedelta = Field(default=timedelta(minutes=1), ge=timedelta(minutes=1))
    """How often an account is asked for orders, as long as all together stay below half of the
    calls."""


class EtsySettings(BaseSettings):
    """The application's keys at Etsy, Etsy's addresses and what it lets us ask."""

    model_config = _section("STOFLOW_ETSY_")

    keystring: str | None = None
    shared_secret: SecretStr | None = None
    redirect_uri: str | None = None
    """To the letter as registered at Etsy. Unset: our callback below STOFLOW_PUBLIC_URL."""
    auth_url: str = "https://www.etsy.com"
    api_url: str = "https://api.etsy.com"
    timeout: timedelta = timedelta(seconds=20)
    """Longest wait for one answer."""
    calls_per_second: int = Field(default=10, ge=1)
    """Of all shops together; 10 is what Etsy gives a new application."""
    calls_per_day: int = Field(default=10_000, ge=1)
    orders_every: timedelta = Field(default=timedelta(minutes=1), ge=timedelta(minutes=1))
    """How often an account is asked for orders, as long as all together stay below half of the
    calls."""


class VintedSettings(BaseSettings):
    """Vinted, which is spoken to by sellers' own browsers."""

    model_config = _section("STOFLOW_VINTED_")

    sandbox_site: str | None = None
    """Host of a sandbox, which counts as one more of Vinted's sites; then no request is paced. Not
    in production."""


class LimitSettings(BaseSettings):
    """What one client may ask for."""

    model_config = _section("STOFLOW_LIMIT_")

    requests: str = "600/minute"
    """Per signed-in account, or per address where nobody is signed in."""
    sign_in: str = "20/minute"
    """Per address, for registering, signing in and refreshing."""
    body_bytes: int = Field(default=1_000_000, ge=1_000)
    upload_bytes: int = Field(default=30_000_000, ge=1_000)
    """For photo and CSV uploads."""
    trusted_proxies: int = Field(default=0, ge=0)
    """How many proxies in front of us append to X-Forwarded-For; Railway has 1."""


class SocketSettings(BaseSettings):
    """Clients that are told what happens, as it happens."""

    model_config = _section("STOFLOW_SOCKETS_")

    most: int = Field(default=2000, ge=1)
    """Connected to one process at a time; the next is refused."""
    most_per_account: int = Field(default=10, ge=1)
    """Of one account in one process; the next takes the place of the oldest."""


class WorkerSettings(BaseSettings):
    """The background worker."""

    model_config = _section("STOFLOW_WORKER_")

    threads: int = Field(default=4, ge=1, le=64)
    lease: timedelta = timedelta(seconds=60)
    """A job whose worker gave no sign of life for this long is picked up by another."""
    poll: timedelta = timedelta(seconds=1)
    """Longest sleep between two looks for due work."""
    listen: bool = True
    """Be woken when work is left, by LISTEN on a connection beside the pool. Off behind a pooler
    in transaction mode, which does not pass it on: then work waits for the next look."""
    shutdown_grace: timedelta = timedelta(seconds=20)
    longest_wait: timedelta = timedelta(minutes=15)
    """Between two tries of a job that fails in passing; the first waits are a few seconds."""
    shop_realtime_jobs: int = Field(default=3, ge=1)
    """Delistings and order jobs of one shop that run at the same time, in all workers together."""
    shop_bulk_jobs: int = Field(default=2, ge=1)
    """Likewise its publications and updates: a batch of thousands leaves threads to others."""
    account_jobs: int = Field(default=2, ge=1)
    """Likewise, in each of the two lanes, those that work on one channel account."""
    leadership: timedelta = timedelta(seconds=30)
    """Of all workers one runs the schedule; one that vanished is replaced within this time."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Unset: a worker answers nobody; `/metrics` of the API has the installation's figures."""
    metrics_host: str = "127.0.0.1"

    @property
    def caps(self) -> RunningCaps:
        """How much of all workers one shop may take."""
        lanes = {Lane.REALTIME: self.shop_realtime_jobs, Lane.BULK: self.shop_bulk_jobs}
        return RunningCaps(lanes, self.account_jobs)


class ImageFetchSettings(BaseSettings):
    """Photos named by URL in an import."""

    model_config = _section("STOFLOW_IMAGES_")

    allow_private_addresses: bool = False
    """Fetch from loopback and private networks too; for tests and the demo only."""
    timeout: timedelta = timedelta(seconds=10)


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = _section()

    environment: Environment = Environment.DEVELOPMENT
    data_dir: Path = Path(".data")
    """Embedded database, generated keys and photos."""
    public_url: str = "http://127.0.0.1:8000"
    """Address under which people reach this API."""
    cors_origins: Annotated[list[str], NoDecode] = Field(
        default=["http://localhost:3000", "http://localhost:3001"], validate_default=True
    )
    """Exact origins of the dashboard, separated by commas; our browser extension's is one more."""
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    redis_url: str | None = Field(default=None, validation_alias="REDIS_URL", repr=False)
    """Shared rate-limit counts for several API processes. Unset: counted per process."""

    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    tokens: TokenSettings = Field(default_factory=TokenSettings)
    encryption: EncryptionSettings = Field(default_factory=EncryptionSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    ebay: EbaySettings = Field(default_factory=EbaySettings)
    etsy: EtsySettings = Field(default_factory=EtsySettings)
    vinted: VintedSettings = Field(default_factory=VintedSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    sockets: SocketSettings = Field(default_factory=SocketSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    images: ImageFetchSettings = Field(default_factory=ImageFetchSettings)

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip() for origin in value.split(",") if origin.strip()]
        return value

    @field_validator("cors_origins")
    @classmethod
    def _with_the_extension(cls, origins: list[str]) -> list[str]:
        return [*origins, EXTENSION_ORIGIN]

    @property
    def in_production(self) -> bool:
        """Whether real sellers are served."""
        return self.environment is Environment.PRODUCTION

    def refuse_unsafe_production(self) -> None:
        """Raise `Misconfigured` naming every secret that production still lacks."""
        if not self.in_production:
            return
        required = {
            "DATABASE_URL": self.database.url,
            "STOFLOW_TOKEN_PRIVATE_KEY": self.tokens.private_key,
            "STOFLOW_ENCRYPTION_KEY": self.encryption.key,
            "STOFLOW_STORAGE_BUCKET": self.storage.bucket,
        }
        missing = [name for name, value in required.items() if not value]
        if missing:
            raise Misconfigured(f"In production these must be set: {', '.join(missing)}.")
        if self.vinted.sandbox_site is not None:
            raise Misconfigured("In production STOFLOW_VINTED_SANDBOX_SITE must not be set.")
        if not self.public_url.startswith("https://"):
            raise Misconfigured("In production STOFLOW_PUBLIC_URL must start with https://.")


def read_settings() -> Settings:
    """The configuration. Raises `Misconfigured` naming every variable that cannot be read."""
    try:
        return Settings()
    except ValidationError as error:
        raise Misconfigured(_unreadable(error)) from None


def _unreadable(error: ValidationError) -> str:
    sections: dict[str, type[BaseSettings]] = {
        each.__name__: each for each in BaseSettings.__subclasses__()
    }
    prefix = sections[error.title].model_config["env_prefix"]
    said = []
    for wrong in error.errors(include_input=False, include_url=False):
        name = str(wrong["loc"][0])
        said.append(f"{name if name.isupper() else (prefix + name).upper()}: {wrong['msg']}.")
    return " ".join(said)
