"""Developer analytics: what is left of the day's calls."""

from typing import Any

from sandbox.answers import NO_CONTENT, Answer
from sandbox.clock import wire_time
from sandbox.ebay.apis import ANALYTICS, APIS, PUBLIC, Api
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.quotas import WINDOW_S, next_reset, quota_limit, quota_used


def _rate_limits(call: Call) -> Answer:
    name, context = call.query.get("api_name", ""), call.query.get("api_context", "")
    found = [
        _rate_limit(call, api)
        for api in APIS
        if name.lower() in ("", api.name.lower()) and context.lower() in ("", api.context)
    ]
    return Answer(200, {"rateLimits": found}) if found else NO_CONTENT


def _rate_limit(call: Call, api: Api) -> dict[str, Any]:
    limit = quota_limit(call.sandbox, api)
    used = quota_used(call.sandbox, call.token.client_id, api)
    rate = {
        "count": used,
        "limit": limit,
        "remaining": max(limit - used, 0),
        "reset": wire_time(next_reset(call.sandbox.clock.now())),
        "timeWindow": WINDOW_S,
    }
    return {
        "apiContext": api.context,
        "apiName": api.name,
        "apiVersion": api.version,
        "resources": [{"name": api.resource, "rates": [rate]}],
    }


ANALYTICS_OPERATIONS = (
    Operation("getRateLimits", "GET", "/rate_limit/", ANALYTICS, PUBLIC, _rate_limits),
)
