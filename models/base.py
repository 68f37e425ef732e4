"""What all tables share: naming of constraints, key types, two families of metadata.

Tables of `PlatformBase` name their schema; tables of `TenantBase` carry none and resolve through
the search_path of a `TenantSession`. The rules of docs/adr/0003 (Citus) hold for both.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Enum, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

BigKey = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=True)]
"""A bigserial primary key: 64 bits end to end, neither dense nor in order on Citus."""

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""A point in time, UTC, set from Python."""

Json = Annotated[dict[str, Any], mapped_column(JSONB)]
"""A JSON object."""


SECRET = {"secret": True}
"""`info` of a tenant's table or column that no export for a person or another installation has."""

MADE_WITH_THE_SCHEMA = {"made_with_the_schema": True}
"""`info` of a tenant's table whose rows say something about the schema itself: never copied."""

ACCOUNT_ID = {"account_id": True}
"""`info` of a tenant's column that names an account by its number, which another installation gave
to somebody else."""

OBJECT_KEY = "object_key"
"""Key of the `info` of a tenant's column that names a file in the object store, below the folder of
the shop; its value is the column that has the file's content type."""


VERSION_TABLE = "tenant_schema_version"
"""Where a tenant's schema itself says at which revision it is."""


WRITTEN_WITH_SHOPS = {"citus": "local"}
"""`info` of a shared table that is written in shops' transactions, or refers to one that is: on
Citus a managed local table, so that both are committed or neither (docs/adr/0017)."""

CATALOGUE = {"citus": "reference"}
"""`info` of a shared table that is read in shops' transactions and hardly ever written: on Citus a
reference table. Tables of `product_attributes` are that without saying so."""


class PlatformBase(DeclarativeBase):
    """Base of the tables in `public` and `product_attributes`."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {str: Text, int: BigInteger}


class TenantBase(DeclarativeBase):
    """Base of the tables that every tenant has in its own schema."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {str: Text, int: BigInteger}


def words(enum: type[StrEnum], name: str) -> Enum:
    """A text column that holds one of the enum's values, checked by a named constraint."""
    return Enum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )
