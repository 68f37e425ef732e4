"""How long until every shop has a column and an index more on its products?

A thousand shops of 60 products (`BENCH_SHOPS=200` for fewer), moved by a whole run of ours: shared
schemas, template, blueprint, shops. Against the same two statements in as many connections by hand,
a transaction a shop and no bookkeeping, on the same schemas in turn; and against django-tenants'
own command, one shop after the other and with its pool of processes. It needs a hundred times as
long, so it gets 400 shops (`BENCH_PEER_SHOPS`) and is compared by the shop: it asks the catalog
again and again, so a shop takes it longer the more shops there are. The time that Django takes to
start is left out. `no_op_ms` is a run that finds nothing to do among 10,000 shops.
"""

import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import psycopg2
from sqlalchemy import text

from backend.migration import JOBS, InstallationMigration, MigrationWish, Silent
from benchmarks import peers
from benchmarks.answer import Answer, median_of, milliseconds
from benchmarks.goods import stock
from benchmarks.installation import address_of, empty_installation, empty_installation_beside
from benchmarks.shops import open_shops
from migrations.lines import TENANT, Line
from migrations.rendering import head_of
from shared.clock import SystemClock
from shared.database import Database, TenantSchema

SHOPS, PEER_SHOPS, ROWS = "1000", "400", 10_000
ROUNDS = 3
NO_OPS = 30

UP = (
    "ALTER TABLE products ADD COLUMN shelf text",
    "CREATE INDEX ix_products_shelf ON products (shelf)",
)
DOWN = ("DROP INDEX ix_products_shelf", "ALTER TABLE products DROP COLUMN shelf")

REVISION = f"""
from alembic import op

revision = "tenant_next"
down_revision = "{head_of(TENANT)}"
branch_labels = depends_on = None


def upgrade():
    for statement in {UP}:
        op.execute(statement)


def downgrade():
    for statement in {DOWN}:
        op.execute(statement)
"""


def measure() -> Answer:
    """Ours and by hand in turn, then django-tenants, then nothing to do."""
    how_many = int(os.environ.get("BENCH_SHOPS", SHOPS))
    with empty_installation() as database:
        shops = open_shops(database, how_many)
        ours, raw = _in_turn(database, shops)
        theirs = _django_tenants(database)
        with empty_installation_beside(database) as crowded:
            no_op_ms = _nothing_to_do(crowded)
    figures = {
        "shops": float(how_many),
        "jobs": float(JOBS),
        "ours_ms_a_shop": round(ours / how_many, 3),
        "raw_ms_a_shop": round(raw / how_many, 3),
        "ours_s": round(ours / 1000, 3),
        "no_op_ms": no_op_ms,
        **{f"django_tenants_{name}_ms_a_shop": each for name, each in theirs.items()},
    }
    ratios = {"to_raw": round(ours / raw, 3)}
    if theirs:
        ratios["to_django_tenants"] = round(min(theirs.values()) / (ours / how_many), 1)
    return Answer(figures, ratios)


def _in_turn(database: Database, shops: Sequence[TenantSchema]) -> tuple[float, float]:
    """Milliseconds of a whole run of ours, and of the statements by hand; the way back is free."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "next.py").write_text(REVISION)
        line = TENANT.continued_in(Path(folder))
        ours: list[float] = []
        raw: list[float] = []
        for number in range(1, ROUNDS + 1):
            ours.append(milliseconds(lambda: _run(database, line, "tenant_next")))
            _run(database, line, head_of(TENANT))
            raw.append(milliseconds(lambda: _by_hand(database, shops, UP)))
            _by_hand(database, shops, DOWN)
            print(f"round {number}: ours {ours[-1]:.0f} ms, by hand {raw[-1]:.0f} ms", flush=True)
    return median(ours), median(raw)


def _run(database: Database, line: Line, to: str) -> None:
    wish = MigrationWish(line=line, to=to)
    outcome = InstallationMigration(database, SystemClock(), wish).run(Silent())
    if outcome.shops.failed:
        raise RuntimeError(outcome.shops.failed[0].error)


def _by_hand(database: Database, shops: Sequence[TenantSchema], statements: Sequence[str]) -> None:
    script, waiting = "; ".join(statements), list(shops)

    def work() -> None:
        connection = psycopg2.connect(address_of(database))
        while True:
            try:
                shop = waiting.pop()
            except IndexError:
                break
            with connection, connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL search_path TO {shop.name}; {script}")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(JOBS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _django_tenants(database: Database) -> dict[str, float]:
    """Milliseconds a shop, for each way that django-tenants offers; nothing where it is absent."""
    django = peers.installed()
    if django is None:
        return {}
    how_many = int(os.environ.get("BENCH_PEER_SHOPS", PEER_SHOPS))
    taken: dict[str, float] = {}
    with django.shops(database) as shops:
        shops.open_and_stock(range(how_many), stock)
        for executor in ("standard", "multiprocessing"):
            taken[executor] = round(shops.migrate("0002", executor) * 1000 / how_many, 1)
            shops.migrate("0001")
            print(f"django-tenants, {executor}: {taken[executor]} ms a shop", flush=True)
    return taken


def _nothing_to_do(database: Database) -> float:
    """Milliseconds; for the directory alone it does not matter that there are no schemas."""
    with database.engine.begin() as connection:
        connection.execute(_USERS, {"rows": ROWS})
        connection.execute(_SHOPS, {"revision": head_of(TENANT)})
    migration = InstallationMigration(database, SystemClock(), MigrationWish())
    return median_of([milliseconds(lambda: migration.run(Silent())) for _ in range(NO_OPS)])


_USERS = text(
    "INSERT INTO public.users (id, public_id, email, password_hash, full_name, role,"
    " failed_sign_ins, created_at)"
    " SELECT n, gen_random_uuid(), n || '@example.com', '!', 'Bench', 'member', 0, now()"
    " FROM generate_series(1, :rows) AS n"
)
_SHOPS = text(
    "INSERT INTO public.tenants (id, status, schema_version, created_at)"
    " SELECT id, 'active', :revision, now() FROM public.users"
)
