"""Doors to the outside, opened from settings."""

from collections.abc import Sequence

from pydantic import SecretStr

from api.policies import API_PREFIX
from backend.settings import EbaySettings, EtsySettings, ImageFetchSettings, Settings
from services.gateways.ebay.gateway import HttpEbayGateway
from services.gateways.ebay.marketplaces import marketplace_named
from services.gateways.ebay.oauth import Keyset
from services.gateways.ebay.quotas import EbayQuotas
from services.gateways.ebay.transport import CallBook, EbayAddresses
from services.gateways.etsy.gateway import HttpEtsyGateway
from services.gateways.etsy.quotas import EtsyCallBook, EtsyQuotas
from services.gateways.etsy.transport import EtsyAddresses, EtsyKeys
from services.gateways.image_fetch import HttpImageFetcher
from services.gateways.object_store import LocalFolderStore, ObjectStore, S3Store
from services.gateways.quotas import CallLedger
from services.selling.vinted.bridge.leases import Signatures, SignedPhotoLinks
from services.selling.vinted.pacing import Pacing
from services.selling.vinted.sites import SITES
from shared.clock import Clock
from shared.http_client import outbound_client


def open_object_store(settings: Settings) -> ObjectStore:
    """The bucket when one is named, else a folder in the data folder."""
    storage = settings.storage
    if storage.bucket is None:
        return LocalFolderStore(settings.data_dir / "objects")
    return S3Store.connect(
        storage.bucket,
        endpoint_url=storage.endpoint_url,
        region=storage.region,
        access_key_id=_plain(storage.access_key_id),
        secret_access_key=_plain(storage.secret_access_key),
    )


def open_photo_links(settings: Settings, signatures: Signatures) -> SignedPhotoLinks:
    """Links to photos in the folder store."""
    address = f"{settings.public_url.rstrip('/')}{API_PREFIX}/vinted/photos/"
    return SignedPhotoLinks(signatures, address)


def vinted_sites(settings: Settings) -> Sequence[str]:
    """Hosts of Vinted's sites, that of a sandbox first."""
    sandbox = settings.vinted.sandbox_site
    return SITES if sandbox is None else (sandbox, *SITES)


def vinted_pace(settings: Settings) -> Pacing:
    """How fast accounts at Vinted are worked on; a sandbox as fast as it can."""
    return Pacing() if settings.vinted.sandbox_site is None else Pacing([])


def open_image_fetcher(settings: ImageFetchSettings) -> HttpImageFetcher:
    """Fetches the photos that imports name by URL."""
    return HttpImageFetcher(
        allow_private=settings.allow_private_addresses, timeout=settings.timeout
    )


def open_ebay(settings: EbaySettings, ledger: CallLedger, clock: Clock) -> HttpEbayGateway:
    """eBay at the configured addresses; without a keyset everything but its use works."""
    return HttpEbayGateway(
        outbound_client(settings.timeout),
        EbayAddresses(
            auth=settings.auth_url,
            api=settings.api_url,
            identity=settings.identity_url,
            media=settings.media_url,
        ),
        _keyset(settings),
        marketplace_named(settings.marketplace_id),
        CallBook(ledger, EbayQuotas(settings.daily_calls)),
        clock,
    )


def open_etsy(settings: Settings, ledger: CallLedger, clock: Clock) -> HttpEtsyGateway:
    """Etsy at the configured addresses; without keys everything but their use works."""
    etsy = settings.etsy
    quotas = EtsyQuotas(etsy.calls_per_second, etsy.calls_per_day)
    return HttpEtsyGateway(
        outbound_client(etsy.timeout),
        EtsyAddresses(auth=etsy.auth_url, api=etsy.api_url),
        _etsy_keys(etsy, settings.public_url),
        EtsyCallBook(ledger, quotas),
        clock,
    )


def _etsy_keys(settings: EtsySettings, public_url: str) -> EtsyKeys | None:
    secret = _plain(settings.shared_secret)
    if not settings.keystring or not secret:
        return None
    ours = f"{public_url.rstrip('/')}{API_PREFIX}/channels/etsy/callback"
    return EtsyKeys(settings.keystring, secret, settings.redirect_uri or ours)


def _keyset(settings: EbaySettings) -> Keyset | None:
    secret = _plain(settings.client_secret)
    if settings.client_id and secret and settings.ru_name:
        return Keyset(settings.client_id, secret, settings.ru_name)
    return None


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
