"""A process that signs people up until it is killed: `python -m tests.tenancy.one_sign_up`.

Reads one JSON object from its arguments: the database's `url`, the `emails` in turn, and the
`moment` at which it stops and waits for its end; without one it goes on. Says each e-mail address
once its shop is committed, and `here` when it waits.
"""

import json
import sys
import time
from collections.abc import Callable

from migrations.rendering import tenant_script
from services.accounts.identity.registration import Registration
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import SystemClock
from shared.database import Database, EngineOptions, PlatformSession, create_database_engine
from tests.passwords import CHEAP_PASSWORDS, PASSWORD

MOMENTS = ("account written", "shop made", "committed")


def main(url: str, emails: list[str], moment: str | None = None) -> None:
    """Sign up all, or wait at the moment for ever."""
    engine = create_database_engine(url, EngineOptions(pool_size=1))
    database, clock = Database(engine), SystemClock()
    provisioning = TenantProvisioning(database, tenant_script(), clock)
    registration = Registration(CHEAP_PASSWORDS, provisioning, clock)

    def reached(here: str) -> None:
        if here == moment:
            _say("here")
            time.sleep(600)

    for email in emails:
        with database.platform() as session:
            _sign_up(registration, provisioning, session, email, reached)
        reached("committed")
        _say(email)


def _sign_up(
    registration: Registration,
    provisioning: TenantProvisioning,
    session: PlatformSession,
    email: str,
    reached: Callable[[str], None],
) -> None:
    """What `Registration.register` does, with a look in between."""
    user = registration.open_account(session, registration.prepare(email, PASSWORD, "A Member"))
    reached("account written")
    provisioning.provision(session, user.id)
    reached("shop made")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
