"""Daily call quotas per keyset and API."""

from datetime import datetime, timedelta

from sandbox.ebay.apis import Api
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.sandbox import EbaySandbox

WINDOW_S = 86_400


def spend_quota(sandbox: EbaySandbox, client_id: str, api: Api) -> None:
    """Count one call. Raises EbayError 429 (2001), without Retry-After, when the day's are gone."""
    key = _key(client_id, api, sandbox.clock.now())
    used = sandbox.state.quota_used.get(key, 0)
    if used >= quota_limit(sandbox, api):
        raise EbayError(429, error(2001, "Too many requests.", domain="ACCESS"))
    sandbox.state.quota_used[key] = used + 1


def quota_limit(sandbox: EbaySandbox, api: Api) -> int:
    """Calls per day, as published or as set through the control address."""
    return sandbox.state.quota_limits.get(api.resource, api.daily_limit)


def quota_used(sandbox: EbaySandbox, client_id: str, api: Api) -> int:
    """Calls counted today (UTC)."""
    return sandbox.state.quota_used.get(_key(client_id, api, sandbox.clock.now()), 0)


def next_reset(moment: datetime) -> datetime:
    """When today's count starts anew."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def _key(client_id: str, api: Api, moment: datetime) -> str:
    return f"{client_id}|{api.resource}|{moment.date().isoformat()}"
