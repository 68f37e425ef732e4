"""Alembic's entry point. `migrations.runner` says which line and hands in connection or buffer."""

from alembic import context

from migrations.lines import Line

line: Line = context.config.attributes["line"]

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        target_metadata=line.metadata,
        version_table=line.version_table,
        as_sql=True,
        output_buffer=context.config.attributes["buffer"],
        on_version_apply=context.config.attributes["on_step"],
    )
else:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=line.metadata,
        version_table=line.version_table,
        version_table_schema=line.version_schema,
        include_schemas=line.schemas is not None,
        include_name=line.includes,
        compare_type=True,
    )
context.run_migrations()
