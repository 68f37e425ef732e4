"""A row by which a schema says whose it is."""

from sqlalchemy.orm import Mapped, mapped_column

from models.base import MADE_WITH_THE_SCHEMA, TenantBase


class TenantSentinel(TenantBase):
    """Exactly one row: the number of the tenant that the schema was made for.

    Made together with the schema, never written again. In test mode every transaction compares it
    with the tenant it was opened for; `stoflow tenants doctor` does so on demand.
    """

    __tablename__ = "tenant_sentinel"
    __table_args__ = ({"info": MADE_WITH_THE_SCHEMA},)

    tenant_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
