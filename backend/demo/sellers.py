"""The two sellers of the demo, provisioned as the admin script does it."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from backend.container import Container
from services.accounts.identity.registration import Registration
from shared.database import TenantSchema

NAMES = ("Anna", "Ben")


@dataclass(frozen=True)
class Seller:
    """An account of the demo. The password is made for this data folder and kept in it."""

    name: str
    email: str
    password: str
    tenant: TenantSchema

    @property
    def user(self) -> str:
        """The seller's name at the sandboxes."""
        return f"demo_{self.name.lower()}"


def open_shops(container: Container) -> tuple[Seller, Seller]:
    """Both shops; opened the first time, found again later."""
    passwords = _passwords(container.settings.data_dir / "sellers.json")
    anna, ben = (_open(container, name, passwords[name]) for name in NAMES)
    return anna, ben


def _open(container: Container, name: str, password: str) -> Seller:
    email = f"{name.lower()}@demo.example.com"
    registration = Registration(container.passwords, container.provisioning, container.clock)
    with container.database.platform() as session:
        tenant = registration.open_shop(session, email)
    if tenant is None:
        with container.database.platform() as session:
            user = registration.register(session, email, password, name)
        tenant = TenantSchema(user.id)
    return Seller(name, email, password, tenant)


def _passwords(file: Path) -> dict[str, str]:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps({name: secrets.token_urlsafe(12) for name in NAMES}))
    kept: dict[str, str] = json.loads(file.read_text())
    return kept
