"""The only way to say a tenant's schema."""

import re
from dataclasses import dataclass

TEMPLATE_SCHEMA = "template_tenant"
"""The blueprint: migrated like every tenant, owned by the platform, holds no rows."""

_MAX_ID = 2**63 - 1
_NAME = re.compile(r"user_([1-9]\d{0,18})", re.ASCII)
_MAX_IDENTIFIER_BYTES = 63


@dataclass(frozen=True, slots=True, order=True)
class TenantSchema:
    """A tenant, by number. Its names are made here and are therefore always valid identifiers."""

    tenant_id: int

    def __post_init__(self) -> None:
        if type(self.tenant_id) is not int or not 0 < self.tenant_id <= _MAX_ID:
            raise ValueError(f"not a tenant id: {self.tenant_id!r}")

    @classmethod
    def parse(cls, name: str) -> "TenantSchema":
        """Read `user_<id>`. Raises ValueError on every other text."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"not a tenant schema: {name!r}")
        return cls(int(match.group(1)))

    @property
    def name(self) -> str:
        """The schema's name."""
        return f"user_{self.tenant_id}"

    @property
    def quoted(self) -> str:
        """The schema's name as an SQL identifier."""
        return f'"{self.name}"'

    @property
    def folder(self) -> str:
        """Where the shop's files lie in the object store; ends with a slash."""
        return f"tenants/{self.tenant_id}/"

    def role_in(self, database: str) -> str:
        """The tenant's role. Roles belong to the whole server, hence the database's name in it."""
        role = f"{database}_{self.name}"
        if len(role.encode()) > _MAX_IDENTIFIER_BYTES:
            raise ValueError(f"role name too long, choose a shorter database name: {role!r}")
        return role

    def __str__(self) -> str:
        return self.name


def quote_identifier(name: str) -> str:
    """Quote any identifier for SQL. Raises ValueError on NUL or on more than 63 bytes."""
    if not name or "\x00" in name or len(name.encode()) > _MAX_IDENTIFIER_BYTES:
        raise ValueError(f"not an SQL identifier: {name!r}")
    return '"' + name.replace('"', '""') + '"'
