"""However a shop's schema came to be, it is the same; and what is not the same is named."""

from typing import Any

import pytest
from sqlalchemy import event, text

from migrations.lines import TENANT
from migrations.rendering import revisions
from repositories.accounts.schema_catalog import ITS_OWN_ROLE, Fact, SchemaCatalog
from repositories.accounts.schema_differences import differences
from services.accounts.tenants.diagnosing import Trouble
from shared.clock import MovableClock
from shared.database import TEMPLATE_SCHEMA, Database, TenantSchema
from tests.tenancy.damage import as_platform, findings, mend, open_shop, troubles
from tests.tenancy.moving import Mover

FIRST = revisions(TENANT)[0]


def test_provisioned_upgraded_and_downgraded_shops_are_as_the_template(
    database_of_its_own: Database, clock: MovableClock
) -> None:
    """F7, F15: by column, index, constraint, sequence, owner and right."""
    database, mover = database_of_its_own, Mover(database_of_its_own, clock)
    there_and_back = open_shop(database, clock)
    mover.run(to=FIRST)
    upgraded = open_shop(database, clock)
    mover.run()
    provisioned = open_shop(database, clock)
    shops = (there_and_back, upgraded, provisioned)
    with database.platform() as session:
        facts = SchemaCatalog(session, database).facts([each.name for each in shops])
    template = facts[TEMPLATE_SCHEMA]
    for shop in shops:
        assert differences(shop, facts[shop.name], template) == []
        assert facts[shop.name] == template
    assert findings(database, clock) == []


def test_the_comparison_looks_at_everything_that_a_schema_is_made_of(
    database: Database, tenant: TenantSchema
) -> None:
    """F7: a comparison of nothing finds no difference."""
    with database.platform() as session:
        facts = SchemaCatalog(session, database).facts([tenant.name])[tenant.name]
    assert facts[Fact("schema", "itself")] == f"owner {ITS_OWN_ROLE}"
    assert facts[Fact("owner", "products")] == ITS_OWN_ROLE
    assert facts[Fact("owner", "products_id_seq")] == ITS_OWN_ROLE
    assert facts[Fact("column", "products.id")] == (
        "bigint NOT NULL DEFAULT nextval('products_id_seq'::regclass)"
    )
    assert facts[Fact("sequence owned by", "products_id_seq")] == "products.id"
    assert facts[Fact("constraint", "products.pk_products")] == "PRIMARY KEY (id)"
    assert facts[Fact("index", "marketplace_jobs.ix_marketplace_jobs_batch_id")] == (
        "CREATE INDEX ix_marketplace_jobs_batch_id ON marketplace_jobs USING btree (batch_id)"
    )
    assert not any(tenant.name in f"{fact.name} {said}" for fact, said in facts.items())


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DROP INDEX {s}.ix_marketplace_jobs_batch_id", "index marketplace_jobs.ix_marketplace"),
        ("ALTER TABLE {s}.products ALTER version TYPE int", "column products.version is integer"),
        ("ALTER TABLE {s}.products ALTER title DROP NOT NULL", "column products.title is text"),
        ("ALTER TABLE {s}.products ALTER version SET DEFAULT 7", "NOT NULL DEFAULT"),
        ("ALTER TABLE {s}.products ADD shelf text", "column products.shelf should not be there"),
        ("ALTER TABLE {s}.products DROP tags", "column products.tags is missing"),
        ("ALTER TABLE {s}.products DROP CONSTRAINT ck_products_status", "ck_products_status is mi"),
        ("CREATE INDEX by_hand ON {s}.products (title)", "index products.by_hand should not"),
        ("ALTER SEQUENCE {s}.products_id_seq OWNED BY NONE", "owned by products_id_seq is missing"),
        ("ALTER SEQUENCE {s}.products_id_seq INCREMENT 2", "numbering products_id_seq is bigint"),
        ("CREATE TABLE {s}.shelves (id int)", "table shelves should not be there"),
        ("DROP TABLE {s}.ebay_pictures", "table ebay_pictures is missing"),
        ("ALTER TABLE {s}.products SET UNLOGGED", "table products is unlogged"),
        ("CREATE VIEW {s}.all_of_it AS SELECT 1 AS one", "view all_of_it should not be there"),
        ("CREATE FUNCTION {s}.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function f/0 should"),
        (
            "CREATE TRIGGER t BEFORE UPDATE ON {s}.products FOR EACH ROW"
            " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "trigger products.t should not be there",
        ),
        ("CREATE TYPE {s}.mood AS ENUM ('good')", "type mood should not be there"),
        ("ALTER TABLE {s}.products ENABLE ROW LEVEL SECURITY", "table products is row security"),
    ],
)
def test_damage_is_noticed_and_named(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    damage: str,
    said: str,
) -> None:
    """F4, F7: drift, in that shop alone."""
    assert findings(database, clock) == []
    # Unlogged tables may not be referred to by logged ones: these go first.
    if "UNLOGGED" in damage:
        as_platform(database, *_without_references(database, tenant))
    as_platform(database, damage.format(s=tenant.quoted))
    found = findings(database, clock)
    assert {each.tenant for each in found} == {tenant}
    # What the platform's login made by hand belongs to it, which is told as well.
    assert {each.trouble.value for each in found} - {"ownership"} == {"drift"}
    assert any(said in each.says for each in found), [each.says for each in found]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("ALTER TABLE {s}.products OWNER TO CURRENT_USER", "table products belongs to"),
        ("ALTER SCHEMA {s} OWNER TO CURRENT_USER", "schema belongs to"),
        ("GRANT SELECT ON {s}.products TO PUBLIC", "everybody has rights on table products"),
        ("GRANT SELECT (id) ON {s}.products TO {other}", "_user_"),
        ("GRANT USAGE ON SCHEMA {s} TO {other}", "has rights on schema"),
        ("GRANT USAGE ON {s}.products_id_seq TO {other}", "rights on sequence products_id_seq"),
    ],
)
def test_wrong_owners_and_foreign_rights_are_noticed_and_mended(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    damage: str,
    said: str,
) -> None:
    """F7, X2: named, and mended without a person's judgement."""
    other = f'"{database.role_of(other_tenant)}"'
    as_platform(database, damage.format(s=tenant.quoted, other=other))
    found = findings(database, clock)
    assert troubles(found) == [("ownership", tenant)]
    assert said in found[0].says
    assert mend(database).mended == [tenant]
    assert findings(database, clock) == []


