"""Two Alembic lines: `platform` for the shared schemas, `tenant` for every shop's own."""
