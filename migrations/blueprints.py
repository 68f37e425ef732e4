"""Records what new shops are made from, so that processes of every version make them alike."""

from datetime import datetime

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from migrations.rendering import SchemaScript
from models.accounts.tenants import BLUEPRINT_LOCK, TenantBlueprint


def make_current(connection: Connection, script: SchemaScript, at: datetime) -> None:
    """Have shops made by `script` from this transaction's commit on.

    Waits for every shop that is being made, so that after the commit none appears at another
    revision.
    """
    connection.execute(select(func.pg_advisory_xact_lock(BLUEPRINT_LOCK)))
    connection.execute(
        update(TenantBlueprint).where(TenantBlueprint.is_current).values(is_current=False)
    )
    row = insert(TenantBlueprint).values(
        revision=script.revision,
        statements=list(script.statements),
        is_current=True,
        recorded_at=at,
    )
    kept = ("statements", "is_current", "recorded_at")
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[TenantBlueprint.revision],
            set_={name: row.excluded[name] for name in kept},
        )
    )
