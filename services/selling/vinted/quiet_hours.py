"""When a seller wants nothing to be sent, as the account's terms say."""

from collections.abc import Mapping
from datetime import time
from zoneinfo import ZoneInfo

from models.selling.vinted import VintedAccount
from services.selling.vinted.pacing import QuietHours


def quiet_hours_of(account: VintedAccount) -> QuietHours | None:
    """When nothing is sent that can wait; None: at any hour."""
    told = account.choices.get("quiet_hours")
    if not isinstance(told, Mapping):
        return None
    return QuietHours(
        time.fromisoformat(told["begins"]),
        time.fromisoformat(told["ends"]),
        ZoneInfo(told["time_zone"]),
    )
