"""The shop's Etsy account as the seller sees it: status, readiness, what listings use."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from models.selling.etsy import EtsyAccount, EtsyAccountStatus
from repositories.selling.etsy import EtsyAccountRepository
from services.gateways.etsy.gateway import EtsyGateway
from services.selling.channel_accounts.desk import AccountDesk, AccountView
from services.selling.etsy.readiness import KINDS, account_gaps, profiles_of, read_readiness
from shared.database import TenantSchema, TenantSession
from shared.errors import BadInput, Conflict, FieldProblem

WHO_MADE = ("i_did", "someone_else", "collective")
"""Etsy's words for who made a thing."""

WHEN_MADE = re.compile(r"made_to_order|before_\d{4}|\d{4}_\d{4}|\d{4}s")
"""Etsy's words for when: the years in them move on with the years, so they are not listed here."""


class EtsyNotConnected(Conflict):
    """The shop has no working Etsy connection."""

    code, title = "etsy-not-connected", "The shop is not connected to Etsy"


class EtsyTermsRefused(BadInput):
    """What listings should use is not there at Etsy."""

    code, title = "etsy-terms-refused", "Etsy does not have this"


EtsyAccountView: TypeAlias = AccountView[EtsyAccount]


class EtsyAccountDesk(AccountDesk[EtsyGateway, EtsyAccount]):
    """Reads and mends the account's settings. Opens its own short transactions."""

    def _known(self, session: TenantSession) -> EtsyAccountView:
        return _view_of(EtsyAccountRepository(session).get())

    def check(self, tenant: TenantSchema) -> EtsyAccountView:
        """Read the shop, its profiles and policies anew.

        Raises `EtsyNotConnected` and what the gateway raises.
        """
        known = self.view(tenant).account
        if known is None or not known.connected:
            raise EtsyNotConnected("Connect the Etsy account first.")
        client = self._gateway.account(self._access.tokens_of(tenant))
        found = read_readiness(client, known.remote_shop_id)
        with self._database.tenant(tenant) as session:
            stored = EtsyAccountRepository(session).locked()
            if stored is None or stored.remote_shop_id != known.remote_shop_id:
                raise EtsyNotConnected("The Etsy account was changed meanwhile. Check again.")
            stored.shop_name = found.shop.name
            stored.readiness = found.as_json()
            stored.checked_at = self._clock.now()
        return _view_of(stored)

    def choose(self, tenant: TenantSchema, choices: Mapping[str, Any]) -> EtsyAccountView:
        """Replace what listings use and who made the goods; asks nobody.

        Raises `EtsyNotConnected` and `EtsyTermsRefused`, naming what is not there.
        """
        with self._database.tenant(tenant) as session:
            stored = EtsyAccountRepository(session).locked()
            if stored is None or stored.status is EtsyAccountStatus.DISCONNECTED:
                raise EtsyNotConnected("Connect the Etsy account first.")
            wrong = [_not_there(stored, kind) for kind in KINDS if _lacks(stored, kind, choices)]
            if wrong:
                raise EtsyTermsRefused(wrong[0].message, fields=wrong)
            stored.choices = {name: value for name, value in choices.items() if value is not None}
        return _view_of(stored)


def _lacks(account: EtsyAccount, kind: str, choices: Mapping[str, Any]) -> bool:
    wanted = choices.get(kind)
    return wanted is not None and wanted not in {each.id for each in profiles_of(account, kind)}


def _not_there(account: EtsyAccount, kind: str) -> FieldProblem:
    choices = tuple(str(profile.id) for profile in profiles_of(account, kind))
    message = f"The shop has no such {KINDS[kind]}; check the connection if it is a new one."
    return FieldProblem(f"{kind}_id", message, "profile-unknown", choices)


def _view_of(account: EtsyAccount | None) -> EtsyAccountView:
    return AccountView(account, tuple(account_gaps(account)))