@pytest.mark.parametrize(
    "damage",
    [
        "DROP INDEX {s}.ix_marketplace_jobs_batch_id",
        "ALTER TABLE {s}.products ALTER version TYPE int",
        "ALTER TABLE {s}.products ALTER title DROP NOT NULL, ALTER version SET DEFAULT 7",
        "ALTER TABLE {s}.products ADD shelf text",
        "ALTER TABLE {s}.products DROP tags",
        "ALTER TABLE {s}.products DROP CONSTRAINT ck_products_status",
        "CREATE INDEX by_hand ON {s}.products (title)",
        "ALTER SEQUENCE {s}.products_id_seq OWNED BY NONE",
        "CREATE VIEW {s}.all_of_it AS SELECT 1 AS one",
        "CREATE FUNCTION {s}.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_the_sql_that_the_doctor_offers_undoes_the_damage(
    database: Database, tenant: TenantSchema, clock: MovableClock, damage: str
) -> None:
    """F4: each finding with what mends it."""
    as_platform(database, damage.format(s=tenant.quoted))
    for each in findings(database, clock):
        if each.trouble is Trouble.DRIFT:
            assert each.repair is not None
            as_platform(database, each.repair)
    assert findings(database, clock) == []


def test_a_right_that_was_given_and_taken_back_is_no_difference(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F7: PostgreSQL notes it, nobody has it."""
    as_platform(
        database,
        f"GRANT SELECT ON {tenant.quoted}.products TO PUBLIC",
        f"REVOKE SELECT ON {tenant.quoted}.products FROM PUBLIC",
    )
    assert findings(database, clock) == []


def test_all_shops_are_compared_in_the_same_number_of_queries(
    database: Database, clock: MovableClock
) -> None:
    """F4, F13: never a query a shop."""

    def statements() -> int:
        said: list[str] = []

        def note(*call: Any) -> None:
            said.append(call[2])

        event.listen(database.engine, "before_cursor_execute", note)
        findings(database, clock)
        event.remove(database.engine, "before_cursor_execute", note)
        return len(said)

    open_shop(database, clock)
    with_one = statements()
    for _ in range(5):
        open_shop(database, clock)
    assert statements() == with_one


def _without_references(database: Database, tenant: TenantSchema) -> list[str]:
    with database.engine.connect() as connection:
        return list(
            connection.scalars(
                text(
                    "SELECT 'ALTER TABLE ' || conrelid::regclass || ' DROP CONSTRAINT ' || conname"
                    " FROM pg_constraint WHERE contype = 'f'"
                    " AND connamespace = CAST(:name AS text)::regnamespace"
                ),
                {"name": tenant.name},
            )
        )
